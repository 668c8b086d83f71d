/**
 * The proxy's own log: lines on standard output through a bounded queue that drops and counts. Writing never waits:
 * `process.stdout.write` may block the loop, or queue without bound, when the reader of a pipe is slow.
 */
import { closeSync, constants, openSync, write } from 'node:fs';
import { Socket } from 'node:net';

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
  /** How much is said. */
  readonly levels: LogLevels;
  /** Stops writing. What is queued is lost. */
  close(): void;
}

/** From the least to the most important. */
const LEVELS = ['INFO', 'WARNING', 'ERROR'] as const;
type Level = (typeof LEVELS)[number];
/** There is one logger, which linkerd's callers name so. */
const ROOT_LOGGER = 'root';

/** The level from which on lines are written. */
export class LogLevels {
  private level: Level = 'INFO';

  admits(level: Level): boolean {
    return LEVELS.indexOf(level) >= LEVELS.indexOf(this.level);
  }

  list(): readonly { readonly logger: string; readonly level: string }[] {
    return [{ logger: ROOT_LOGGER, level: this.level }];
  }

  /** Returns one sentence where there is no such logger or level, else null. */
  set(logger: string, level: string): string | null {
    if (logger !== ROOT_LOGGER && logger !== '') return `there is no logger '${logger}', only '${ROOT_LOGGER}'`;
    const known = LEVELS.find((one) => one === level.toUpperCase());
    if (known === undefined) return `there is no level '${level}'; the levels are ${LEVELS.join(', ')}`;
    this.level = known;
    return null;
  }
}

export class BoundedLog implements Log {
  dropped = 0;
  readonly levels = new LogLevels();
  private readonly sink: Sink;
  private readonly queue: string[] = [];
  private writing = false;
  private closed = false;

  constructor(fd = 1) {
    this.sink = fileSink(fd) ?? socketSink(fd) ?? NOWHERE;
  }

  info(message: string, fields: LogFields = {}): void {
    if (this.levels.admits('INFO')) this.line(format('info', message, fields));
  }

  warn(message: string, fields: LogFields = {}): void {
    if (this.levels.admits('WARNING')) this.line(format('warn', message, fields));
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
    if (!this.writing) this.sink.close();
  }

  private writeNext(): void {
    let batch = '';
    while (this.queue.length > 0 && batch.length < BATCH_BYTES) batch += `${this.queue.shift()}\n`;
    if (batch === '') return;
    this.writing = true;
    this.sink.write(Buffer.from(batch), (failed) => {
      // A reader that is gone (EPIPE) is no reason to stop serving.
      if (failed) this.dropped += 1;
      this.writing = false;
      if (this.closed) this.sink.close();
      else this.writeNext();
    });
  }
}

/** Writes without ever blocking the loop, or the end of the process. */
interface Sink {
  write(bytes: Buffer, done: (failed: boolean) => void): void;
  close(): void;
}

/** Standard output that is closed. */
const NOWHERE: Sink = { write: (_bytes, done) => setImmediate(() => done(true)), close: () => undefined };

/**
 * A file or a pipe, opened anew so that O_NONBLOCK is ours alone: the flag belongs to the open file, which we share with
 * our parent. Null where that cannot be.
 */
function fileSink(fd: number): Sink | null {
  let own: number;
  try {
    own = openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_APPEND | constants.O_NONBLOCK);
  } catch {
    // A socket cannot be opened by its path.
    return null;
  }
  const writeOut = (bytes: Buffer, from: number, done: (failed: boolean) => void): void => {
    write(own, bytes, from, bytes.length - from, null, (error, written) => {
      if (error?.code === 'EAGAIN') setTimeout(() => writeOut(bytes, from, done), RETRY_MS).unref();
      else if (error === null && from + written < bytes.length) writeOut(bytes, from + written, done);
      else done(error !== null);
    });
  };
  return { write: (bytes, done) => writeOut(bytes, 0, done), close: () => closeSync(own) };
}

/** A socket, as a Node parent gives one to its child for a pipe. libuv writes to it without blocking. */
function socketSink(fd: number): Sink | null {
  try {
    const socket = new Socket({ fd, readable: false, writable: true });
    socket.unref();
    socket.on('error', () => undefined);
    return { write: (bytes, done) => void socket.write(bytes, (error) => done(error != null)), close: () => undefined };
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
