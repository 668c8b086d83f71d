/** How a connection reads: who gets the bytes, and how it is told to wait. */
import { Socket } from 'node:net';
import { readInto } from './onread.ts';
import { SHARED_BUFFER } from './read-buffers.ts';

/** Bytes `0` to `end` of a buffer, which are good until the call returns. */
export type OnBytes = (bytes: Buffer, end: number) => void;

export interface Reads {
  readonly isPaused: boolean;
  /** Once, before anything is read. */
  start(read: OnBytes): void;
  /** Nothing more is read, but for one piece that may be on its way. */
  pause(): void;
  resume(): void;
}

const NOTHING = Buffer.alloc(0);

/**
 * Takes the bytes of a socket as they are read, without the queue of a stream in between: nothing here ever waits in
 * it, and its bookkeeping (an event, a deferred look whether more may be read) is a tenth of the CPU time of a request.
 * `push` is what a stream's source calls with each piece; taking its place is all that this does.
 */
export class DirectReads implements Reads {
  private readonly socket: Socket;
  private paused = false;

  constructor(socket: Socket) {
    this.socket = socket;
  }

  start(read: OnBytes): void {
    this.socket.push = (piece: Buffer | null): boolean => {
      // The end is the stream's business: it emits `end`.
      if (piece === null) return Socket.prototype.push.call(this.socket, null);
      read(piece, piece.length);
      // False stops reading from the kernel.
      return !this.paused;
    };
    // Nothing is read yet, and `end` is only emitted by a stream that somebody reads from.
    this.socket.resume();
  }

  get isPaused(): boolean {
    return this.paused;
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    if (!this.paused) return;
    this.paused = false;
    // An empty piece makes the stream ask its source for more.
    if (!this.socket.destroyed) Socket.prototype.push.call(this.socket, NOTHING);
  }
}

/**
 * Reads into one buffer that all such connections share, so that a read allocates nothing. Node offers that (`onread`) for
 * sockets that connect, and not for TLS; for those that are accepted see {@link acceptedReads}.
 */
export class SharedReads implements Reads {
  /** For `net.connect`. */
  readonly onread: { readonly buffer: Buffer; readonly callback: (count: number) => boolean };
  private read: OnBytes = () => undefined;
  private socket: Socket | null = null;
  private paused = false;

  constructor() {
    this.onread = {
      buffer: SHARED_BUFFER,
      callback: (count) => {
        this.read(SHARED_BUFFER, count);
        return !this.paused;
      },
    };
  }

  /** Of the socket that was made with `onread`. */
  of(socket: Socket): this {
    this.socket = socket;
    return this;
  }

  start(read: OnBytes): void {
    this.read = read;
    this.socket?.resume();
  }

  get isPaused(): boolean {
    return this.paused;
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    if (!this.paused) return;
    this.paused = false;
    this.socket?.resume();
  }
}

/** How an accepted connection reads: into the shared buffer where this version of Node lets it, else straight. */
export function acceptedReads(socket: Socket): Reads {
  const reads = new SharedReads();
  return readInto(socket, reads.onread) ? reads.of(socket) : new DirectReads(socket);
}
