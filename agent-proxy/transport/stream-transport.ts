/** A connection over a socket of Node's: TLS, and everything where its handles are not as expected. */
import { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { Piece, SocketAddress, Transport, TransportUser } from './transport.ts';

const NOTHING = Buffer.alloc(0);

export class StreamTransport implements Transport {
  isPaused = false;
  private readonly socket: Socket;
  private why = '';

  /** The socket is connected or connects, and does not end by itself when the other side does (`allowHalfOpen`). */
  constructor(socket: Socket) {
    this.socket = socket;
    // With each write it would be looked at whether there is such an encoding.
    socket.setDefaultEncoding('latin1');
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.why = error.code ?? error.message;
    });
  }

  get isClosed(): boolean {
    return this.socket.destroyed;
  }

  get isFull(): boolean {
    return this.socket.writableNeedDrain;
  }

  get isAllSent(): boolean {
    return this.socket.writableFinished;
  }

  get unsent(): number {
    return this.socket.writableLength;
  }

  get local(): SocketAddress | null {
    return addressOf(this.socket.localAddress, this.socket.localPort);
  }

  get remote(): SocketAddress | null {
    return addressOf(this.socket.remoteAddress, this.socket.remotePort);
  }

  /**
   * Takes the bytes as they are read, without the queue of a stream in between: nothing here ever waits in it. `push` is what
   * a stream's source calls with each piece; taking its place is all that this does.
   */
  start(user: TransportUser): void {
    const { socket } = this;
    if (socket.connecting)
      socket.once(socket instanceof TLSSocket ? 'secureConnect' : 'connect', () => user.connected());
    socket.on('drain', () => user.drained());
    socket.on('end', () => user.ended());
    socket.on('finish', () => user.allSent());
    socket.on('close', () => user.closed(this.why));
    socket.push = (piece: Buffer | null): boolean => {
      // The end is the stream's business: it emits `end`.
      if (piece === null) return Socket.prototype.push.call(socket, null);
      user.read(piece, piece.length);
      // False stops reading from the kernel.
      return !this.isPaused;
    };
    // Nothing is read yet, and `end` is only emitted by a stream that somebody reads from.
    socket.resume();
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    if (!this.isPaused) return;
    this.isPaused = false;
    // An empty piece makes the stream ask its source for more.
    if (!this.socket.destroyed) Socket.prototype.push.call(this.socket, NOTHING);
  }

  write(text: string): void {
    if (this.isWritable) this.socket.write(text);
  }

  writeAll(pieces: readonly Piece[]): void {
    if (!this.isWritable) return;
    this.socket.cork();
    for (const piece of pieces) this.socket.write(piece);
    this.socket.uncork();
  }

  end(): void {
    this.socket.end();
  }

  destroy(): void {
    this.socket.destroy();
  }

  reset(): void {
    this.socket.resetAndDestroy();
  }

  private get isWritable(): boolean {
    return !this.socket.destroyed && !this.socket.writableEnded;
  }
}

function addressOf(address: string | undefined, port: number | undefined): SocketAddress | null {
  return address === undefined || port === undefined ? null : { address, port };
}
