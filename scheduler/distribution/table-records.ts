/** Snapshots and deltas as records, put together from entries that are encoded already. */
import type { MeshDocument, PeerAgent } from '../../agent-proxy/control/contract.ts';
import type { DeltaParts } from './delta-cutter.ts';
import { type EndpointEntries, type Entry, serviceBytes } from './entries.ts';
import { encodeFrame, encodeText, packBySize, RECORD_BUDGET } from './records.ts';

export interface SnapshotParts {
  readonly services: ReadonlyMap<string, EndpointEntries>;
  readonly agents: Iterable<Entry<PeerAgent>>;
  readonly documents: Iterable<Entry<MeshDocument>>;
  readonly digest: string;
}

interface Piece {
  readonly json: string;
  readonly bytes: number;
}

/** A large service is spread over several records. */
export function snapshotRecords(epoch: number, revision: number, parts: SnapshotParts): Buffer[] {
  const pages = (type: 'services' | 'agents' | 'documents', pieces: Iterable<Piece>): Buffer[] =>
    packBySize(pieces, ({ bytes }) => bytes).map((page) =>
      encodeText(`{"type":"${type}","epoch":${epoch},"revision":${revision},"${type}":[${jsonOf(page)}]}`),
    );
  return [
    encodeFrame({ type: 'snapshot-begin', epoch, revision }),
    ...pages('services', servicePieces(parts.services)),
    ...pages('agents', parts.agents),
    ...pages('documents', parts.documents),
    encodeFrame({ type: 'snapshot-end', epoch, revision, digest: parts.digest }),
  ];
}

export function deltaRecord(epoch: number, base: number, parts: DeltaParts): Buffer {
  const upsert = [...parts.upsert].map(([name, entries]) => serviceJson(name, entries));
  const patch = [...parts.patch].map(
    ([name, { set, unset }]) =>
      `{"service":${JSON.stringify(name)},"set":[${jsonOf(set)}],"unset":${JSON.stringify(unset)}}`,
  );
  return encodeText(
    `{"type":"delta","epoch":${epoch},"base":${base},"revision":${base + 1},"upsert":[${upsert.join(',')}],` +
      `"remove":${JSON.stringify(parts.remove)},"patch":[${patch.join(',')}],"agents":[${jsonOf(parts.agents)}],` +
      `"agentsRemoved":${JSON.stringify(parts.agentsRemoved)},"documents":[${jsonOf(parts.documents)}],` +
      `"documentsRemoved":[${jsonOf(parts.documentsRemoved)}]}`,
  );
}

function* servicePieces(services: SnapshotParts['services']): Generator<Piece> {
  for (const [name, entries] of services) {
    const head = serviceBytes(name);
    // A service without endpoints is a piece too: it is known.
    const groups = entries.size === 0 ? [[]] : packBySize(entries.values(), ({ bytes }) => bytes, RECORD_BUDGET - head);
    for (const group of groups) {
      const json = serviceJson(name, group);
      yield { json, bytes: Buffer.byteLength(json) };
    }
  }
}

function serviceJson(name: string, entries: readonly Piece[]): string {
  return `{"name":${JSON.stringify(name)},"endpoints":[${jsonOf(entries)}]}`;
}

function jsonOf(pieces: readonly Piece[]): string {
  return pieces.map(({ json }) => json).join(',');
}
