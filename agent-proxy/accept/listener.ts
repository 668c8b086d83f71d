/**
 * A listening address of a router: accepts connections on a descriptor that the supervisor bound, bounds what it takes on,
 * and drains.
 */
import type { Server } from 'node:net';
import type { ServerConfig } from '../config/schema/linkerd.ts';
import type { Entrance } from '../exchange/entrance.ts';
import { Exchange, type ExchangeHooks } from '../exchange/exchange.ts';
import type { RouterRuntime } from '../exchange/router-runtime.ts';
import { codeOfFault, FAULTS, type Fault } from '../http1/faults.ts';
import type { HeadLimits } from '../http1/head-scanner.ts';
import type { RequestHead } from '../http1/request-head.ts';
import { ServerConnection } from '../http1/server-connection.ts';
import type { ServerExchange, ServerHandler, ServerTimeouts } from '../http1/server-exchange.ts';
import { errorResponse, errorText } from '../respond/error-response.ts';
import type { ServerScope } from '../telemetry/server-scope.ts';
import type { TimerWheel } from '../timing/timer-wheel.ts';
import { acceptor } from '../transport/accepting.ts';
import { shorterOf } from '../transport/socket-timeout.ts';
import type { Transport } from '../transport/transport.ts';
import { DESCRIPTORS } from './descriptors.ts';
import type { EndingListener } from './ending.ts';
import { makeEntrance } from './make-entrance.ts';

/** Hears of bytes that were no request. */
export type Unparsed = (connection: ServerConnection, fault: Fault, scope: ServerScope) => void;

export interface ListenerOptions {
  readonly config: ServerConfig;
  readonly limits: HeadLimits;
  readonly runtime: RouterRuntime;
  readonly hooks: ExchangeHooks;
  readonly scope: ServerScope;
  /** Connections at a time of all listeners together, as the process' limit of open files allows. */
  readonly connections: ConnectionLimit;
  /** Its callers are on this node. */
  readonly isLocal: boolean;
  readonly unparsed: Unparsed;
}

const NEVER = Number.POSITIVE_INFINITY;

/** How many connections of clients a process may have. All of its listeners count them together. */
export class ConnectionLimit {
  private readonly most: number;
  private open = 0;

  constructor(most: number) {
    this.most = most;
  }

  take(): boolean {
    if (this.open >= this.most) return false;
    this.open += 1;
    return true;
  }

  giveBack(): void {
    this.open -= 1;
  }
}

export class Listener implements ServerHandler<ServerConnection>, EndingListener {
  /** One for each descriptor of its socket; the first will do. */
  readonly servers: readonly Server[];
  readonly isLocal: boolean;
  readonly limits: HeadLimits;
  readonly timeouts: ServerTimeouts;
  readonly wheel: TimerWheel;
  readonly now: () => number;
  readonly counts: ServerScope;
  isDraining = false;
  private readonly runtime: RouterRuntime;
  private readonly hooks: ExchangeHooks;
  private readonly entrance: Entrance;
  private readonly unparsed: Unparsed;
  private readonly limit: ConnectionLimit;
  private readonly most: number;
  private readonly connections = new Set<ServerConnection>();
  /** Hears when no connection is left, once no other can come. */
  private emptied: (() => void) | null = null;
  private lastRequestAt = Number.NEGATIVE_INFINITY;

  constructor(options: ListenerOptions) {
    const { config, limits, runtime, hooks, scope, unparsed } = options;
    this.isLocal = options.isLocal;
    this.limit = options.connections;
    const { serverSession, socketOptions, nodemesh } = config;
    this.limits = limits;
    this.runtime = runtime;
    this.hooks = hooks;
    this.wheel = runtime.wheel;
    this.now = runtime.now;
    this.counts = scope;
    this.unparsed = unparsed;
    this.timeouts = {
      head: nodemesh.headTimeoutMs ?? NEVER,
      idle: serverSession.idleTimeMs ?? NEVER,
      body: nodemesh.bodyTimeoutMs ?? NEVER,
      life: serverSession.lifeTimeMs ?? NEVER,
    };
    this.entrance = makeEntrance(config, runtime.label, scope, runtime.random);
    const { noDelay, keepAlive, readTimeoutMs, writeTimeoutMs } = socketOptions;
    const tcp = { noDelay, keepAlive, idleMs: shorterOf(readTimeoutMs, writeTimeoutMs) };
    this.most = nodemesh.maxConnections ?? NEVER;
    this.servers = Array.from({ length: DESCRIPTORS }, () => acceptor(tcp, (transport) => this.accept(transport)));
  }

  exchange(connection: ServerConnection, head: RequestHead): ServerExchange {
    const exchange = new Exchange(this.runtime, this.hooks, connection, head, this.entrance);
    this.lastRequestAt = exchange.startedAt;
    return exchange;
  }

  refusal(connection: ServerConnection, fault: Fault, ofExchange: boolean): string {
    const { status, sentence } = FAULTS[fault];
    if (!ofExchange) this.unparsed(connection, fault, this.entrance.scope);
    return errorText(errorResponse({ code: codeOfFault(fault), detail: sentence }, false, status), null, false);
  }

  closed(connection: ServerConnection): void {
    this.entrance.scope.connections -= 1;
    this.connections.delete(connection);
    this.limit.giveBack();
    if (this.connections.size === 0) this.emptied?.();
  }

  // ---- how it ends (ending.ts) ----------------------------------------------------------------------------------------

  async close(): Promise<void> {
    this.isDraining = true;
    const closed = this.servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve())));
    await Promise.all(closed);
    if (this.connections.size === 0) return;
    await new Promise<void>((resolve) => {
      this.emptied = resolve;
    });
  }

  isQuiet(ms: number): boolean {
    return this.entrance.scope.pending === 0 && this.now() - this.lastRequestAt >= ms;
  }

  closeIdle(): void {
    // Behind the poll phase: a request that the kernel has already is read first, and its connection idle no more.
    setImmediate(() => {
      // Nor is one whose client is still to read its answer.
      for (const connection of this.connections) if (connection.writer.unsent === 0) connection.drain();
    });
  }

  /** Cuts what is left. */
  destroy(): void {
    for (const connection of this.connections) connection.abort();
  }

  private accept(transport: Transport): void {
    if (this.connections.size >= this.most || !this.limit.take()) {
      // Without an answer: writing one to each would be work for those that there are too many of.
      transport.destroy();
      return;
    }
    this.counts.connects += 1;
    this.counts.connections += 1;
    this.connections.add(new ServerConnection(transport, this));
  }
}
