/**
 * The elements of one long array in a JSON document, found as its bytes arrive, so that no part of the document is held
 * that is not needed any more, and none is parsed that takes long. It looks at no more than the structure: whether an
 * element is JSON, its parser says.
 */
import type { Slices } from './slices.ts';

/** JSON of this size is parsed in a millisecond or two. */
const SMALL_BYTES = 256 * 1024;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const SPACE = 0x20;

export class JsonElements {
  readonly #key: string | null;
  #depth = 0;
  #inText = false;
  #escaped = false;
  /** The last text at the depth of the document's own keys: before a bracket, that is its key. */
  #text = '';
  /** The array's depth while inside it, 0 outside. */
  #array = 0;
  #found = false;
  #foreign = false;
  /** Bytes of the element on its way that came with earlier chunks; null between elements. */
  #pending: Buffer[] | null = null;
  #offset = 0;
  /** Where the element on its way, or the text of a key, begins in the chunk of now. */
  #start = 0;
  #from = 0;
  #to = 0;

  /** The array that stands under `key` in the document, or the document itself where that is null. */
  constructor(key: string | null) {
    this.#key = key;
  }

  /** The elements that are complete with this chunk, each an object or an array; others are left out. */
  *write(chunk: Buffer): Generator<Buffer> {
    this.#start = 0;
    for (let index = 0; index < chunk.length; index++) {
      const byte = chunk[index] ?? 0;
      if (this.#inText) this.#readText(chunk, index, byte);
      else if (byte === QUOTE) this.#beginText(index);
      else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) this.#open(index, byte);
      else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
        const element = this.#close(chunk, index);
        if (element !== null) yield element;
      } else if (this.#depth === 0 && byte > SPACE) {
        // Of a document that is something else from its first byte, nothing is to be believed.
        this.#foreign = true;
      }
    }
    if (this.#pending !== null) this.#pending.push(chunk.subarray(this.#start));
    else if (this.#inText && this.#depth === 1) this.#text += chunk.toString('latin1', this.#start);
    this.#offset += chunk.length;
  }

  /** It was a whole document with the array in it. */
  get isComplete(): boolean {
    return this.#found && !this.#foreign && this.#depth === 0 && !this.#inText;
  }

  /** Where the array stands, in bytes from the beginning; null where there is none. */
  get range(): readonly [from: number, to: number] | null {
    return this.#found && this.#to > this.#from ? [this.#from, this.#to] : null;
  }

  #beginText(index: number): void {
    this.#inText = true;
    if (this.#depth !== 1 || this.#pending !== null) return;
    this.#text = '';
    this.#start = index + 1;
  }

  #readText(chunk: Buffer, index: number, byte: number): void {
    if (this.#escaped) this.#escaped = false;
    else if (byte === BACKSLASH) this.#escaped = true;
    else if (byte === QUOTE) {
      this.#inText = false;
      if (this.#depth === 1 && this.#pending === null) this.#text += chunk.toString('latin1', this.#start, index);
    }
  }

  #open(index: number, byte: number): void {
    if (this.#depth === 0) this.#foreign ||= this.#found || (byte === OPEN_BRACKET) !== (this.#key === null);
    if (byte === OPEN_BRACKET && this.#isTheArray()) {
      this.#array = this.#depth + 1;
      this.#found = true;
      this.#from = this.#offset + index;
    } else if (this.#array > 0 && this.#depth === this.#array) {
      this.#pending = [];
      this.#start = index;
    }
    this.#depth++;
  }

  /** The element that ends here. */
  #close(chunk: Buffer, index: number): Buffer | null {
    this.#depth--;
    if (this.#depth < this.#array) {
      this.#array = 0;
      this.#to = this.#offset + index + 1;
    }
    if (this.#pending === null || this.#depth !== this.#array) return null;
    const part = chunk.subarray(this.#start, index + 1);
    const element = this.#pending.length === 0 ? part : Buffer.concat([...this.#pending, part]);
    this.#pending = null;
    return element;
  }

  #isTheArray(): boolean {
    if (this.#array > 0 || this.#found) return false;
    return this.#key === null ? this.#depth === 0 : this.#depth === 1 && this.#text === this.#key;
  }
}

/**
 * An object as JSON.parse gives it. A large one is parsed element by element of the array that it has under `key` (an
 * app's tasks), which is nearly all of it. @throws {SyntaxError}
 */
export async function parsedInSlices(bytes: Buffer, key: string, slices: Slices): Promise<unknown> {
  if (bytes.length < SMALL_BYTES) return JSON.parse(bytes.toString('utf8'));
  const elements = new JsonElements(key);
  const values: unknown[] = [];
  for (let at = 0; at < bytes.length; at += SMALL_BYTES) {
    for (const element of elements.write(bytes.subarray(at, at + SMALL_BYTES))) {
      values.push(JSON.parse(element.toString('utf8')));
    }
    await slices.pause();
  }
  const { range } = elements;
  if (range === null) return JSON.parse(bytes.toString('utf8'));
  const [from, to] = range;
  const rest = `${bytes.toString('utf8', 0, from)}[]${bytes.toString('utf8', to)}`;
  const value: unknown = JSON.parse(rest);
  if (typeof value === 'object' && value !== null) Reflect.set(value, key, values);
  return value;
}
