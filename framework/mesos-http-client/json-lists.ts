/**
 * Large JSON in pieces: the elements of its long lists are found by their bytes and handed out one by one, so that none of
 * the work on them holds up the process for long. What is left is the same JSON with these lists empty.
 *
 * It looks for ends only (of texts, objects and lists); whether a piece is JSON, the parser says.
 */

export interface ListElement {
  /** The keys that lead to the list. */
  readonly path: readonly string[];
  /** The element is `bytes.subarray(from, to)`. */
  readonly from: number;
  readonly to: number;
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_LIST = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/**
 * Hands out the elements of every list that `depth` keys lead to, in their order; returns the rest as text.
 * @throws {SyntaxError} where something begins and never ends.
 */
export function* cutLists(bytes: Uint8Array, depth: number): Generator<ListElement, string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let rest = '';
  let keptTo = 0;

  function* value(from: number, path: readonly string[]): Generator<ListElement, number> {
    const at = skipSpace(bytes, from);
    if (bytes[at] === OPEN_LIST && path.length === depth) return yield* elements(at, path);
    if (bytes[at] === OPEN_OBJECT && path.length < depth) return yield* members(at, path);
    return skipValue(bytes, at);
  }

  function* members(from: number, path: readonly string[]): Generator<ListElement, number> {
    let at = skipSpace(bytes, from + 1);
    while (bytes[at] === QUOTE) {
      const end = skipText(bytes, at);
      // A key with an escape in it is none of those that lead to a list: it is never read as what it means.
      const key = decoder.decode(bytes.subarray(at + 1, end - 1));
      at = skipSpace(bytes, end);
      if (bytes[at] !== COLON) break;
      at = skipSpace(bytes, yield* value(at + 1, [...path, key]));
      if (bytes[at] !== COMMA) break;
      at = skipSpace(bytes, at + 1);
    }
    if (bytes[at] !== CLOSE_OBJECT) throw new SyntaxError(`the object at byte ${from} is none at byte ${at}`);
    return at + 1;
  }

  function* elements(from: number, path: readonly string[]): Generator<ListElement, number> {
    let at = skipSpace(bytes, from + 1);
    if (bytes[at] === CLOSE_LIST) return at + 1;
    rest += decoder.decode(bytes.subarray(keptTo, from + 1));
    for (;;) {
      const end = skipValue(bytes, at);
      yield { path, from: at, to: end };
      at = skipSpace(bytes, end);
      if (bytes[at] === CLOSE_LIST) break;
      if (bytes[at] !== COMMA) throw new SyntaxError(`the list at byte ${from} is none at byte ${at}`);
      at = skipSpace(bytes, at + 1);
    }
    keptTo = at;
    return at + 1;
  }

  const end = yield* value(0, []);
  if (skipSpace(bytes, end) !== bytes.length) throw new SyntaxError(`there is more after the end, at byte ${end}`);
  return rest + decoder.decode(bytes.subarray(keptTo));
}

/** RFC 8259, section 2: space, tab, line feed and carriage return. */
function skipSpace(bytes: Uint8Array, from: number): number {
  let at = from;
  for (;;) {
    const byte = bytes[at];
    if (byte !== 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d) return at;
    at += 1;
  }
}

/** `from` is at the first quotation mark. */
function skipText(bytes: Uint8Array, from: number): number {
  let at = from + 1;
  while (at < bytes.length) {
    const byte = bytes[at];
    if (byte === QUOTE) return at + 1;
    at += byte === BACKSLASH ? 2 : 1;
  }
  throw new SyntaxError(`the text at byte ${from} does not end`);
}

/** To the end of what begins at `from`; a number or a word ends where a comma, a bracket or the end is. */
function skipValue(bytes: Uint8Array, from: number): number {
  let at = from;
  let open = 0;
  while (at < bytes.length) {
    const byte = bytes[at];
    if (byte === QUOTE) {
      at = skipText(bytes, at);
      if (open === 0) return at;
      continue;
    }
    if (byte === OPEN_OBJECT || byte === OPEN_LIST) {
      open += 1;
    } else if (byte === CLOSE_OBJECT || byte === CLOSE_LIST) {
      if (open === 0) return at;
      open -= 1;
      if (open === 0) return at + 1;
    } else if (byte === COMMA && open === 0) {
      return at;
    }
    at += 1;
  }
  if (open > 0) throw new SyntaxError(`what begins at byte ${from} does not end`);
  return at;
}
