/**
 * Makes a moved document one that the proxies take: what their validator finds fault with is taken out, key by key, and told
 * with the validator's own reason.
 */
import { isRecord } from '../../agent-proxy/config/schema/keys.ts';
import type { MeshListen } from '../../agent-proxy/config/spec.ts';
import { validateMeshConfig } from '../../agent-proxy/config/validate-mesh.ts';
import { type Draft, isEmpty } from './draft.ts';
import type { Origins } from './origins.ts';

/** Each round takes at least one key out. */
const MAX_ROUNDS = 1_000;

type Part = string | number;

/** `document` is changed in place. An empty document where nothing can be saved of it. */
export function fitted(
  document: Record<string, unknown>,
  ports: MeshListen['ports'],
  origins: Origins,
  place: string,
  draft: Draft,
): Record<string, unknown> {
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const { errors, warnings } = validateMeshConfig(JSON.stringify(document), ports);
    // One at a time: what is taken out may have been the cause of others, and moves what stands behind it in a list.
    const [fault] = errors.length > 0 ? errors : warnings.flatMap(withoutEffect);
    if (fault === undefined) {
      for (const warning of warnings) tellWarning(warning, document, origins, place, draft);
      return withoutEmpty(document);
    }
    const taken = takeOut(document, partsOf(fault.path), origins, place);
    if (taken === null) {
      draft.notUnderstood(place, document, `the proxies do not take it: ${fault.message}`);
      return {};
    }
    draft.leftOut(taken.place, taken.value, fault.message);
  }
  draft.notUnderstood(
    place,
    document,
    'the proxies do not take it, and it has too many faults to leave them out one by one',
  );
  return {};
}

interface Taken {
  readonly place: string;
  readonly value: unknown;
}

/** Removes what stands at a place, or the block that lacks it. */
function takeOut(
  document: Record<string, unknown>,
  path: readonly Part[],
  origins: Origins,
  root: string,
): Taken | null {
  if (path.length === 0) return null;
  // A block without its kind is nothing.
  const parts = path.at(-1) === 'kind' && path.length > 1 ? path.slice(0, -1) : path;
  const last = parts.at(-1);
  const { block, shown } = walk(document, parts.slice(0, -1), origins, root);
  if (last === undefined) return null;
  if (Array.isArray(block) && typeof last === 'number' && last < block.length) {
    const [value]: unknown[] = block.splice(last, 1);
    return { place: placeOf(value, origins) ?? `${shown}[${last}]`, value };
  }
  if (isMutable(block) && typeof last === 'string' && last in block) {
    const value = block[last];
    delete block[last];
    return { place: placeOf(value, origins) ?? `${shown}.${last}`, value };
  }
  return takeOut(document, parts.slice(0, -1), origins, root);
}

function walk(
  document: unknown,
  path: readonly Part[],
  origins: Origins,
  root: string,
): { block: unknown; shown: string } {
  let block = document;
  let shown = root;
  for (const part of path) {
    if (Array.isArray(block) && typeof part === 'number') block = block[part];
    // One item that was written without a list around it.
    else if (typeof part === 'number') continue;
    else block = isRecord(block) ? block[part] : undefined;
    shown = placeOf(block, origins) ?? (typeof part === 'number' ? `${shown}[${part}]` : `${shown}.${part}`);
  }
  return { block, shown };
}

/** What a proxy would warn of at each start. */
function withoutEffect(warning: string): { path: string; message: string }[] {
  const [, path, message] = /^(\S+): (has no effect: .*)$/s.exec(warning) ?? [];
  return path === undefined || message === undefined ? [] : [{ path, message }];
}

function withoutEmpty(document: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(document).filter(([, value]) => !isEmpty(value)));
}

function tellWarning(warning: string, document: unknown, origins: Origins, root: string, draft: Draft): void {
  const [, path = '', why = warning] = /^(\S+): (.*)$/s.exec(warning) ?? [];
  const { block, shown } = walk(document, partsOf(path), origins, root);
  draft.changed(shown, block ?? '', 'mesh.config', why);
}

const placeOf = (value: unknown, origins: Origins): string | undefined =>
  typeof value === 'object' && value !== null ? origins.placeOf(value) : undefined;

const isMutable = (value: unknown): value is Record<string, unknown> => isRecord(value);

function partsOf(shown: string): Part[] {
  return [...shown.matchAll(/\[(\d+)\]|([^.[\]]+)/g)].map(([, index, key]) =>
    index === undefined ? (key ?? '') : Number(index),
  );
}
