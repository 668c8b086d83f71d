/**
 * Jute, the encoding of ZooKeeper's protocol: big-endian integers, and bytes and vectors with their length before them
 * (-1: null). Each message is a frame with its length in four bytes.
 */
export class JuteWriter {
  readonly #parts: Buffer[] = [Buffer.alloc(4)];

  int(value: number): this {
    const part = Buffer.allocUnsafe(4);
    part.writeInt32BE(value);
    return this.#add(part);
  }

  long(value: bigint): this {
    const part = Buffer.allocUnsafe(8);
    part.writeBigInt64BE(value);
    return this.#add(part);
  }

  bool(value: boolean): this {
    return this.#add(Buffer.from([value ? 1 : 0]));
  }

  bytes(value: Buffer): this {
    return this.int(value.length).#add(value);
  }

  string(value: string): this {
    return this.bytes(Buffer.from(value));
  }

  /** All that was written, as a frame. */
  frame(): Buffer {
    const frame = Buffer.concat(this.#parts);
    frame.writeInt32BE(frame.length - 4);
    return frame;
  }

  #add(part: Buffer): this {
    this.#parts.push(part);
    return this;
  }
}

/** Reads a frame's content. @throws {JuteError} when it ends too early. */
export class JuteReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  int(): number {
    return this.#bytes.readInt32BE(this.#skip(4));
  }

  long(): bigint {
    return this.#bytes.readBigInt64BE(this.#skip(8));
  }

  /** Null reads as empty: nobody here makes a difference. A view, not a copy. */
  bytes(): Buffer {
    const length = this.int();
    if (length < 0) return Buffer.alloc(0);
    const from = this.#skip(length);
    return this.#bytes.subarray(from, from + length);
  }

  string(): string {
    return this.bytes().toString();
  }

  strings(): string[] {
    const count = this.int();
    const values: string[] = [];
    for (let index = 0; index < count; index += 1) values.push(this.string());
    return values;
  }

  #skip(count: number): number {
    const from = this.#at;
    if (from + count > this.#bytes.length) throw new JuteError('a message of ZooKeeper ends too early');
    this.#at = from + count;
    return from;
  }
}

/** What came is not ZooKeeper's protocol: the connection is of no more use. */
export class JuteError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'JuteError';
  }
}

/** The longest list that we ask for, children of a node with ten thousand agents, has half a megabyte. */
const MAX_FRAME_BYTES = 8 * 1024 * 1024;

/** Cuts a stream of bytes into frames, wherever the network cut it. */
export class FrameReader {
  #chunks: Buffer[] = [];
  #buffered = 0;
  #needed = 4;

  /** The contents that are complete now. @throws {JuteError} */
  push(chunk: Buffer): Buffer[] {
    this.#chunks.push(chunk);
    this.#buffered += chunk.length;
    const frames: Buffer[] = [];
    if (this.#buffered < this.#needed) return frames;
    let bytes = this.#chunks.length === 1 ? chunk : Buffer.concat(this.#chunks);
    for (;;) {
      this.#needed = 4;
      if (bytes.length < 4) break;
      const length = bytes.readInt32BE(0);
      if (length < 0 || length > MAX_FRAME_BYTES) throw new JuteError(`a message of ${length} bytes from ZooKeeper`);
      this.#needed = 4 + length;
      if (bytes.length < this.#needed) break;
      frames.push(bytes.subarray(4, this.#needed));
      bytes = bytes.subarray(this.#needed);
    }
    this.#chunks = bytes.length === 0 ? [] : [bytes];
    this.#buffered = bytes.length;
    return frames;
  }
}
