/**
 * A request's body on its way upstream: flows with backpressure, and its beginning is kept, so that a request that
 * failed can be sent again. What is kept is bounded for each request and for the process.
 */
import type { Readable } from 'node:stream';

/** A body up to this size can be sent again. */
const REPLAY_BYTES = 64 * 1024;
/** All bodies together that are kept at one time. */
const REPLAY_BYTES_OF_ALL = 32 * 1024 * 1024;
let keptByAll = 0;
/** What is read of a body that nobody wants, before its connection is cut. */
const DISCARD_BYTES = 1024 * 1024;

/** Where a body flows to: one attempt. */
export interface BodySink {
  /** False asks to wait for `onDrain`. */
  write(chunk: Buffer): boolean;
  end(): void;
  onDrain: (() => void) | null;
}

export class RequestBody {
  private readonly source: Readable;
  private kept: Buffer[] = [];
  private keptBytes = 0;
  private canReplay = true;
  private ended: boolean;
  private sink: BodySink | null = null;
  private listening = false;

  /** `empty` says that the head announces no body. */
  constructor(source: Readable, empty: boolean) {
    this.source = source;
    this.ended = empty;
    if (empty) source.resume();
  }

  /** Whether all that was read so far can be given to another sink. */
  get replayable(): boolean {
    return this.canReplay;
  }

  /** Whether the whole body was read. */
  get complete(): boolean {
    return this.ended;
  }

  /** The body flows to this sink from its beginning on. Only while {@link replayable}. */
  attach(sink: BodySink): void {
    this.sink = sink;
    let open = true;
    for (const chunk of this.kept) open = sink.write(chunk);
    if (this.ended) {
      sink.end();
      return;
    }
    sink.onDrain = () => this.source.resume();
    this.listen();
    if (open) this.source.resume();
    else this.source.pause();
  }

  /** The attempt is over; what is still to come waits. */
  detach(): void {
    if (this.sink !== null) this.sink.onDrain = null;
    this.sink = null;
    if (!this.ended) this.source.pause();
  }

  /** No further attempt will be made: what was kept is let go. */
  settle(): void {
    this.canReplay = false;
    this.release();
  }

  /** Reads the rest and drops it; `tooMuch` is called where there is too much of it. */
  discard(tooMuch: () => void): void {
    this.detach();
    this.settle();
    let discarded = 0;
    this.source.on('data', (chunk: Buffer) => {
      discarded += chunk.length;
      if (discarded > DISCARD_BYTES) tooMuch();
    });
    this.source.resume();
  }

  private listen(): void {
    if (this.listening) return;
    this.listening = true;
    this.source.on('data', (chunk: Buffer) => this.read(chunk));
    this.source.on('end', () => {
      this.ended = true;
      this.sink?.end();
    });
  }

  private read(chunk: Buffer): void {
    if (this.canReplay) this.keep(chunk);
    if (this.sink !== null && !this.sink.write(chunk)) this.source.pause();
  }

  private keep(chunk: Buffer): void {
    if (this.keptBytes + chunk.length > REPLAY_BYTES || keptByAll + chunk.length > REPLAY_BYTES_OF_ALL) {
      this.settle();
      return;
    }
    this.kept.push(chunk);
    this.keptBytes += chunk.length;
    keptByAll += chunk.length;
  }

  private release(): void {
    keptByAll -= this.keptBytes;
    this.keptBytes = 0;
    this.kept = [];
  }
}
