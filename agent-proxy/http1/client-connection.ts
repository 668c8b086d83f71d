/**
 * The client side of a connection: sends one request at a time and reads its response. What makes a connection unfit for
 * another request (RFC 9112, 9.6, and plain caution) is decided here; who gets it next is the pool's business.
 */
import { Timed, type TimerWheel } from '../timing/timer-wheel.ts';
import { done, keep } from '../transport/read-buffers.ts';
import type { Transport, TransportUser } from '../transport/transport.ts';
import { BodyReader } from './body-reader.ts';
import type { BodyForm, BodySink } from './body-sink.ts';
import { FAULTS, type Fault, faultOfScan } from './faults.ts';
import { type HeadLimits, SCANNER } from './head-scanner.ts';
import { type ResponseHead, readResponse } from './response-head.ts';
import { TransportWriter } from './transport-writer.ts';

/** A request on its way, as its connection to the server knows it. */
export interface ClientExchange {
  readonly method: string;
  /** The answer goes on to a proxy of ours. */
  readonly toPeer: boolean;
  /** The whole request was written. A response that ends earlier leaves the connection out of step. */
  readonly isSent: boolean;
  /** It got this connection, which is connected. */
  connected(connection: ClientConnection): void;
  /** There was none to be had; nothing was sent. */
  unconnected(why: Unconnected, detail: string): void;
  /** A 1xx other than 101. */
  informed(head: ResponseHead): void;
  /** The head of the response. Returns where its body goes, and in which form. */
  responded(head: ResponseHead): ResponseTarget;
  /** All of the response that came in one read was given. */
  responsePaused(): void;
  responseEnded(): void;
  /** The connection ended or was cut before the response was complete. `any`: a byte of it had come. */
  responseBroken(kind: 'reset' | 'bad-response', detail: string, any: boolean): void;
  serverDrained(): void;
  /** The server of a tunnel has ended its side. */
  serverEnded(): void;
}

export interface ResponseTarget {
  readonly sink: BodySink;
  /** `content` for a client that knows no chunks. */
  readonly form: BodyForm;
}

export type Unconnected = 'refused' | 'crowded';

/** What a pool does for its connections. */
export interface ClientHandler {
  /** The server's address, for messages. */
  readonly where: string;
  readonly limits: HeadLimits;
  readonly wheel: TimerWheel;
  readonly now: () => number;
  /** It can take its first request. */
  connected(connection: ClientConnection): void;
  /** It can take another request; `idleMs` is how long the server keeps it at least, where it said so. */
  idle(connection: ClientConnection): void;
  /** It has been idle for long enough: whether it is closed. */
  mayExpire(connection: ClientConnection): boolean;
  /** It is closed, and is not to be used again. */
  closed(connection: ClientConnection): void;
}

/** A server that says when it will hang up is left so much earlier, or a request may cross its FIN. */
const HINT_MARGIN_MS = 1_000;

/**
 * - `connecting`
 * - `idle`: in the pool; a byte or an end from the server now closes it.
 * - `waiting`: a request is on its way, and no final response head has come.
 * - `body`: the body of the response comes.
 * - `tunnel`: bytes pass as they are.
 */
type State = 'connecting' | 'idle' | 'waiting' | 'body' | 'tunnel' | 'closed';

export class ClientConnection extends Timed implements TransportUser {
  readonly writer: TransportWriter;
  /** How many requests it has carried. */
  uses = 0;
  readonly openedAt: number;
  /** The server closes it after so long without a request, milliseconds; null where it did not say. */
  idleHintMs: number | null = null;
  private readonly transport: Transport;
  private readonly handler: ClientHandler;
  private state: State = 'connecting';
  private exchange: ClientExchange | null = null;
  private body: BodyReader | null = null;
  private sink: BodySink | null = null;
  private held: Buffer | null = null;
  private isKept = false;
  private hasAnswered = false;
  private why = '';

  constructor(transport: Transport, handler: ClientHandler) {
    super();
    this.transport = transport;
    this.handler = handler;
    this.writer = new TransportWriter(transport);
    this.openedAt = handler.now();
  }

  /** Connects. The handler hears of it. */
  start(): void {
    this.transport.start(this);
  }

  connected(): void {
    this.handler.connected(this);
  }

  get isConnecting(): boolean {
    return this.state === 'connecting';
  }

  get isIdle(): boolean {
    return this.state === 'idle';
  }

  /** Its server has ended it, which the handler hears a moment later. */
  get isClosed(): boolean {
    return this.transport.isClosed;
  }

  /** The reason why it was not connected. */
  get reason(): string {
    return this.why === '' ? 'the connection was closed' : this.why;
  }

  /** A request takes it; its bytes are written through `writer`. */
  use(exchange: ClientExchange): void {
    this.handler.wheel.disarm(this);
    this.exchange = exchange;
    this.state = 'waiting';
    this.hasAnswered = false;
    this.body = null;
    this.uses += 1;
    exchange.connected(this);
  }

  pauseResponse(): void {
    this.transport.pause();
  }

  resumeResponse(): void {
    this.transport.resume();
  }

  /** From now on the bytes of the server go to the sink as they come. */
  tunnel(sink: BodySink): void {
    this.state = 'tunnel';
    this.sink = sink;
  }

  /** The server of a tunnel gets our end. */
  endTunnel(): void {
    this.writer.flushNow();
    this.transport.end();
  }

  /** Another takes over what is still to come of the response. */
  handOver(exchange: ClientExchange): void {
    this.exchange = exchange;
  }

  /** Nobody wants it any more. Its exchange hears nothing further. */
  destroy(): void {
    this.exchange = null;
    this.transport.destroy();
  }

  /** Closed for having been idle for so long. */
  override timedOut(): void {
    if (this.state !== 'idle' || this.handler.mayExpire(this)) this.transport.destroy();
  }

  read(bytes: Buffer, end: number): void {
    const { held } = this;
    if (held === null) this.process(bytes, end);
    else {
      this.held = null;
      this.process(Buffer.concat([held, bytes.subarray(0, end)]), held.length + end);
    }
    done(bytes, end);
  }

  private process(bytes: Buffer, to: number): void {
    let from = 0;
    while (from < to) {
      switch (this.state) {
        case 'waiting':
          from = this.readHead(bytes, from, to);
          break;
        case 'body':
          if (this.body === null) return this.cut('a body that was not expected');
          from = this.readBody(this.body, bytes, from, to);
          break;
        case 'tunnel':
          this.sink?.bytes(bytes, from, to);
          this.exchange?.responsePaused();
          return;
        case 'idle':
          // Bytes that nobody asked for: an answer to a request that was never sent, or the rest of one that was.
          this.transport.destroy();
          return;
        default:
          return;
      }
    }
  }

  private readHead(bytes: Buffer, from: number, to: number): number {
    const { exchange, handler } = this;
    if (exchange === null) return to;
    this.hasAnswered = true;
    const end = SCANNER.response(bytes, from, to, handler.limits);
    const fault = faultOfScan(end);
    if (fault !== null) return this.cutFor(fault, to);
    if (end === 0) {
      this.held = keep(bytes, from, to);
      return to;
    }
    const head = readResponse(SCANNER, bytes, from, end, exchange.method, exchange.toPeer);
    if (typeof head === 'number') return this.cutFor(head, to);
    if (head.status < 200 && head.status !== 101) {
      exchange.informed(head);
      return end;
    }
    return this.begin(head, exchange, bytes, end, to);
  }

  /** Takes what follows on the head, and returns where that ends. */
  private begin(head: ResponseHead, exchange: ClientExchange, bytes: Buffer, from: number, to: number): number {
    const isTunnel = head.status === 101 || (exchange.method === 'CONNECT' && head.status < 300);
    this.isKept = head.keepAlive && !isTunnel;
    if (head.idleHintMs !== null) this.idleHintMs = Math.max(head.idleHintMs - HINT_MARGIN_MS, head.idleHintMs / 2);
    this.state = isTunnel ? 'tunnel' : 'body';
    const first = exchange.responded(head);
    const { exchange: taker } = this;
    // The exchange may have given the connection up, or have it handed over to somebody who reads the rest.
    if (taker === null) return from;
    const { sink, form } = taker === exchange ? first : taker.responded(head);
    if (isTunnel) {
      this.sink = sink;
      if (from === to) taker.responsePaused();
      return from;
    }
    if (head.framing !== 'none')
      return this.readBody(new BodyReader(head.framing, head.length, form, sink), bytes, from, to);
    this.finish(from < to);
    return from;
  }

  /**
   * Remembers the body where it is not complete. Most are, in one read with their head, and what a connection remembers of a
   * young object the collector has to look at: with thousands of connections each is cold in the caches.
   */
  private readBody(body: BodyReader, bytes: Buffer, from: number, to: number): number {
    const { exchange } = this;
    const end = from === to ? from : body.read(bytes, from, to);
    const fault = faultOfScan(end);
    if (fault !== null) return this.cutFor(fault, to);
    if (!body.ended) this.body = body;
    if (this.exchange !== exchange || exchange === null) return to;
    if (body.ended) this.finish(end < to);
    else exchange.responsePaused();
    return end;
  }

  /** The response is complete. `hasMore`: bytes behind it came, which is a reason to trust nothing of it further. */
  private finish(hasMore: boolean): void {
    const { exchange } = this;
    this.exchange = null;
    this.body = null;
    this.sink = null;
    const isFit = this.isKept && !hasMore && exchange?.isSent === true && !this.transport.isClosed;
    if (isFit) {
      this.state = 'idle';
      this.transport.resume();
      // Before the exchange ends: its end may start the next request of the same client, which gets this connection.
      this.handler.idle(this);
    } else {
      this.state = 'closed';
    }
    exchange?.responseEnded();
    if (!isFit) this.transport.destroy();
  }

  private cutFor(fault: Fault, to: number): number {
    this.cut(FAULTS[fault].sentence);
    return to;
  }

  private cut(detail: string): void {
    const { exchange } = this;
    this.exchange = null;
    this.transport.destroy();
    exchange?.responseBroken('bad-response', `${this.handler.where}: ${detail}`, true);
  }

  ended(): void {
    switch (this.state) {
      case 'body':
        // Without a length the body ends with its connection; with one it was cut short, which `close` says.
        if (this.body?.endsWithConnection === true) this.finish(false);
        else this.transport.destroy();
        return;
      case 'tunnel':
        this.exchange?.serverEnded();
        return;
      default:
        this.transport.destroy();
    }
  }

  drained(): void {
    this.exchange?.serverDrained();
  }

  allSent(): void {
    // The server of a tunnel got our end, and answers with its own.
  }

  closed(why: string): void {
    const { exchange, state } = this;
    this.why = why;
    this.exchange = null;
    this.held = null;
    this.state = 'closed';
    this.handler.wheel.forget(this);
    this.handler.closed(this);
    if (exchange === null || state === 'connecting') return;
    exchange.responseBroken('reset', `${this.handler.where}: ${this.reason}`, this.hasAnswered);
  }
}
