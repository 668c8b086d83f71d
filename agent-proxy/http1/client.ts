/**
 * The client side of HTTP/1.1, on `node:http` for now: pools of kept connections, and one attempt at one address. An
 * attempt ends in exactly one of a response or a failure, and a failure says whether a byte may have been sent.
 */
import { Agent, type AgentOptions, type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { BodySink } from './body.ts';
import { isCodedOtherwise } from './headers.ts';
import { headerOf, type RequestHead, type ResponseHead } from './message.ts';

const CONNECT_TIMEOUT_MS = 1_000;
/** For a connection of a pool whose connections are all in use. */
const WAIT_TIMEOUT_MS = 1_000;
const MAX_HEAD_BYTES = 32 * 1024;
/** A server that says when it will hang up is left so much earlier, or a request may cross its FIN. */
const HINT_MARGIN_MS = 1_000;

export interface PoolOptions {
  /** Connections to one address. */
  readonly maxConnections: number;
  /** Requests to one address that wait for a connection. */
  readonly maxWaiting: number;
  /** Unused connections to one address that are kept. */
  readonly maxIdle: number;
  readonly idleMs: number;
}

/** Hears of the connections that an attempt opened. */
export interface ConnectionListener {
  connected(latencyMs: number): void;
  /** One that was connected is closed. */
  disconnected(): void;
}

export interface AttemptTarget {
  readonly address: string;
  readonly port: number;
  /** Given up when there was no byte of a response, and no progress of the request's body, for so long. */
  readonly timeoutMs: number;
  readonly connections: ConnectionListener;
}

export type AttemptFailure =
  /** Not connected, so nothing was sent. */
  | { readonly kind: 'unconnected'; readonly detail: string }
  /** All connections that there may be are in use: nothing was sent, and nothing is known of the address. */
  | { readonly kind: 'crowded'; readonly detail: string }
  /** The connection ended without a response. `reused`: it may have been closed before the request came. */
  | { readonly kind: 'unanswered'; readonly detail: string; readonly reused: boolean }
  | { readonly kind: 'timeout'; readonly detail: string }
  | { readonly kind: 'bad-response'; readonly detail: string }
  | { readonly kind: 'bad-request'; readonly detail: string };

export interface AttemptListener {
  onResponse(head: ResponseHead, body: IncomingMessage): void;
  onFailure(failure: AttemptFailure): void;
}

class PoolAgent extends Agent {
  private readonly idleMs: number;

  constructor(options: AgentOptions & { readonly timeout: number }) {
    super(options);
    this.idleMs = options.timeout;
  }

  override keepSocketAlive(socket: Duplex): boolean {
    // Declared as void, and documented to decide whether the connection is kept.
    const kept = super.keepSocketAlive(socket) as unknown as boolean;
    const { timeout } = socket as Socket;
    if (timeout !== undefined && timeout < this.idleMs) {
      (socket as Socket).setTimeout(Math.max(timeout - HINT_MARGIN_MS, timeout / 2));
    }
    return kept;
  }
}

/** Methods that `node:http` sends without a body unless it is told of one. */
const BODILESS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'DELETE', 'OPTIONS', 'TRACE']);

/** For the other methods it announces a chunked body where the headers announce none: then there is none. */
function framed(method: string, headers: string[]): readonly string[] {
  if (BODILESS.has(method)) return headers;
  const announced = headerOf(headers, 'content-length') ?? headerOf(headers, 'transfer-encoding');
  return announced === null ? [...headers, 'Content-Length', '0'] : headers;
}

/** Knows of nothing else, so that a connection keeps nothing alive of the attempt that opened it. */
function watch(socket: Socket, connections: ConnectionListener): void {
  const begunAt = performance.now();
  socket.once('connect', () => {
    connections.connected(performance.now() - begunAt);
    socket.once('close', () => connections.disconnected());
  });
}

export class ClientPool {
  /** Connections that were begun. */
  connects = 0;
  readonly agent: Agent;
  readonly maxWaiting: number;

  constructor(options: PoolOptions) {
    this.maxWaiting = options.maxWaiting;
    this.agent = new PoolAgent({
      keepAlive: true,
      maxSockets: options.maxConnections,
      maxFreeSockets: options.maxIdle,
      timeout: options.idleMs,
      // The most recently used first: the others grow old and are closed.
      scheduling: 'lifo',
      noDelay: true,
    });
  }

  /** Starts an attempt. The address is an IP: nothing is resolved on a request's path. */
  send(to: AttemptTarget, head: RequestHead, headers: string[], listener: AttemptListener): Attempt {
    return new Attempt(this, to, head, headers, listener);
  }

  /** Requests to an address that have no connection, with those that gave up and are still in the queue. */
  waiting(address: string, port: number): number {
    return this.agent.requests[this.agent.getName({ host: address, port })]?.length ?? 0;
  }

  close(): void {
    this.agent.destroy();
  }
}

export class Attempt implements BodySink {
  onDrain: (() => void) | null = null;
  private readonly pool: ClientPool;
  private readonly where: string;
  private readonly connections: ConnectionListener;
  private readonly listener: AttemptListener;
  private request: ClientRequest | null = null;
  private connected = false;
  private reused = false;
  /** Failed or cancelled: nothing is written any more. */
  private over = false;
  /** The head of the response came. The request's body may still be on its way: it goes on. */
  private answered = false;
  /** Bytes of the body that its head announces; null where it is chunked or there is none. */
  private readonly announced: number | null;
  private written = 0;
  private waitTimer: NodeJS.Timeout | null = null;
  private connectTimer: NodeJS.Timeout | null = null;
  private readonly headTimer: NodeJS.Timeout;

  constructor(
    pool: ClientPool,
    { address, port, timeoutMs, connections }: AttemptTarget,
    head: RequestHead,
    headers: string[],
    listener: AttemptListener,
  ) {
    this.pool = pool;
    this.where = `${address}:${port}`;
    this.connections = connections;
    this.listener = listener;
    this.headTimer = setTimeout(() => {
      this.fail({ kind: 'timeout', detail: `${this.where} gave no response within ${timeoutMs} ms` });
    }, timeoutMs);
    const length = headerOf(headers, 'content-length');
    this.announced = length === null ? null : Number(length);
    if (pool.waiting(address, port) >= pool.maxWaiting) {
      // Told later, as below.
      queueMicrotask(() => this.crowded(`${pool.maxWaiting} requests wait for a connection`));
      return;
    }
    try {
      this.request = httpRequest({
        agent: pool.agent,
        host: address,
        port,
        method: head.method,
        path: head.target,
        // Names and values in turn, which keeps duplicates and order.
        headers: framed(head.method, headers),
        setHost: false,
        maxHeaderSize: MAX_HEAD_BYTES,
      });
    } catch (error) {
      // A header or a target that node:http does not write. Told later: the caller does not have this object yet.
      const detail = error instanceof Error ? error.message : String(error);
      queueMicrotask(() => this.fail({ kind: 'bad-request', detail }));
      return;
    }
    // Node's limit drops headers silently, `Content-Length` among them; the head's size is bounded above.
    this.request.maxHeadersCount = 0;
    if (pool.waiting(address, port) > 0) {
      const wait = (): void => this.crowded(`no connection became free within ${WAIT_TIMEOUT_MS} ms`);
      this.waitTimer = setTimeout(wait, WAIT_TIMEOUT_MS);
    }
    this.request.on('socket', (socket) => this.socketGiven(socket));
    this.request.on('drain', () => this.onDrain?.());
    this.request.on('error', (error: NodeJS.ErrnoException) => this.errored(error));
    this.request.on('response', (response) => this.responded(response));
  }

  write(chunk: Buffer): boolean {
    if (this.request === null || this.over) return true;
    // A timer that was cleared would run again.
    if (!this.answered) this.headTimer.refresh();
    this.written += chunk.length;
    return this.request.write(chunk);
  }

  end(): void {
    if (this.request === null || this.over) return;
    if (!this.answered) this.headTimer.refresh();
    this.request.end();
  }

  /** Nobody wants the answer any more. The listener hears nothing further. */
  cancel(): void {
    this.over = true;
    this.clearTimers();
    this.request?.destroy();
  }

  private socketGiven(socket: Socket): void {
    if (this.waitTimer !== null) clearTimeout(this.waitTimer);
    if (!socket.connecting) {
      this.connected = true;
      this.reused = this.request?.reusedSocket === true;
      return;
    }
    this.pool.connects += 1;
    watch(socket, this.connections);
    this.connectTimer = setTimeout(() => {
      const detail = `${this.where} did not accept a connection within ${CONNECT_TIMEOUT_MS} ms`;
      this.fail({ kind: 'unconnected', detail });
    }, CONNECT_TIMEOUT_MS);
    socket.once('connect', () => {
      this.connected = true;
      if (this.connectTimer !== null) clearTimeout(this.connectTimer);
    });
  }

  private errored(error: NodeJS.ErrnoException): void {
    const what = error.code ?? error.message;
    if (!this.connected) this.fail({ kind: 'unconnected', detail: `${this.where}: ${what}` });
    else if (what.startsWith('HPE_')) this.fail({ kind: 'bad-response', detail: `${this.where}: ${error.message}` });
    else this.fail({ kind: 'unanswered', detail: `${this.where}: ${what}`, reused: this.reused });
  }

  private responded(response: IncomingMessage): void {
    if (this.over) return;
    if (isCodedOtherwise(response.rawHeaders)) {
      response.on('error', () => undefined);
      this.fail({ kind: 'bad-response', detail: `${this.where}: a Transfer-Encoding that is not chunked` });
      return;
    }
    this.answered = true;
    this.clearTimers();
    response.once('end', () => this.ended());
    const head = {
      status: response.statusCode ?? 502,
      reason: response.statusMessage ?? '',
      headers: response.rawHeaders,
    };
    this.listener.onResponse(head, response);
  }

  /** The response is complete. A request that is not would have the next one of its connection taken for its rest. */
  private ended(): void {
    const isShort = this.announced !== null && this.written < this.announced;
    if (this.request?.writableFinished === true && !isShort) return;
    this.over = true;
    this.request?.destroy();
    // Where node:http has already let go of the connection, the request no longer destroys it.
    this.request?.socket?.destroy();
  }

  private crowded(why: string): void {
    this.fail({ kind: 'crowded', detail: `${this.where}: ${why}` });
  }

  private fail(failure: AttemptFailure): void {
    if (this.over || this.answered) return;
    this.over = true;
    this.clearTimers();
    this.request?.destroy();
    this.listener.onFailure(failure);
  }

  private clearTimers(): void {
    clearTimeout(this.headTimer);
    if (this.waitTimer !== null) clearTimeout(this.waitTimer);
    if (this.connectTimer !== null) clearTimeout(this.connectTimer);
  }
}
