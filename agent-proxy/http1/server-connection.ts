/**
 * The server side of a connection: reads one request after the other, hands each to the walk, and has its answer
 * written. A pipelined request waits until the answer before it is complete (RFC 9112, 9.3.2).
 */
import { Timed } from '../timing/timer-wheel.ts';
import { done, keep } from '../transport/read-buffers.ts';
import type { Transport, TransportUser } from '../transport/transport.ts';
import { BodyReader } from './body-reader.ts';
import { CONTINUE, EndedClient } from './ended-client.ts';
import { FAULT, type Fault, faultOfScan } from './faults.ts';
import { HangUp } from './hang-up.ts';
import { SCANNER } from './head-scanner.ts';
import { type RequestHead, readRequest } from './request-head.ts';
import type { ServerExchange, ServerHandler } from './server-exchange.ts';
import type { ServerState } from './server-state.ts';
import { TransportWriter } from './transport-writer.ts';

/** What is read of a body that nobody wants any more, before the connection is cut. */
const MOST_DISCARDED = 1024 * 1024;
/** What a client may send ahead of its turn; then it is not read from any more. */
const MOST_AHEAD = 64 * 1024;

export class ServerConnection extends Timed implements TransportUser {
  readonly transport: Transport;
  readonly writer: TransportWriter;
  private readonly handler: ServerHandler<ServerConnection>;
  private readonly openedAt: number;
  private state: ServerState = 'head';
  private head: RequestHead | null = null;
  private exchange: ServerExchange | null = null;
  private body: BodyReader | null = null;
  /** Bytes that came before their turn, or the beginning of a head. */
  private ahead: Buffer | null = null;
  private discarded = 0;
  private hangingUp: HangUp | null = null;
  /** The client has ended its side. */
  private endedClient: EndedClient | null = null;
  private wasTold = false;
  private isInHead = false;
  private isProcessing = false;

  constructor(transport: Transport, handler: ServerHandler<ServerConnection>) {
    super();
    this.transport = transport;
    this.handler = handler;
    this.writer = new TransportWriter(transport);
    this.openedAt = handler.wheel.time;
    this.arm(handler.timeouts.idle);
    transport.start(this);
  }

  get remoteAddress(): string {
    return this.transport.remote?.address ?? '-';
  }

  // ---- for the exchange ---------------------------------------------------------------------------------------------

  /** Tells the client to send its body. */
  sendContinue(): void {
    this.wasTold = true;
    this.writer.text(CONTINUE);
    this.writer.flush();
  }

  pauseRequest(): void {
    this.transport.pause();
    this.handler.wheel.disarm(this);
  }

  resumeRequest(): void {
    this.transport.resume();
    if (this.state === 'request' && this.body?.ended === false) this.arm(this.handler.timeouts.body);
  }

  /** Whether the connection can go on after the present request, as far as is known when its answer begins. */
  get mayKeepAlive(): boolean {
    const { handler, head, body } = this;
    if (head === null || !head.keepAlive || handler.isDraining) return false;
    // It has sent its last request, unless there are more that wait for their turn.
    if (this.endedClient !== null && this.ahead === null) return false;
    // A client that was not told to send its body may send it or not (RFC 9110, 10.1.1): nobody can know.
    if (head.expectsContinue && !this.wasTold && body?.ended === false) return false;
    if (handler.wheel.time - this.openedAt < handler.timeouts.life) return true;
    handler.counts.lifetimeCloses += 1;
    return false;
  }

  /** The whole answer was written; `keepAlive` is what its head has told the client. */
  finish(keepAlive: boolean): void {
    if (this.state !== 'request') return;
    this.exchange = null;
    if (!keepAlive) this.hangUp();
    else if (this.body?.ended === false) this.discard();
    else this.next();
  }

  /** Cuts the connection: the client must see that its answer is not complete. */
  abort(): void {
    // To HTTP/1.0 the end of the connection may be the end of the body (RFC 9112, 6.3): it has to be told otherwise.
    if (this.state === 'request' && this.head?.version === '1.0') this.transport.reset();
    else this.transport.destroy();
  }

  /** From now on the bytes of the client go to the exchange as they come. */
  tunnel(): void {
    this.state = 'tunnel';
    this.handler.wheel.disarm(this);
    const { ahead, exchange } = this;
    this.ahead = null;
    if (ahead !== null) exchange?.requestSink.bytes(ahead, 0, ahead.length);
    exchange?.requestPaused();
    if (this.endedClient !== null) exchange?.clientEnded();
    else this.transport.resume();
  }

  /** The other side of a tunnel has ended; this one may still send. */
  endTunnel(): void {
    this.writer.flushNow();
    this.transport.end();
  }

  // ---- for the listener ---------------------------------------------------------------------------------------------

  /** Closes the connection if nothing is under way; else it ends with its present request. */
  drain(): void {
    if (this.state === 'head' && this.ahead === null) this.transport.destroy();
  }

  // ---- what the transport and the clock say -----------------------------------------------------------------------------

  connected(): void {
    // It was accepted.
  }

  read(bytes: Buffer, end: number): void {
    this.handler.counts.receivedBytes += end;
    const { ahead } = this;
    if (ahead === null) this.processAll(bytes, end);
    else {
      this.ahead = null;
      this.processAll(Buffer.concat([ahead, bytes.subarray(0, end)]), ahead.length + end);
    }
    done(bytes, end);
  }

  private processAll(bytes: Buffer, to: number): void {
    this.isProcessing = true;
    this.process(bytes, to);
    this.isProcessing = false;
  }

  private process(bytes: Buffer, to: number): void {
    let from = 0;
    while (from < to) {
      switch (this.state) {
        case 'head':
          // A client that does not read its answers does not get to make more of them.
          if (this.writer.isFull) return this.hold(bytes, from, to);
          from = this.readHead(bytes, from, to);
          break;
        case 'request':
        case 'discard':
          if (this.body === null || this.body.ended) return this.hold(bytes, from, to);
          from = this.readBody(this.body, bytes, from, to);
          break;
        case 'tunnel':
          this.exchange?.requestSink.bytes(bytes, from, to);
          this.exchange?.requestPaused();
          return;
        case 'closing':
          this.drop(to - from);
          return;
        case 'closed':
          return;
      }
    }
  }

  /** Returns the offset up to which the bytes are dealt with. */
  private readHead(bytes: Buffer, start: number, to: number): number {
    const { handler } = this;
    let from = start;
    // Empty lines before a request are ignored (RFC 9112, 2.2).
    while (from + 1 < to && bytes[from] === 0x0d && bytes[from + 1] === 0x0a) from += 2;
    if (from === to) return from;
    const end = SCANNER.request(bytes, from, to, handler.limits);
    const fault = faultOfScan(end);
    if (fault !== null) {
      this.refuse(fault);
      return to;
    }
    if (end === 0) {
      // The time runs from the first byte on: more bytes do not buy more time.
      if (this.ahead === null && !this.isInHead) this.arm(handler.timeouts.head);
      this.isInHead = true;
      this.ahead = keep(bytes, from, to);
      return to;
    }
    this.isInHead = false;
    const head = readRequest(SCANNER, bytes, from, end);
    if (typeof head === 'number') {
      this.refuse(head);
      return to;
    }
    this.begin(head);
    return end;
  }

  private begin(head: RequestHead): void {
    const { handler } = this;
    const exchange = handler.exchange(this, head);
    this.head = head;
    this.exchange = exchange;
    this.state = 'request';
    this.wasTold = false;
    if (head.framing === 'none') {
      this.body = null;
      if (this.endedClient === null) handler.wheel.disarm(this);
      else this.waitForEnded(this.endedClient);
    } else {
      this.body = new BodyReader(head.framing, head.length, 'framed', exchange.requestSink);
      this.arm(handler.timeouts.body);
    }
    exchange.begin();
  }

  private readBody(body: BodyReader, bytes: Buffer, from: number, to: number): number {
    const { exchange } = this;
    const end = body.read(bytes, from, to);
    const fault = faultOfScan(end);
    if (fault !== null) {
      this.breakOff(fault);
      return to;
    }
    if (exchange === null) this.drop(end - from);
    if (!body.ended) {
      if (exchange !== null && exchange === this.exchange) {
        if (!this.transport.isPaused) this.arm(this.handler.timeouts.body);
        exchange.requestPaused();
      }
      return end;
    }
    this.handler.wheel.disarm(this);
    // The last piece may have been all that the answer waited for.
    if (exchange !== null && exchange === this.exchange) exchange.requestEnded();
    else if (this.state === 'discard') this.next();
    return end;
  }

  private breakOff(fault: Fault): void {
    const { exchange } = this;
    if (exchange === null) {
      // Its answer is complete and may still be here, with those before it.
      this.hangUp();
      return;
    }
    this.exchange = null;
    const { isAnswered } = exchange;
    exchange.requestBroken(fault);
    if (isAnswered) this.transport.destroy();
    else this.refuse(fault, true);
  }

  /** Answers on the bare connection, and ends it: where a next request would begin cannot be known. */
  private refuse(fault: Fault, ofExchange = false): void {
    this.writer.text(this.handler.refusal(this, fault, ofExchange));
    this.hangUp();
  }

  private hold(bytes: Buffer, from: number, to: number): void {
    this.ahead = keep(bytes, from, to);
    if (this.ahead.length > MOST_AHEAD || this.writer.isFull) this.transport.pause();
  }

  private discard(): void {
    this.state = 'discard';
    this.discarded = 0;
    this.transport.resume();
    this.arm(this.handler.timeouts.body);
  }

  private drop(count: number): void {
    this.discarded += count;
    if (this.discarded > MOST_DISCARDED) this.transport.destroy();
  }

  private next(): void {
    if (this.endedClient !== null && this.ahead === null) {
      this.hangUp();
      return;
    }
    this.state = 'head';
    this.arm(this.handler.timeouts.idle);
    if (!this.isProcessing) this.goOn();
  }

  /** Reads on, beginning with what came before its turn. */
  private goOn(): void {
    const { ahead } = this;
    this.transport.resume();
    if (ahead === null) return;
    this.ahead = null;
    this.processAll(ahead, ahead.length);
  }

  /** Our side ends. The client may read on for a while before the connection is cut. */
  private hangUp(): void {
    this.state = 'closing';
    this.discarded = 0;
    this.hangingUp = new HangUp(this.transport, this.writer);
    this.transport.resume();
    this.arm(this.hangingUp.patienceMs);
  }

  allSent(): void {
    if (this.hangingUp === null) return;
    if (this.endedClient !== null) this.transport.destroy();
    else if (this.state !== 'closed') this.arm(this.hangingUp.lingerMs);
  }

  drained(): void {
    if (this.state === 'head') this.goOn();
    else this.exchange?.clientDrained();
  }

  ended(): void {
    this.endedClient = new EndedClient();
    switch (this.state) {
      case 'request':
        // It may have ended its side only, to say that this was its last request: the answer goes on its way.
        if (this.body?.ended === false) this.transport.destroy();
        else this.waitForEnded(this.endedClient);
        return;
      case 'tunnel':
        this.exchange?.clientEnded();
        return;
      case 'head':
        // Answers that it has asked for may still be on their way to it.
        if (this.writer.unsent > 0) this.hangUp();
        else this.transport.destroy();
        return;
      case 'closing':
        if (this.transport.isAllSent) this.transport.destroy();
        return;
      default:
        this.transport.destroy();
    }
  }

  private waitForEnded(ended: EndedClient): void {
    if (this.exchange?.isAnswered !== false) this.arm(ended.beforeLooking(this.writer.written));
    // HTTP/1.0 has no 1xx: such a client is taken at its word.
    else if (this.head?.version === '1.1') this.arm(ended.beforeAsking());
  }

  private lookAtEnded(ended: EndedClient): void {
    if (this.exchange?.isAnswered === false) {
      this.sendContinue();
    } else if (!ended.gotMore(this.writer.written, this.writer.unsent)) {
      this.transport.destroy();
      return;
    }
    this.waitForEnded(ended);
  }

  closed(): void {
    const { exchange } = this;
    this.state = 'closed';
    this.exchange = null;
    this.ahead = null;
    this.handler.wheel.forget(this);
    exchange?.clientGone();
    this.handler.closed(this);
  }

  private arm(ms: number): void {
    this.handler.wheel.armIn(this, ms);
  }

  override timedOut(): void {
    switch (this.state) {
      case 'head':
        if (this.isInHead) this.refuse(FAULT.slowHead);
        else {
          this.handler.counts.idleCloses += 1;
          this.transport.destroy();
        }
        return;
      case 'request':
        if (this.body?.ended === false) this.breakOff(FAULT.slowBody);
        else if (this.endedClient !== null) this.lookAtEnded(this.endedClient);
        return;
      case 'closing':
        if (this.hangingUp?.goesOn() === true) this.arm(this.hangingUp.patienceMs);
        else this.transport.destroy();
        return;
      default:
        this.transport.destroy();
    }
  }
}
