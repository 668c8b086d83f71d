/**
 * The text of a configuration as a plain value: YAML, and with it JSON. What cannot be read, and keys that stand twice in
 * one block, are faults with their place.
 */
import { type Document, isAlias, isMap, isScalar, isSeq, type Node, parseDocument, visit } from 'yaml';
import { type Place, showPlace } from './place.ts';

export type ReadDocument =
  | { readonly kind: 'ok'; readonly value: unknown }
  | { readonly kind: 'bad'; readonly faults: readonly string[] };

/** Where `127.1` is an address and not a number. */
const ADDRESS_KEYS: ReadonlySet<unknown> = new Set(['ip', 'host', 'hostname']);

export function readDocument(text: string): ReadDocument {
  const document = parseDocument(text, { uniqueKeys: false, prettyErrors: true });
  const faults = document.errors.map((error) => {
    const at = error.linePos?.[0];
    const sentence = (error.message.split('\n')[0] ?? '').replace(/ at line \d+, column \d+:?$/, '').replace(/:$/, '');
    return `${at === undefined ? '' : `line ${at.line}, column ${at.col}: `}is neither YAML nor JSON: ${sentence}`;
  });
  if (faults.length > 0) return { kind: 'bad', faults };
  const twice = document.contents === null ? [] : duplicates(document.contents, []);
  if (twice.length > 0) return { kind: 'bad', faults: twice };
  keepAddresses(document);
  try {
    return { kind: 'ok', value: document.toJS() };
  } catch (error) {
    // An alias without its anchor, or aliases that multiply.
    if (error instanceof ReferenceError)
      return { kind: 'bad', faults: [`configuration: cannot be read: ${error.message}`] };
    throw error;
  }
}

function duplicates(node: unknown, place: Place): string[] {
  if (isSeq<Node>(node)) return node.items.flatMap((item, index) => duplicates(item, [...place, index]));
  if (!isMap(node) || isAlias(node)) return [];
  const seen = new Set<string>();
  return node.items.flatMap(({ key, value }) => {
    const name = String(isScalar(key) ? key.value : key);
    const own = [...place, name];
    const fault = seen.has(name) ? [`${showPlace(own)}: stands here twice; keep one of the two`] : [];
    seen.add(name);
    return [...fault, ...duplicates(value, own)];
  });
}

function keepAddresses(document: Document): void {
  visit(document, {
    Pair(_, { key, value }) {
      if (!isScalar(key) || !ADDRESS_KEYS.has(key.value)) return;
      if (isScalar(value) && typeof value.value === 'number') value.value = value.source ?? String(value.value);
    },
  });
}
