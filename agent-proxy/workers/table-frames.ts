/** A table as the frames of a snapshot, as a scheduler would send it: for a worker that has none, or an old one. */
import type { Endpoint, MeshDocument, PeerAgent, Service } from '../control/contract.ts';
import type { ServiceTable, TableFrame } from '../routing/service-table.ts';

/** Each takes some hundred bytes, and no record may have more than 64 kB. */
const ENDPOINTS_A_FRAME = 50;
const AGENTS_A_FRAME = 200;
/** One may have 48 kB. */
const DOCUMENTS_A_FRAME = 1;

interface Contents {
  readonly services: readonly Service[];
  readonly agents: readonly PeerAgent[];
  readonly documents: readonly MeshDocument[];
}

/** The table as it is now, however slowly the frames are taken. */
export function tableFrames(table: ServiceTable, epoch: number): Generator<TableFrame> {
  const { revision } = table;
  const contents = {
    services: [...table.services()],
    agents: [...table.agents()],
    documents: [...table.allDocuments()],
  };
  return frames(contents, revision, table.digest(), epoch);
}

function* frames(
  { services, agents, documents }: Contents,
  revision: number,
  digest: string,
  epoch: number,
): Generator<TableFrame> {
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
}
