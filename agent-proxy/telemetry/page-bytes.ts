/**
 * A page of text that is put together as bytes, in one buffer that is used again for its next part. A page of 10 MB made of
 * strings is 30 MB that the collector has to look at, some of which lives long enough to be taken for old.
 */

/** Grows where a piece needs more. */
const FIRST_BYTES = 64 * 1024;
/** What the longest number takes. */
const MOST_DIGITS = 32;

const ZERO = 0x30;
const POINT = 0x2e;
/** Up to here a number of thousandths is shown by JavaScript as its digits say, since a double holds 15 of them. */
const MOST_THOUSANDTHS = 1e15;

export class PageBytes {
  /** Bytes that were written since the last `take`. */
  length = 0;
  private bytes = Buffer.allocUnsafeSlow(FIRST_BYTES);

  /** What was written since the last time. Good until more is written. */
  take(): Buffer {
    const taken = this.bytes.subarray(0, this.length);
    this.length = 0;
    return taken;
  }

  text(text: string): void {
    const most = text.length * 3;
    this.makeRoom(most);
    this.length += this.bytes.write(text, this.length, 'utf8');
  }

  add(known: Uint8Array): void {
    this.makeRoom(known.length);
    this.bytes.set(known, this.length);
    this.length += known.length;
  }

  octet(octet: number): void {
    this.makeRoom(1);
    this.bytes[this.length] = octet;
    this.length += 1;
  }

  /** As JavaScript shows it, rounded to three digits behind the point. */
  number(value: number): void {
    const thousandths = Math.round(value * 1_000);
    if (!(thousandths >= 0 && thousandths < MOST_THOUSANDTHS) || Object.is(value, -0)) {
      this.text(String(Number.isInteger(value) ? value : thousandths / 1_000));
      return;
    }
    this.makeRoom(MOST_DIGITS);
    const whole = Math.floor(thousandths / 1_000);
    let rest = thousandths - whole * 1_000;
    this.digits(whole);
    if (rest === 0) return;
    this.octet(POINT);
    for (let unit = 100; rest > 0; unit /= 10) {
      const digit = Math.floor(rest / unit);
      this.octet(ZERO + digit);
      rest -= digit * unit;
    }
  }

  private digits(whole: number): void {
    let count = 1;
    for (let limit = 10; whole >= limit; limit *= 10) count += 1;
    const { bytes, length } = this;
    let rest = whole;
    for (let index = length + count - 1; index >= length; index -= 1) {
      const tens = Math.floor(rest / 10);
      bytes[index] = ZERO + rest - tens * 10;
      rest = tens;
    }
    this.length = length + count;
  }

  private makeRoom(bytes: number): void {
    const wanted = this.length + bytes;
    if (wanted <= this.bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(wanted, this.bytes.length * 2));
    this.bytes.copy(grown, 0, 0, this.length);
    this.bytes = grown;
  }
}
