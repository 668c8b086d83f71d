/**
 * The proxy's own log: lines on standard output through a bounded queue that drops and counts. Writing never waits:
 * `process.stdout.write` may block the loop, or queue without bound, when the reader of a pipe is slow.
 */
import { closeSync, constants, openSync, write } from 'node:fs';

const QUEUE_LINES = 2_000;
const BATCH_BYTES = 32 * 1024;
const RETRY_MS = 20;

export type LogFields = Readonly<Record<string, string | number | boolean | null>>;

export interface Log {
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  /** A line as it is: the access log's. */
  line(text: string): void;
  /** Lines that were dropped because the reader was too slow. */
  readonly dropped: number;
  /** Stops writing. What is queued is lost. */
  close(): void;
}

export class BoundedLog implements Log {
  dropped = 0;
  private readonly fd: number;
  private readonly own: boolean;
  private readonly queue: string[] = [];
  private writing = false;
  private closed = false;

  constructor(fd = 1) {
    const opened = openNonBlocking(fd);
    this.fd = opened ?? fd;
    this.own = opened !== null;
  }

  info(message: string, fields: LogFields = {}): void {
    this.line(format('info', message, fields));
  }

  warn(message: string, fields: LogFields = {}): void {
    this.line(format('warn', message, fields));
  }

  line(text: string): void {
    if (this.closed || this.queue.length >= QUEUE_LINES) {
      this.dropped += 1;
      return;
    }
    this.queue.push(text);
    if (!this.writing) this.writeNext();
  }

  close(): void {
    this.closed = true;
    this.queue.length = 0;
    if (this.own && !this.writing) closeSync(this.fd);
  }

  private writeNext(): void {
    let batch = '';
    while (this.queue.length > 0 && batch.length < BATCH_BYTES) batch += `${this.queue.shift()}\n`;
    if (batch === '') return;
    this.writing = true;
    this.writeOut(Buffer.from(batch), 0);
  }

  private writeOut(bytes: Buffer, from: number): void {
    write(this.fd, bytes, from, bytes.length - from, null, (error, written) => {
      if (error !== null && error.code === 'EAGAIN' && !this.closed) {
        setTimeout(() => this.writeOut(bytes, from), RETRY_MS).unref();
        return;
      }
      if (error === null && from + written < bytes.length && !this.closed) {
        this.writeOut(bytes, from + written);
        return;
      }
      // A reader that is gone (EPIPE) is no reason to stop serving.
      if (error !== null) this.dropped += 1;
      this.writing = false;
      if (!this.closed) this.writeNext();
    });
  }
}

/**
 * The same file, opened anew so that O_NONBLOCK is ours alone: the flag belongs to the open file, which we share with
 * our parent. Null where that cannot be (a socket): then a write occupies one thread of the pool, never the loop.
 */
function openNonBlocking(fd: number): number | null {
  try {
    return openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_APPEND | constants.O_NONBLOCK);
  } catch {
    return null;
  }
}

function format(level: string, message: string, fields: LogFields): string {
  let line = `${new Date().toISOString()} ${level} ${message}`;
  for (const [key, value] of Object.entries(fields)) {
    line += ` ${key}=${typeof value === 'string' && /[\s="]/.test(value) ? JSON.stringify(value) : String(value)}`;
  }
  return line;
}
