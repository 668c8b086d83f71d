/** Ids as hexadecimal digits. By tables, because a trace from OpenTelemetry costs some hundred digits a request. */

const PAIRS: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** The value of each digit, −1 for other bytes. */
const VALUE_OF = new Int8Array(256).fill(-1);
for (let value = 0; value < 16; value += 1) {
  const digit = value.toString(16);
  VALUE_OF[digit.charCodeAt(0)] = value;
  VALUE_OF[digit.toUpperCase().charCodeAt(0)] = value;
}

/** A word as eight digits. */
export function showWord(word: number): string {
  return pair(word >>> 24) + pair((word >>> 16) & 255) + pair((word >>> 8) & 255) + pair(word & 255);
}

function pair(byte: number): string {
  return PAIRS[byte] ?? '';
}

/** The word that eight digits from `offset` write. */
export function readWord(text: string, offset: number): number {
  let word = 0;
  for (let index = offset; index < offset + 8; index += 1) {
    word = (word << 4) | (VALUE_OF[text.charCodeAt(index)] ?? 0);
  }
  return word;
}

/** Whether there are nothing but digits from `from` up to `to`, of either case. */
export function isHex(text: string, from: number, to: number): boolean {
  let all = 0;
  for (let index = from; index < to; index += 1) all |= VALUE_OF[text.charCodeAt(index)] ?? -1;
  return to <= text.length && all >= 0;
}

/** Whether the text is an id of 64 or 128 bits, and not zero. */
export function isId(text: string): boolean {
  const { length } = text;
  if ((length !== 16 && length !== 32) || !isHex(text, 0, length)) return false;
  for (let index = 0; index < length; index += 8) if (readWord(text, index) !== 0) return true;
  return false;
}
