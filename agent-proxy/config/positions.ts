/** Where in a text (YAML, and with it JSON) the places of faults are. */
import { isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';

/** Both from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** A function from a place as `showPlace` writes it to where it is written, or else what is around it. */
export function positionsIn(text: string): (shown: string) => Position {
  const lines = new LineCounter();
  const { contents } = parseDocument(text, { uniqueKeys: false, lineCounter: lines });
  return (shown) => {
    let node: unknown = contents;
    let at = offsetOf(contents);
    for (const part of partsOf(shown)) {
      const step = within(node, part);
      if (step === null) break;
      node = step.node;
      at = step.at ?? at;
    }
    const { line, col } = lines.linePos(at ?? 0);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
}

function partsOf(shown: string): (string | number)[] {
  return [...shown.matchAll(/\[(\d+)\]|([^.[\]]+)/g)].map(([, index, key]) =>
    index === undefined ? (key ?? '') : Number(index),
  );
}

function within(node: unknown, part: string | number): { node: unknown; at: number | null } | null {
  if (isSeq<Node>(node) && typeof part === 'number') {
    const item = node.items[part];
    return item === undefined ? null : { node: item, at: offsetOf(item) };
  }
  if (!isMap(node)) return null;
  // The last of two keys of a name is the one too many.
  const pair = node.items.findLast(({ key }) => String(isScalar(key) ? key.value : key) === String(part));
  return pair === undefined ? null : { node: pair.value, at: offsetOf(pair.key) };
}

function offsetOf(node: unknown): number | null {
  if (typeof node !== 'object' || node === null || !('range' in node)) return null;
  const { range } = node;
  return Array.isArray(range) && typeof range[0] === 'number' ? range[0] : null;
}
