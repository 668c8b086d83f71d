/**
 * The body of a request on its way upstream: flows with backpressure, and its beginning is kept, so that a request that
 * failed can be sent again as it was. What is kept is bounded for each request and for the process.
 */
import type { BodySink } from '../http1/body-sink.ts';
import type { TransportWriter } from '../http1/transport-writer.ts';
import { keep } from '../transport/read-buffers.ts';

/** All bodies together that are kept at one time. */
const KEPT_BY_ALL = 32 * 1024 * 1024;
let keptByAll = 0;

export class RequestBody implements BodySink {
  /** The whole body was read. */
  isComplete = false;
  private readonly limit: number;
  private writer: TransportWriter | null = null;
  private kept: (Buffer | string)[] = [];
  private keptBytes = 0;
  private canReplay = true;

  /** A body longer than `limit` bytes cannot be sent again. */
  constructor(limit: number) {
    this.limit = limit;
  }

  /** All that was read so far can be sent to another server. */
  get isReplayable(): boolean {
    return this.canReplay;
  }

  /** The client has to wait: nobody takes the body now, or its server is slower than it is. */
  get isFull(): boolean {
    return this.writer === null ? !this.canReplay || this.keptBytes > 0 : this.writer.isFull;
  }

  bytes(bytes: Buffer, from: number, to: number): void {
    if (this.canReplay) {
      // One copy for both: to keep, and to be sent.
      const piece = keep(bytes, from, to);
      this.remember(piece, piece.length);
      this.writer?.bytes(piece, 0, piece.length);
    } else this.writer?.bytes(bytes, from, to);
  }

  text(text: string): void {
    if (this.canReplay) this.remember(text, text.length);
    this.writer?.text(text);
  }

  /** The body goes to this server, from its beginning on. Only while {@link isReplayable}. */
  attach(writer: TransportWriter): void {
    this.writer = writer;
    for (const piece of this.kept) {
      if (typeof piece === 'string') writer.text(piece);
      else writer.bytes(piece, 0, piece.length);
    }
  }

  /** That attempt is over. What still comes is kept, or, where it can be kept no more, lost. */
  detach(): void {
    this.writer = null;
  }

  flush(): void {
    this.writer?.flush();
  }

  /** No further attempt will be made: what was kept is let go. */
  settle(): void {
    if (!this.canReplay) return;
    this.canReplay = false;
    keptByAll -= this.keptBytes;
    this.keptBytes = 0;
    this.kept = [];
  }

  private remember(piece: Buffer | string, size: number): void {
    // A body that nobody has taken yet must not be lost: it is kept as it is, and the client waits (isFull).
    const isOver = this.keptBytes + size > this.limit || keptByAll + size > KEPT_BY_ALL;
    if (isOver && this.writer !== null) {
      this.settle();
      return;
    }
    this.kept.push(piece);
    this.keptBytes += size;
    keptByAll += size;
  }
}
