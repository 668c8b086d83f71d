/** A table as the frames of a snapshot, as a scheduler would send it: for a worker that has none, or an old one. */
import type { Endpoint, Service } from '../control/contract.ts';
import type { ServiceTable, TableContents, WorkerFrame } from '../routing/service-table.ts';

/** Each takes some hundred bytes, and no record may have more than 64 kB. */
const ENDPOINTS_A_FRAME = 50;
const AGENTS_A_FRAME = 200;
/** One may have 48 kB. */
const DOCUMENTS_A_FRAME = 1;

/** The table as it is now, however slowly the frames are taken. */
export function tableFrames(table: ServiceTable, epoch: number): Generator<WorkerFrame> {
  return frames(table.contents(), table.digest(), table.filledDigests(), epoch);
}

function* frames(
  { revision, services, agents, documents, filled }: TableContents,
  digest: string,
  filledDigests: readonly (readonly [string, string])[],
  epoch: number,
): Generator<WorkerFrame> {
  // Endpoints that came one by one go first: nobody is without them when the table, which has none, takes its place.
  const digests = new Map(filledDigests);
  for (const service of filled) yield* fillFrames(service, digests.get(service.name) ?? '', epoch);
  yield { type: 'snapshot-begin', epoch, revision };
  let some: Service[] = [];
  let room = ENDPOINTS_A_FRAME;
  for (const { name, endpoints } of services) {
    let rest: readonly Endpoint[] = endpoints;
    do {
      some.push({ name, endpoints: rest.slice(0, room) });
      // A service without endpoints takes room too.
      const taken = Math.max(1, Math.min(rest.length, room));
      rest = rest.slice(taken);
      room -= taken;
      if (room > 0) continue;
      yield { type: 'services', epoch, revision, services: some };
      some = [];
      room = ENDPOINTS_A_FRAME;
    } while (rest.length > 0);
  }
  if (some.length > 0) yield { type: 'services', epoch, revision, services: some };
  for (let from = 0; from < agents.length; from += AGENTS_A_FRAME) {
    yield { type: 'agents', epoch, revision, agents: agents.slice(from, from + AGENTS_A_FRAME) };
  }
  for (let from = 0; from < documents.length; from += DOCUMENTS_A_FRAME) {
    yield { type: 'documents', epoch, revision, documents: documents.slice(from, from + DOCUMENTS_A_FRAME) };
  }
  yield { type: 'snapshot-end', epoch, revision, digest };
  yield { type: 'keep', services: filled.map(({ name }) => name) };
}

function* fillFrames({ name, endpoints }: Service, digest: string, epoch: number): Generator<WorkerFrame> {
  const parts = Math.max(1, Math.ceil(endpoints.length / ENDPOINTS_A_FRAME));
  for (let part = 0; part < parts; part += 1) {
    const some = endpoints.slice(part * ENDPOINTS_A_FRAME, (part + 1) * ENDPOINTS_A_FRAME);
    const last = part === parts - 1;
    yield { type: 'endpoints', epoch, seq: 0, service: name, part, last, digest, endpoints: some };
  }
}
