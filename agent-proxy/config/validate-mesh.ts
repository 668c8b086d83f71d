/** For the scheduler: whether a text is a configuration for the proxies of a mesh, and where what is wrong with it stands. */
import { MAX_DOCUMENT_BYTES } from '../control/contract.ts';
import { readDocument } from './document.ts';
import { checkMeshDocument } from './mesh-document.ts';
import { type Position, positionsIn } from './positions.ts';
import type { ProxyConfig } from './schema/linkerd.ts';
import type { MeshListen } from './spec.ts';

export interface ConfigFault extends Position {
  /** As in the document: `routers[0].client.loadBalancer`; empty for the document itself. */
  readonly path: string;
  readonly message: string;
}

export interface ValidatedConfig {
  /** The value of the text; undefined where it cannot be read. */
  readonly document: unknown;
  /** With all defaults; undefined where something is wrong. */
  readonly effective: ProxyConfig | undefined;
  readonly errors: readonly ConfigFault[];
  /** One line each. */
  readonly warnings: readonly string[];
}

const SAMPLE: MeshListen = {
  ip: '0.0.0.0',
  isFixed: false,
  ports: { outgoing: 4140, incoming: 4141, admin: 9990, edge: 4143 },
};

/** `text` is YAML or JSON; an empty one says nothing, so that all defaults hold. */
export function validateMeshConfig(text: string, ports: MeshListen['ports'] = SAMPLE.ports): ValidatedConfig {
  const read = readDocument(text);
  const positionOf = positionsIn(text);
  if (read.kind === 'bad') return refused(undefined, read.faults, positionOf);
  const document = read.value ?? {};
  const bytes = Buffer.byteLength(JSON.stringify(document));
  if (bytes > MAX_DOCUMENT_BYTES) {
    const fault = `configuration: has ${bytes} bytes as JSON, and at most ${MAX_DOCUMENT_BYTES} can be sent to a proxy`;
    return refused(document, [fault], positionOf);
  }
  const checked = checkMeshDocument(document, { ...SAMPLE, ports });
  if (checked.kind === 'bad') return refused(document, checked.faults, positionOf);
  return { document, effective: checked.config, errors: [], warnings: checked.warnings };
}

function refused(
  document: unknown,
  faults: readonly string[],
  positionOf: (shown: string) => Position,
): ValidatedConfig {
  return { document, effective: undefined, errors: faults.map((fault) => faultAt(fault, positionOf)), warnings: [] };
}

function faultAt(fault: string, positionOf: (shown: string) => Position): ConfigFault {
  const [, line, column, sentence] = /^line (\d+), column (\d+): (.*)$/s.exec(fault) ?? [];
  if (sentence !== undefined) return { path: '', line: Number(line), column: Number(column), message: sentence };
  const [, place = '', message = fault] = /^(\S+): (.*)$/s.exec(fault) ?? [];
  const path = place === 'configuration' ? '' : place;
  return { path, ...positionOf(path), message };
}
