/**
 * Writes to a socket with as few system calls as can be: text and small pieces are gathered until `flush`, and go out
 * together; large pieces are handed over as they are.
 */
import type { Socket } from 'node:net';
import type { BodySink } from './body-sink.ts';
import { DirectWrites } from './direct-writes.ts';
import { keep } from './read-buffers.ts';

/** Up to this size copying a piece is cheaper than a second buffer in the system call. */
const SMALL_BYTES = 4 * 1024;
/** Gathered text beyond this is handed over before more is added. */
const MOST_GATHERED = 16 * 1024;

export class SocketWriter implements BodySink {
  readonly socket: Socket;
  /** The socket has taken more than it could send: the source should wait for `drain`. */
  isFull = false;
  private readonly direct: DirectWrites;
  private gathered = '';
  /** Bytes that were handed to the socket. */
  private handed = 0;
  private corked = false;
  /** Something was written by way of the stream, and may wait there. */
  private isInStream = false;
  private isWaiting = false;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('drain', () => {
      this.isFull = false;
    });
    // Who waits for the socket hears of either the same way.
    this.direct = new DirectWrites(socket, () => {
      if (!socket.writableNeedDrain) socket.emit('drain');
    });
    // With each write it would be looked at whether there is such an encoding.
    socket.setDefaultEncoding('latin1');
  }

  /** Bytes that were written since its beginning. */
  get written(): number {
    return this.handed + this.gathered.length;
  }

  /** Bytes that were written and that the kernel has not taken yet. */
  get unsent(): number {
    return this.gathered.length + this.socket.writableLength + this.direct.unsent;
  }

  /** One character a byte. */
  text(text: string): void {
    this.gathered = this.gathered === '' ? text : this.gathered + text;
    if (this.gathered.length > MOST_GATHERED) this.handOver();
  }

  bytes(bytes: Buffer, from: number, to: number): void {
    if (to - from <= SMALL_BYTES) {
      this.text(bytes.toString('latin1', from, to));
      return;
    }
    // With what was gathered before it, in one system call.
    if (!this.corked) {
      this.corked = true;
      this.socket.cork();
    }
    this.handOver();
    this.handed += to - from;
    this.toStream(keep(bytes, from, to));
  }

  /**
   * Nothing more is to come for now. What was gathered goes out at the end of this turn of the event loop, together with
   * what all other connections have: the kernel's path of a write stays in the caches, and who waits for several of them
   * is woken once.
   */
  flush(): void {
    if (this.corked) this.flushNow();
    else if (this.gathered !== '' && !this.isWaiting) {
      this.isWaiting = true;
      atTheEndOfThisTurn(this);
    }
  }

  /** What was gathered goes out before this returns. */
  flushNow(): void {
    this.isWaiting = false;
    if (this.gathered !== '') this.handOver();
    if (!this.corked) return;
    this.corked = false;
    this.socket.uncork();
  }

  private handOver(): void {
    const { gathered } = this;
    if (gathered === '') return;
    this.gathered = '';
    this.handed += gathered.length;
    // Nothing overtakes what waits in the stream.
    if (this.isInStream && !this.corked) this.isInStream = this.socket.writableLength > 0;
    if (this.isInStream || this.corked || !this.direct.write(gathered)) this.toStream(gathered);
    else if (this.direct.unsent > 0) this.isFull = true;
  }

  private toStream(piece: Buffer | string): void {
    this.isInStream = true;
    if (!this.socket.write(piece)) this.isFull = true;
  }
}

/** So many connections at most: with hundreds that are busy the first one would wait for all of them. */
const MOST_TOGETHER = 64;
const waiting: SocketWriter[] = [];
let isEndAwaited = false;

function atTheEndOfThisTurn(writer: SocketWriter): void {
  waiting.push(writer);
  if (waiting.length >= MOST_TOGETHER) flushAll();
  else if (!isEndAwaited) {
    isEndAwaited = true;
    // The phase behind that of the reads.
    setImmediate(endTurn);
  }
}

function endTurn(): void {
  isEndAwaited = false;
  flushAll();
}

function flushAll(): void {
  for (const writer of waiting) writer.flushNow();
  waiting.length = 0;
}
