/** Compresses a body on its way to the client, in chunks, with the backpressure of both sides. */
import { createDeflate, createGzip, type Deflate, type Gzip } from 'node:zlib';
import type { BodySink } from '../http1/body-sink.ts';
import type { TransportWriter } from '../http1/transport-writer.ts';
import { ChunkWriter } from './chunk-writer.ts';

export class CompressedBody implements BodySink {
  private readonly stream: Gzip | Deflate;
  private readonly chunks: ChunkWriter;
  private ended: (() => void) | null = null;

  /** `level` is 1 to 9. `drained` is called when more can be taken after it was full. */
  constructor(writer: TransportWriter, coding: 'gzip' | 'deflate', level: number, drained: () => void) {
    this.stream = coding === 'gzip' ? createGzip({ level }) : createDeflate({ level });
    this.chunks = new ChunkWriter(writer);
    this.stream.on('data', (piece: Buffer) => {
      this.chunks.bytes(piece, 0, piece.length);
      writer.flush();
    });
    this.stream.on('drain', drained);
    this.stream.on('end', () => {
      this.chunks.end();
      this.ended?.();
    });
    // It fails only when it is destroyed with its request.
    this.stream.on('error', () => undefined);
  }

  get isFull(): boolean {
    return this.stream.writableNeedDrain;
  }

  bytes(bytes: Buffer, from: number, to: number): void {
    // A copy: it is read by another thread, later.
    this.stream.write(Buffer.from(bytes.subarray(from, to)));
  }

  text(text: string): void {
    this.stream.write(text, 'latin1');
  }

  /** Calls back when the last chunk was written. */
  end(done: () => void): void {
    this.ended = done;
    this.stream.end();
  }
}
