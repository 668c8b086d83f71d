/**
 * Reads a configuration file: YAML or JSON, `-` for standard input. Either all of it is right, or all that is wrong is
 * told at once. Nothing outside of the file is looked at: what it names may be missing and come later.
 */
import { readFileSync } from 'node:fs';
import { conflictsOf } from './conflicts.ts';
import { readDocument } from './document.ts';
import { faultsOf } from './faults.ts';
import { isRecord } from './schema/keys.ts';
import { linkerd, type ProxyConfig } from './schema/linkerd.ts';
import { schemaTree, withoutEmptyKeys } from './schema-tree.ts';
import { warningsOf } from './warnings.ts';

export type { ProxyConfig } from './schema/linkerd.ts';

/** Characters of one fault, at most. */
const MAX_FAULT = 1_000;

/** A configuration that cannot be used. `message` has one line for each fault, with the file in front of it. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly exitCode = 1;
  /** One line each: the place in the file, and what is wrong there. */
  readonly faults: readonly string[];

  constructor(where: string, faults: readonly string[]) {
    const lines = faults.map(oneLine);
    super(lines.map((line) => `${where}: ${line}`).join('\n'));
    this.faults = lines;
  }
}

export interface LoadedConfig {
  readonly config: ProxyConfig;
  /** One line each: the place in the file, and what does not do what one may expect. */
  readonly warnings: readonly string[];
}

/** Throws {@link ConfigError}. */
export function loadConfig(file: string): LoadedConfig {
  const where = file === '-' ? 'standard input' : file;
  return parseConfig(read(file, where), where);
}

/** `where` names the text in messages. Throws {@link ConfigError}. */
export function parseConfig(text: string, where: string): LoadedConfig {
  const document = readDocument(text);
  if (document.kind === 'bad') throw new ConfigError(where, document.faults);
  if (isOfNamerd(document.value)) throw new ConfigError(where, [OF_NAMERD]);
  return checkConfig(document.value, where);
}

/** The same for a document that was read already: from the control stream. Throws {@link ConfigError}. */
export function checkConfig(document: unknown, where: string): LoadedConfig {
  const root = schemaTree();
  const written = withoutEmptyKeys(root, document);
  const result = linkerd.safeParse(written);
  const faults = [...(result.success ? [] : faultsOf(result.error, written, root)), ...conflictsOf(written)];
  if (!result.success || faults.length > 0) throw new ConfigError(where, faults);
  return { config: result.data, warnings: warningsOf(written, result.data, root) };
}

const OF_NAMERD =
  "configuration: is namerd's own (it has storage or interfaces); nodemesh proxy reads linkerd's, which has routers";

function isOfNamerd(document: unknown): boolean {
  return isRecord(document) && !('routers' in document) && ('storage' in document || 'interfaces' in document);
}

function read(file: string, where: string): string {
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (error) {
    throw new ConfigError(where, [`cannot be read: ${error instanceof Error ? error.message : String(error)}`]);
  }
}

/** A fault may quote what was written: whatever that is, it stays on its line, and short. */
function oneLine(fault: string): string {
  const shown = fault.replace(
    /[\p{Cc}\u2028\u2029]/gu,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return shown.length <= MAX_FAULT ? shown : `${shown.slice(0, MAX_FAULT)}…`;
}
