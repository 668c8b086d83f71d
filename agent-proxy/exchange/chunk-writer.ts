/** Frames bare content in chunks (RFC 9112, 7.1), for a body whose end only the closing of its connection would tell. */
import type { BodySink } from '../http1/body-sink.ts';
import type { TransportWriter } from '../http1/transport-writer.ts';

export class ChunkWriter implements BodySink {
  private readonly writer: TransportWriter;

  constructor(writer: TransportWriter) {
    this.writer = writer;
  }

  bytes(bytes: Buffer, from: number, to: number): void {
    if (to === from) return;
    this.writer.text(`${(to - from).toString(16)}\r\n`);
    this.writer.bytes(bytes, from, to);
    this.writer.text('\r\n');
  }

  text(text: string): void {
    if (text !== '') this.writer.text(`${text.length.toString(16)}\r\n${text}\r\n`);
  }

  /** The last chunk. */
  end(): void {
    this.writer.text('0\r\n\r\n');
  }
}
