/**
 * `l5d-ctx-trace`, byte for byte as Finagle writes a `TraceId`: base64 of span id, parent id, trace id and flags, 64 bits
 * each, big-endian; with the upper half of the trace id behind them where it has 128 bits.
 *
 * Every request carries it, so reading and writing are spelled out here: `Buffer`'s own base64 takes five times as long for
 * so few bytes.
 */
import type { TraceContext } from './context.ts';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const NARROW_DIGITS = 43;
const WIDE_DIGITS = 54;

/** The value of each base64 digit, −1 for other bytes. */
const VALUE_OF = new Int8Array(256).fill(-1);
for (let value = 0; value < ALPHABET.length; value += 1) VALUE_OF[ALPHABET.charCodeAt(value)] = value;

/** Sets the context to what the header says. False, and the context undefined, where the header is malformed. */
export function readLinkerdHeader(text: string, into: TraceContext): boolean {
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  const digits = text.length - padding;
  if (digits !== NARROW_DIGITS && digits !== WIDE_DIGITS) return false;

  // Four digits are 24 bits; −1 anywhere makes the group negative.
  const g0 = group(text, 0);
  const g1 = group(text, 4);
  const g2 = group(text, 8);
  const g3 = group(text, 12);
  const g4 = group(text, 16);
  const g5 = group(text, 20);
  const g6 = group(text, 24);
  const g7 = group(text, 28);
  const g8 = group(text, 32);
  const g9 = group(text, 36);
  const g10 = (digit(text, 40) << 18) | (digit(text, 41) << 12) | (digit(text, 42) << 6);
  if ((g0 | g1 | g2 | g3 | g4 | g5 | g6 | g7 | g8 | g9 | g10) < 0) return false;

  into.span0 = (g0 << 8) | (g1 >>> 16);
  into.span1 = (g1 << 16) | (g2 >>> 8);
  into.parent0 = (g2 << 24) | g3;
  into.parent1 = (g4 << 8) | (g5 >>> 16);
  into.trace2 = (g5 << 16) | (g6 >>> 8);
  into.trace3 = (g6 << 24) | g7;
  into.flags = (g9 << 16) | (g10 >>> 8);
  into.decidedByRate = false;
  // Zero is no id, and collectors refuse a whole batch for it.
  if ((into.span0 | into.span1) === 0 || (into.trace2 | into.trace3) === 0) return false;
  if (digits === NARROW_DIGITS) {
    into.trace0 = 0;
    into.trace1 = 0;
    return true;
  }
  return readUpperHalf(text, g10, into);
}

function readUpperHalf(text: string, g10: number, into: TraceContext): boolean {
  const shared = g10 | digit(text, 43);
  const g11 = group(text, 44);
  const g12 = group(text, 48);
  const g13 = (digit(text, 52) << 18) | (digit(text, 53) << 12);
  if ((shared | g11 | g12 | g13) < 0) return false;
  into.trace0 = (shared << 24) | g11;
  into.trace1 = (g12 << 8) | (g13 >>> 16);
  return true;
}

function digit(text: string, index: number): number {
  return VALUE_OF[text.charCodeAt(index)] ?? -1;
}

function group(text: string, index: number): number {
  return (
    (digit(text, index) << 18) | (digit(text, index + 1) << 12) | (digit(text, index + 2) << 6) | digit(text, index + 3)
  );
}

/** The two base64 digits of twelve bits, as two bytes: whatever the machine's byte order, they are stored as they are. */
const PAIRS = base64Pairs();

function base64Pairs(): Uint16Array {
  const bytes = new Uint8Array(2 * 4096);
  for (let bits = 0; bits < 4096; bits += 1) {
    bytes[2 * bits] = ALPHABET.charCodeAt(bits >>> 6);
    bytes[2 * bits + 1] = ALPHABET.charCodeAt(bits & 63);
  }
  return new Uint16Array(bytes.buffer);
}

const HEX_DIGITS = Buffer.from('0123456789abcdef', 'latin1');

/** The lines as a form to fill in. It begins at an odd byte, so that the base64 pairs begin at an even one. */
const START = 1;
const TRACE_AT = START + 'l5d-ctx-trace: '.length;
const FORM = `l5d-ctx-trace: ${'A'.repeat(NARROW_DIGITS)}=\r\nl5d-reqid: ${'0'.repeat(16)}\r\n`;
const ID_AT = START + FORM.indexOf('0000');
const END = START + FORM.length;

/** Writes the lines `l5d-ctx-trace` and `l5d-reqid` (the trace id), over and over into one buffer. */
export class LinkerdHeaderWriter {
  private readonly bytes = Buffer.from(new ArrayBuffer(128));
  private readonly pairs = new Uint16Array(this.bytes.buffer);

  constructor() {
    this.bytes.write(FORM, START, 'latin1');
  }

  lines(context: TraceContext): string {
    if (context.isWide) return wideLines(context);
    const { trace2, trace3, flags } = context;
    this.writeWords(TRACE_AT / 2, context.span0, context.span1, context.parent0);
    this.writeWords(TRACE_AT / 2 + 8, context.parent1, trace2, trace3);
    // The upper word of the flags is zero, and its five digits stand in the form.
    const { pairs } = this;
    pairs[TRACE_AT / 2 + 18] = PAIRS[flags >>> 28] ?? 0;
    pairs[TRACE_AT / 2 + 19] = PAIRS[(flags >>> 16) & 4095] ?? 0;
    pairs[TRACE_AT / 2 + 20] = PAIRS[(flags >>> 4) & 4095] ?? 0;
    this.bytes[TRACE_AT + 42] = ALPHABET.charCodeAt((flags & 15) << 2);
    this.writeHex(ID_AT, trace2);
    this.writeHex(ID_AT + 8, trace3);
    return this.bytes.toString('latin1', START, END);
  }

  /** Three words are sixteen digits. */
  private writeWords(at: number, a: number, b: number, c: number): void {
    const { pairs } = this;
    pairs[at] = PAIRS[a >>> 20] ?? 0;
    pairs[at + 1] = PAIRS[(a >>> 8) & 4095] ?? 0;
    pairs[at + 2] = PAIRS[((a & 255) << 4) | (b >>> 28)] ?? 0;
    pairs[at + 3] = PAIRS[(b >>> 16) & 4095] ?? 0;
    pairs[at + 4] = PAIRS[(b >>> 4) & 4095] ?? 0;
    pairs[at + 5] = PAIRS[((b & 15) << 8) | (c >>> 24)] ?? 0;
    pairs[at + 6] = PAIRS[(c >>> 12) & 4095] ?? 0;
    pairs[at + 7] = PAIRS[c & 4095] ?? 0;
  }

  private writeHex(at: number, word: number): void {
    const { bytes } = this;
    for (let digit = 0; digit < 8; digit += 1) bytes[at + digit] = HEX_DIGITS[(word >>> (28 - 4 * digit)) & 15] ?? 0;
  }
}

/** Ids of 128 bits are rare here: they come from other tracers. */
function wideLines(context: TraceContext): string {
  const words = [context.span0, context.span1, context.parent0, context.parent1, context.trace2, context.trace3];
  const bytes = Buffer.alloc(40);
  [...words, 0, context.flags, context.trace0, context.trace1].forEach((word, index) => {
    bytes.writeInt32BE(word, 4 * index);
  });
  return `l5d-ctx-trace: ${bytes.toString('base64')}\r\nl5d-reqid: ${context.traceId}\r\n`;
}
