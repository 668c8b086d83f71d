/**
 * Does a task fit into what an agent offers, and with which of it? A refusal is a value with numbers, because a person
 * will ask why a node has no proxy.
 */
import type { Range, Resource } from '../mesos-http-client/messages.ts';

export interface Needs {
  readonly cpus: number;
  /** Megabytes. */
  readonly mem: number;
  readonly ports: readonly number[];
}

export type Placement =
  /** `resources` are cut from the offered ones, reservation and allocation as offered. */
  | { readonly fits: true; readonly resources: Resource[] }
  /** `reason` is a clause: `0.5 cpus needed, 0.2 offered`. `offered.ports` are those of the needed ones. */
  | { readonly fits: false; readonly reason: string; readonly needed: Needs; readonly offered: Needs };

/** Picks from `offered`, reserved resources first, so that what is unreserved stays for others. */
export function place(needed: Needs, offered: readonly Resource[]): Placement {
  const usable = offered.filter(isUsable).sort((a, b) => Number(isReserved(b)) - Number(isReserved(a)));
  const cpus = pickScalar('cpus', needed.cpus, usable);
  const mem = pickScalar('mem', needed.mem, usable);
  const ports = pickPorts(needed.ports, usable);

  const gaps: string[] = [];
  if (cpus.missing) gaps.push(`${needed.cpus} cpus needed, ${cpus.available} offered`);
  if (mem.missing) gaps.push(`${needed.mem} MB of memory needed, ${mem.available} offered`);
  const absent = needed.ports.filter((port) => !ports.found.includes(port));
  if (absent.length > 0) {
    gaps.push(`${absent.length === 1 ? 'port' : 'ports'} ${absent.join(', ')} not offered (something else holds them)`);
  }
  if (gaps.length > 0) {
    const had = { cpus: cpus.available, mem: mem.available, ports: ports.found };
    return { fits: false, reason: gaps.join('; '), needed, offered: had };
  }
  return { fits: true, resources: [...cpus.picked, ...mem.picked, ...ports.picked] };
}

/** True for resources that an operator set aside for a role (or a framework did). */
function isReserved(resource: Resource): boolean {
  return rolesOf(resource).length > 0;
}

/** The roles a resource is reserved to, outermost first, in either of the two shapes. */
export function rolesOf(resource: Resource): string[] {
  const stack = (resource.reservations ?? []).map((reservation) => reservation.role ?? '');
  if (stack.length > 0) return stack;
  return resource.role === undefined || resource.role === '*' ? [] : [resource.role];
}

/** Not volumes, and not what another framework of the role reserved for itself: we make no dynamic reservations. */
function isUsable(resource: Resource): boolean {
  if (resource.disk !== undefined || resource.reservation !== undefined) return false;
  return !(resource.reservations ?? []).some((reservation) => reservation.type === 'DYNAMIC');
}

/** SCALAR has three decimals: whole thousandths add up exactly, fractions do not. */
const thousandths = (value: number): number => Math.round(value * 1000);

function pickScalar(name: string, needed: number, usable: readonly Resource[]) {
  let missing = thousandths(needed);
  let available = 0;
  const picked: Resource[] = [];
  for (const resource of usable) {
    if (resource.name !== name || resource.scalar === undefined) continue;
    const has = thousandths(resource.scalar.value);
    available += has;
    const take = Math.min(has, missing);
    if (take <= 0) continue;
    missing -= take;
    picked.push({ ...identityOf(resource), scalar: { value: take / 1000 } });
  }
  return { missing: missing > 0, available: available / 1000, picked };
}

function pickPorts(needed: readonly number[], usable: readonly Resource[]) {
  const left = new Set(needed);
  const picked: Resource[] = [];
  for (const resource of usable) {
    if (resource.name !== 'ports') continue;
    const ranges = resource.ranges?.range ?? [];
    const here = [...left].filter((port) => ranges.some((range) => range.begin <= port && port <= range.end));
    if (here.length === 0) continue;
    for (const port of here) left.delete(port);
    picked.push({ ...identityOf(resource), ranges: { range: toRanges(here) } });
  }
  return { found: needed.filter((port) => !left.has(port)), picked };
}

function toRanges(ports: readonly number[]): Range[] {
  const ranges: Range[] = [];
  for (const port of [...ports].sort((a, b) => a - b)) {
    const last = ranges.at(-1);
    if (last !== undefined && last.end + 1 === port) last.end = port;
    else ranges.push({ begin: port, end: port });
  }
  return ranges;
}

/** All of a resource but its amount: which kind, reserved how, allocated to whom. */
function identityOf(resource: Resource): Resource {
  const { scalar: _scalar, ranges: _ranges, set: _set, ...identity } = resource;
  return identity;
}
