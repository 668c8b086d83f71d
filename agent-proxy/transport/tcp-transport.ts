/**
 * A plain TCP connection straight over its handle. A socket of Node's is a stream twice (a queue for each way, their events
 * and states): 5 kB for each of thousands of connections, and a third of the JavaScript of a request, for queues in which
 * nothing of ours ever waits (docs/decisions/0014-plain-connections-without-streams.md).
 */
import { getSystemErrorName } from 'node:util';
import {
  type HandleAddress,
  type HandleRequest,
  nodeHandles,
  type TcpHandle,
  type WriteRequest,
} from './node-handles.ts';
import { SHARED_BUFFER } from './read-buffers.ts';
import type { Piece, SocketAddress, Transport, TransportUser } from './transport.ts';

type Handle = TcpHandle<TcpTransport>;

/** Null: there are only streams. */
export const HANDLES = nodeHandles<TcpTransport>();

/** UV_EOF. */
const END_OF_FILE = -4095;

/** Where it has to connect to first. */
export interface Destination {
  readonly address: string;
  readonly port: number;
  readonly family: 4 | 6;
}

/** The request of all writes that the kernel took at once: it does not know of them afterwards. */
let spare: WriteRequest<TcpTransport> | null = null;

export class TcpTransport implements Transport {
  isClosed = false;
  isPaused = false;
  isAllSent = false;
  unsent = 0;
  private readonly handle: Handle;
  private destination: Destination | null;
  private user: TransportUser | null = null;
  private isReading = false;
  private isEnding = false;
  private hasOtherEnded = false;
  private why = '';
  private remoteAddress: SocketAddress | null = null;

  /** `destination` is null for one that is connected. */
  constructor(handle: Handle, destination: Destination | null) {
    this.handle = handle;
    this.destination = destination;
    handle.owner = this;
    handle.onread = onRead;
  }

  get isFull(): boolean {
    return this.unsent > 0;
  }

  get local(): SocketAddress | null {
    const found: Partial<HandleAddress> = {};
    return this.isClosed || this.handle.getsockname(found) !== 0 ? null : addressOf(found);
  }

  /** It is told in full view of requests: asked for once. */
  get remote(): SocketAddress | null {
    if (this.remoteAddress === null && !this.isClosed) {
      const found: Partial<HandleAddress> = {};
      if (this.handle.getpeername(found) === 0) this.remoteAddress = addressOf(found);
    }
    return this.remoteAddress;
  }

  start(user: TransportUser): void {
    this.user = user;
    this.handle.useUserBuffer(SHARED_BUFFER);
    if (this.destination === null) this.resume();
    else this.connect(this.destination);
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
    if (this.isReading || this.isClosed || this.hasOtherEnded || this.destination !== null) return;
    this.isReading = true;
    this.check(this.handle.readStart());
  }

  write(text: string): void {
    if (HANDLES === null || this.isClosed || this.isEnding) return;
    spare ??= new HANDLES.Write();
    const status = this.handle.writeLatin1String(spare, text);
    if (status === 0 && HANDLES.state[HANDLES.wasAsync] === 0) return;
    this.wait(status, text.length, null);
  }

  writeAll(pieces: readonly Piece[]): void {
    if (HANDLES === null || this.isClosed || this.isEnding) return;
    spare ??= new HANDLES.Write();
    const [first] = pieces;
    const status =
      pieces.length === 1 && first instanceof Buffer
        ? this.handle.writeBuffer(spare, first)
        : this.handle.writev(spare, withEncodings(pieces), false);
    if (status === 0 && HANDLES.state[HANDLES.wasAsync] === 0) return;
    this.wait(
      status,
      pieces.reduce((sum, { length }) => sum + length, 0),
      pieces,
    );
  }

  end(): void {
    if (HANDLES === null || this.isClosed || this.isEnding) return;
    this.isEnding = true;
    const request = new HANDLES.Shutdown();
    request.owner = this;
    request.oncomplete = onShutdown;
    // Another status is told by the next read: the connection is broken then.
    if (this.handle.shutdown(request) !== 0) process.nextTick(() => this.hasSentAll());
  }

  destroy(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.handle.close(onClosed);
  }

  reset(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    // One that has ended already cannot be reset.
    if (this.handle.reset(onClosed) !== 0) this.handle.close(onClosed);
  }

  // ---- what the handle says -------------------------------------------------------------------------------------------

  /** A number of bytes, or an error. */
  hasRead(count: number): void {
    const { user } = this;
    if (this.isClosed || user === null) return;
    if (count > 0) {
      user.read(SHARED_BUFFER, count);
      if (this.isPaused && !this.isClosed) this.stopReading();
    } else if (count === END_OF_FILE) {
      this.hasOtherEnded = true;
      this.isReading = false;
      user.ended();
      if (this.isAllSent) this.destroy();
    } else this.check(count);
  }

  isConnected(status: number): void {
    if (this.isClosed) return;
    this.destination = null;
    if (!this.check(status)) return;
    if (!this.isPaused) this.resume();
    if (!this.isClosed) this.user?.connected();
  }

  hasWritten(status: number, bytes: number): void {
    this.unsent -= bytes;
    if (this.isClosed || !this.check(status)) return;
    if (this.unsent === 0) this.user?.drained();
  }

  hasSentAll(): void {
    if (this.isClosed) return;
    this.isAllSent = true;
    this.user?.allSent();
    if (this.hasOtherEnded) this.destroy();
  }

  hasClosed(): void {
    this.handle.owner = null;
    this.user?.closed(this.why);
  }

  private connect({ address, port, family }: Destination): void {
    if (HANDLES === null) return;
    const request = new HANDLES.Connect();
    request.owner = this;
    request.oncomplete = onConnected;
    this.check(this.handle[family === 6 ? 'connect6' : 'connect'](request, address, port));
  }

  private stopReading(): void {
    this.isReading = false;
    this.handle.readStop();
  }

  /** The kernel has not taken all of it, or will take none any more. */
  private wait(status: number, bytes: number, pieces: readonly Piece[] | null): void {
    if (!this.check(status) || spare === null) return;
    const request = spare;
    spare = null;
    request.owner = this;
    request.oncomplete = onWritten;
    request.bytes = bytes;
    request.pieces = pieces;
    this.unsent += bytes;
  }

  /** False: it failed, and is closed. */
  private check(status: number): boolean {
    if (status >= 0) return true;
    this.why = getSystemErrorName(status);
    this.destroy();
    return false;
  }
}

// One function for all connections each: the handle or the request says whose it is.

function onRead(this: Handle): void {
  this.owner?.hasRead(HANDLES?.state[HANDLES.read] ?? 0);
}

function onConnected(this: HandleRequest<TcpTransport>, status: number): void {
  this.owner?.isConnected(status);
}

function onWritten(this: WriteRequest<TcpTransport>, status: number): void {
  this.owner?.hasWritten(status, this.bytes);
}

function onShutdown(this: HandleRequest<TcpTransport>, _status: number): void {
  this.owner?.hasSentAll();
}

function onClosed(this: Handle): void {
  this.owner?.hasClosed();
}

/** What `writev` expects. */
function withEncodings(pieces: readonly Piece[]): readonly unknown[] {
  const all: unknown[] = [];
  for (const piece of pieces) all.push(piece, 'latin1');
  return all;
}

function addressOf({ address, port }: Partial<HandleAddress>): SocketAddress | null {
  return address === undefined || port === undefined ? null : { address, port };
}
