/**
 * Cuts a control stream into its records, each with the length in front of it (`<decimal length>\n<bytes>`), so that it
 * can be handed on as it is. What is in a record is nobody's business here.
 */
const NEWLINE = 0x0a;
/** A stream whose record is longer is none. */
const MAX_RECORD_BYTES = 4 * 1024 * 1024;
const MAX_DIGITS = 7;

export class RecordCutter {
  #rest: Buffer = Buffer.alloc(0);

  /** The records that this chunk completes. @throws where the bytes are no records. */
  push(chunk: Buffer): Buffer[] {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const records: Buffer[] = [];
    let at = 0;
    for (;;) {
      const end = endOf(bytes, at);
      if (end === null || end > bytes.length) break;
      records.push(bytes.subarray(at, end));
      at = end;
    }
    this.#rest = bytes.subarray(at);
    return records;
  }
}

/** Where the record that begins at `at` ends; null while its length is not complete. */
function endOf(bytes: Buffer, at: number): number | null {
  const newline = bytes.subarray(at, at + MAX_DIGITS + 1).indexOf(NEWLINE);
  if (newline < 0) {
    if (bytes.length - at > MAX_DIGITS) throw new Error('the stream is not one of records');
    return null;
  }
  const digits = bytes.toString('latin1', at, at + newline);
  const length = /^\d+$/.test(digits) ? Number(digits) : Number.NaN;
  if (!(length <= MAX_RECORD_BYTES)) throw new Error('the stream is not one of records');
  return at + newline + 1 + length;
}

/** Changes of the table, and of the endpoints beside it (scope `bound`). */
const DELTA = /^\d+\n\{"type":"(?:delta|endpoints|endpoints-patch|forget)"/;

export function isDelta(record: Buffer): boolean {
  return DELTA.test(record.toString('latin1', 0, 40));
}
