/**
 * Reads the body of a message as it comes, and passes it on piece by piece: never more than came, never a piece of framing
 * that was not checked. What is passed on is either framed for the next hop (`framed`: chunks as chunks, without their
 * extensions) or the bare content (`content`: for a client that knows no chunks).
 */
import type { BodyForm, BodySink } from './body-sink.ts';
import { ChunkedReader } from './chunked-reader.ts';
import type { Framing } from './request-head.ts';

export class BodyReader {
  /** The last byte of the body was read. A body that ends with its connection never ends by itself. */
  ended: boolean;
  readonly endsWithConnection: boolean;
  private readonly sink: BodySink;
  private readonly chunks: ChunkedReader | null;
  private remaining: number;

  constructor(framing: Framing, length: number, form: BodyForm, sink: BodySink) {
    this.sink = sink;
    this.ended = framing === 'none';
    this.endsWithConnection = framing === 'close';
    this.chunks = framing === 'chunked' ? new ChunkedReader(form, sink) : null;
    this.remaining = framing === 'length' ? length : Number.POSITIVE_INFINITY;
  }

  /** Returns the offset behind what belongs to this body, or a fault as a negative number. Not after the end. */
  read(bytes: Buffer, from: number, to: number): number {
    if (this.chunks !== null) {
      const end = this.chunks.read(bytes, from, to);
      this.ended = this.chunks.ended;
      return end;
    }
    const end = Math.min(to, from + this.remaining);
    this.remaining -= end - from;
    // First, so that who gets the last piece knows that it is the last.
    this.ended = this.remaining === 0;
    if (end > from) this.sink.bytes(bytes, from, end);
    return end;
  }
}
