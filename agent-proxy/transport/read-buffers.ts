/**
 * The rule for bytes that were read: they are good until the callback that brought them returns, unless `keep` was asked
 * for them. Plain connections read into one buffer that all of them share; for TLS Node makes a buffer for each read, so
 * keeping costs nothing. Tests run in a mode that overwrites every buffer after its callback, which shows at once who kept
 * one without asking (`poison`).
 */

/** What a read of the kernel brings at most, as in Node's own reads. */
const SHARED_BYTES = 64 * 1024;
export const SHARED_BUFFER = Buffer.allocUnsafeSlow(SHARED_BYTES);

let poisoning = false;

/** From now on every buffer is overwritten after its callback. For tests; never undone. */
export function poisonReadBuffers(): void {
  poisoning = true;
}

/** These bytes for longer than the callback. */
export function keep(bytes: Buffer, from: number, to: number): Buffer {
  if (poisoning || bytes === SHARED_BUFFER) return Buffer.from(bytes.subarray(from, to));
  return from === 0 && to === bytes.length ? bytes : bytes.subarray(from, to);
}

/** The callback for these bytes has returned. */
export function done(bytes: Buffer, end: number): void {
  if (poisoning) bytes.fill(POISON, 0, end);
}

/** `X`: shows up in a text as what it is. */
const POISON = 0x58;
