/**
 * One open control stream. It holds no queue of the table: whenever the reader takes more, the next record is asked for,
 * so a slow reader costs a few records and is sent what counts then. Only what is said to this proxy alone waits here.
 */
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** What may wait that was said to this proxy alone. */
const MAX_WAITING_BYTES = 1024 * 1024;
/** How long a reader may take nothing while something waits. */
const STALL_MS = 10_000;

export interface StreamOptions {
  readonly now: () => number;
  /** What comes next of the table, or null: nothing for now. */
  readonly next: () => Buffer | null;
  /** The stream is over, whoever ended it. Called once. */
  readonly closed: () => void;
}

export class SessionStream {
  readonly #response: ServerResponse;
  /** Records go straight to it: the response would add nothing to them, and doubles what a write costs. */
  readonly #socket: Socket | null;
  readonly #options: StreamOptions;
  #said: Buffer[] = [];
  #saidBytes = 0;
  #blockedSince: number | null = null;
  #closed = false;

  /** @param response its head has been sent, with neither a length nor chunks */
  constructor(response: ServerResponse, options: StreamOptions) {
    this.#response = response;
    this.#options = options;
    // Null where the client has gone already, which `close` tells.
    this.#socket = response.socket;
    this.#socket?.on('drain', () => this.pump());
    response.on('close', () => this.#finish());
    response.on('error', () => this.#finish());
  }

  /** Since when the reader has taken nothing of what waits for it; null while it takes what comes. */
  get blockedSince(): number | null {
    return this.#blockedSince;
  }

  /** Goes out before all that has not gone out yet. A reader that leaves too much of it is dropped. */
  say(record: Buffer): void {
    if (this.#closed) return;
    this.#said.push(record);
    this.#saidBytes += record.length;
    this.pump();
    if (this.#saidBytes > MAX_WAITING_BYTES) this.drop();
  }

  /** Writes what there is, as far as the reader takes it. */
  pump(): void {
    const socket = this.#socket;
    if (this.#closed || socket === null) return;
    if (socket.writableNeedDrain) {
      this.#blockedSince ??= this.#options.now();
      return;
    }
    this.#blockedSince = null;
    for (;;) {
      const said = this.#said.shift();
      this.#saidBytes -= said?.length ?? 0;
      const record = said ?? this.#options.next();
      if (record === null) return;
      if (socket.write(record)) continue;
      this.#blockedSince = this.#options.now();
      return;
    }
  }

  /** True when nothing was taken for too long. */
  stalled(): boolean {
    return this.#blockedSince !== null && this.#options.now() - this.#blockedSince >= STALL_MS;
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

  #finish(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#said = [];
    this.#options.closed();
  }
}
