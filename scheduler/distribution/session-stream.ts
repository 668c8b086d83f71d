/**
 * One open control stream: writes records in order and as fast as the reader takes them. Records that wait are shared
 * buffers; a reader that falls too far behind, or takes nothing for too long, is dropped and subscribes again.
 */
import type { ServerResponse } from 'node:http';

/** What may wait besides a snapshot. */
const MAX_WAITING_BYTES = 4 * 1024 * 1024;
/** How long a reader may take nothing while something waits. */
const STALL_MS = 10_000;

interface Waiting {
  readonly record: Buffer;
  /** A snapshot may be larger than the limit on what waits, so it is not counted. */
  readonly counted: boolean;
}

export class SessionStream {
  readonly #response: ServerResponse;
  readonly #now: () => number;
  readonly #onClose: () => void;
  #waiting: Waiting[] = [];
  #countedBytes = 0;
  #blockedSince: number | null = null;
  #closed = false;

  /** `onClose` is called once, whoever ends the stream. */
  constructor(response: ServerResponse, now: () => number, onClose: () => void) {
    this.#response = response;
    this.#now = now;
    this.#onClose = onClose;
    response.on('drain', () => this.#flush());
    response.on('close', () => this.#finish());
    response.on('error', () => this.#finish());
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Queues records behind what waits. The reader is dropped when too much waits then. */
  send(records: readonly Buffer[]): void {
    this.#push(records, true);
    if (this.#countedBytes > MAX_WAITING_BYTES) this.drop();
  }

  /** Queues a snapshot, of any size. */
  sendSnapshot(records: readonly Buffer[]): void {
    this.#push(records, false);
  }

  /** True when something waits and nothing of it was taken for too long. */
  stalled(): boolean {
    return this.#blockedSince !== null && this.#now() - this.#blockedSince >= STALL_MS;
  }

  /** Ends the stream in order: what was written arrives. */
  end(): void {
    if (this.#closed) return;
    this.#response.end();
    this.#finish();
  }

  drop(): void {
    if (this.#closed) return;
    this.#response.destroy();
    this.#finish();
  }

  #push(records: readonly Buffer[], counted: boolean): void {
    if (this.#closed) return;
    for (const record of records) {
      this.#waiting.push({ record, counted });
      if (counted) this.#countedBytes += record.length;
    }
    this.#flush();
    if (this.#waiting.length > 0) this.#blockedSince ??= this.#now();
  }

  #flush(): void {
    let taken = 0;
    for (const { record, counted } of this.#waiting) {
      if (this.#closed || this.#response.writableNeedDrain) break;
      this.#response.write(record);
      if (counted) this.#countedBytes -= record.length;
      taken++;
    }
    if (taken === 0) return;
    this.#waiting = this.#waiting.slice(taken);
    this.#blockedSince = this.#waiting.length === 0 ? null : this.#now();
  }

  #finish(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#waiting = [];
    this.#onClose();
  }
}
