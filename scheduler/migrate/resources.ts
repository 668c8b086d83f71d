/** What a linkerd was given becomes what a proxy asks for: so much is free on an agent when its linkerd has gone. */
import type { Draft } from './draft.ts';

const LEAST_CPUS = 0.01;
const LEAST_MEM = 64;

export function moveCpus(value: unknown, place: string, draft: Draft): void {
  if (typeof value !== 'number' || !(value > 0)) {
    draft.notUnderstood(place, value, 'it is no number of CPUs: set proxies.cpus');
    return;
  }
  const cpus = Math.min(256, Math.max(LEAST_CPUS, Math.round(value * 1_000) / 1_000));
  draft.set('proxies.cpus', cpus);
  draft.taken(
    place,
    value,
    'proxies.cpus',
    'so much is free on an agent when its linkerd has gone. A worker can use one: see proxies.cpus_limit',
  );
}

export function moveMem(value: unknown, place: string, draft: Draft): void {
  if (typeof value !== 'number' || !(value > 0)) {
    draft.notUnderstood(place, value, 'it is no number of megabytes: set proxies.mem');
    return;
  }
  const mem = Math.min(65_536, Math.max(LEAST_MEM, Math.ceil(value)));
  draft.set('proxies.mem', mem);
  if (mem === value) draft.taken(place, value, 'proxies.mem', 'so much is free on an agent when its linkerd has gone');
  else draft.changed(place, value, `proxies.mem: ${mem}`, `it is a whole number of megabytes, ${LEAST_MEM} at least`);
}

/** linkerd came as an image, and asked for no disk. */
export function tellDisk(place: string, value: unknown, draft: Draft): void {
  draft.changed(
    place,
    value,
    'proxies.disk',
    'a proxy asks for 256 MB by default: its archive, its log, and what it remembers of the mesh; agents need so much free',
  );
}
