/**
 * Writes to a transport with as few system calls as can be: text and small pieces are gathered until `flush`, and go out
 * together; large pieces go with them as they are.
 */
import { keep } from '../transport/read-buffers.ts';
import type { Piece, Transport } from '../transport/transport.ts';
import type { BodySink } from './body-sink.ts';

/** Up to this size copying a piece is cheaper than a second buffer in the system call. */
const SMALL_BYTES = 4 * 1024;
/** Gathered text beyond this is handed over before more is added. */
const MOST_GATHERED = 16 * 1024;

export class TransportWriter implements BodySink {
  private readonly transport: Transport;
  private gathered = '';
  /** What goes before it: large pieces and what was gathered around them. */
  private pieces: Piece[] | null = null;
  /** Bytes that were handed over, or stand in `pieces`. */
  private handed = 0;
  private isWaiting = false;

  constructor(transport: Transport) {
    this.transport = transport;
  }

  /** The transport has taken more than it could send: the source should wait until it has drained. */
  get isFull(): boolean {
    return this.transport.isFull;
  }

  /** Bytes that were written since its beginning. */
  get written(): number {
    return this.handed + this.gathered.length;
  }

  /** Bytes that were written and that the kernel has not taken yet. */
  get unsent(): number {
    const waiting = this.pieces?.reduce((sum, { length }) => sum + length, 0) ?? 0;
    return this.gathered.length + waiting + this.transport.unsent;
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
    this.pieces ??= [];
    this.handOver();
    this.handed += to - from;
    this.pieces.push(keep(bytes, from, to));
  }

  /**
   * Nothing more is to come for now. What was gathered goes out at the end of this turn of the event loop, together with
   * what all other connections have: the kernel's path of a write stays in the caches, and who waits for several of them
   * is woken once.
   */
  flush(): void {
    if (this.pieces !== null) this.flushNow();
    else if (this.gathered !== '' && !this.isWaiting) {
      this.isWaiting = true;
      atTheEndOfThisTurn(this);
    }
  }

  /** What was gathered goes out before this returns. */
  flushNow(): void {
    this.isWaiting = false;
    if (this.gathered !== '') this.handOver();
    const { pieces } = this;
    if (pieces === null) return;
    this.pieces = null;
    this.transport.writeAll(pieces);
  }

  private handOver(): void {
    const { gathered } = this;
    if (gathered === '') return;
    this.gathered = '';
    this.handed += gathered.length;
    if (this.pieces === null) this.transport.write(gathered);
    else this.pieces.push(gathered);
  }
}

/** So many connections at most: with hundreds that are busy the first one would wait for all of them. */
const MOST_TOGETHER = 64;
const waiting: TransportWriter[] = [];
let isEndAwaited = false;

function atTheEndOfThisTurn(writer: TransportWriter): void {
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
