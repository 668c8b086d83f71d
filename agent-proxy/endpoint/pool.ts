/**
 * The connections to one address: those in use, those that wait for use, and the requests that wait for one. All three are
 * bounded. The most recently used connection goes first, so that the others grow old and are closed.
 */
import { ClientConnection, type ClientExchange, type ClientHandler } from '../http1/client-connection.ts';
import type { HeadLimits } from '../http1/head-scanner.ts';
import type { TimerWheel } from '../timing/timer-wheel.ts';
import type { Transport } from '../transport/transport.ts';
import type { Connect } from './connect.ts';

/** Times in milliseconds; infinite where there is no limit. */
export interface PoolLimits {
  readonly maxSize: number;
  /** So many connections stay open though they are idle. */
  readonly minSize: number;
  readonly maxWaiters: number;
  /** A connection without a request is closed after so long, and sooner where its server says so. */
  readonly idleMs: number;
  readonly lifeMs: number;
}

/** What all pools of a router share. */
export interface PoolContext {
  readonly wheel: TimerWheel;
  readonly now: () => number;
  readonly headLimits: HeadLimits;
}

/** Hears of the connections that requests open. */
export interface ConnectionListener {
  connected(latencyMs: number): void;
  /** One that was connected is closed. */
  disconnected(lifeMs: number): void;
}

/** A request that needs a connection, and whom a new one counts for. */
export interface PoolUser extends ClientExchange {
  readonly connections: ConnectionListener;
}

/** One connection of a pool, with its place in it: there are thousands of pools of one, so none has lists of its own. */
class Pooled extends ClientConnection {
  /** For whom it is being made. */
  user: PoolUser | null;
  readonly listener: ConnectionListener;
  isConnected = false;
  isInIdle = false;
  /** Its neighbours among those that are idle. */
  newer: Pooled | null = null;
  older: Pooled | null = null;

  constructor(transport: Transport, handler: ClientHandler, user: PoolUser) {
    super(transport, handler);
    this.user = user;
    this.listener = user.connections;
  }
}

export class Pool implements ClientHandler {
  readonly limits: HeadLimits;
  readonly wheel: TimerWheel;
  readonly now: () => number;
  /** Connections, of whatever state. */
  size = 0;
  private readonly address: string;
  private readonly port: number;
  private readonly bounds: PoolLimits;
  private readonly connect: Connect;
  /** The most recently used first. */
  private idleFirst: Pooled | null = null;
  /** Those that are being made; null where there are none, as most of the time. */
  private connecting: Set<Pooled> | null = null;
  private waiters: PoolUser[] | null = null;
  private isClosed = false;

  /** `connect` begins a connection. */
  constructor(address: string, port: number, bounds: PoolLimits, context: PoolContext, connect: Connect) {
    this.address = address;
    this.port = port;
    this.bounds = bounds;
    this.limits = context.headLimits;
    this.wheel = context.wheel;
    this.now = context.now;
    this.connect = connect;
  }

  /** Its address, for messages. */
  get where(): string {
    return `${this.address}:${this.port}`;
  }

  get waiting(): number {
    return this.waiters?.length ?? 0;
  }

  /** The user gets a connection now or later, or hears that there is none. */
  acquire(user: PoolUser): void {
    let connection = this.takeIdle();
    // One that its server has just ended is told to be closed a moment later.
    while (connection?.isClosed === true) connection = this.takeIdle();
    if (connection !== null) connection.use(user);
    else if (this.size < this.bounds.maxSize) this.open(user);
    else if (this.waiting < this.bounds.maxWaiters) this.wait(user);
    else user.unconnected('crowded', `${this.where}: ${this.waiting} requests wait for a connection`);
  }

  /** A user that has no connection yet wants none any more. Says whether it waited for one, or one was being made. */
  cancel(user: PoolUser): 'waited' | 'connecting' {
    const waiting = this.waiters?.indexOf(user) ?? -1;
    if (waiting !== -1) {
      this.waiters?.splice(waiting, 1);
      return 'waited';
    }
    for (const connection of this.connecting ?? []) {
      if (connection.user !== user) continue;
      connection.user = null;
      connection.destroy();
    }
    return 'connecting';
  }

  /** Closes what is idle, now and from now on. What is in use finishes. */
  close(): void {
    this.isClosed = true;
    for (let idle = this.takeIdle(); idle !== null; idle = this.takeIdle()) idle.destroy();
  }

  // ---- what its connections say -----------------------------------------------------------------------------------------

  connected(connection: Pooled): void {
    const { user } = connection;
    this.made(connection);
    connection.isConnected = true;
    connection.user = null;
    connection.listener.connected(this.now() - connection.openedAt);
    if (user === null) connection.destroy();
    else connection.use(user);
  }

  idle(connection: Pooled): void {
    if (this.isClosed || this.hasLived(connection)) {
      connection.destroy();
      return;
    }
    const user = this.waiters?.shift();
    if (user !== undefined) {
      connection.use(user);
      return;
    }
    this.putIdle(connection);
    const { idleMs } = this.bounds;
    const { idleHintMs } = connection;
    this.wheel.armIn(connection, idleHintMs === null ? idleMs : Math.min(idleMs, idleHintMs));
  }

  private hasLived({ openedAt }: Pooled): boolean {
    const { lifeMs } = this.bounds;
    return lifeMs < Number.POSITIVE_INFINITY && this.wheel.time - openedAt >= lifeMs;
  }

  mayExpire(connection: Pooled): boolean {
    if (this.size > this.bounds.minSize || this.isClosed) return true;
    this.wheel.armIn(connection, this.bounds.idleMs);
    return false;
  }

  closed(connection: Pooled): void {
    const { user } = connection;
    connection.user = null;
    this.size -= 1;
    this.made(connection);
    if (connection.isInIdle) this.unlink(connection);
    if (connection.isConnected) connection.listener.disconnected(this.now() - connection.openedAt);
    user?.unconnected('refused', `${this.where}: ${connection.reason}`);
    this.replace();
  }

  // ---- how they come and go -----------------------------------------------------------------------------------------------

  private open(user: PoolUser): void {
    let transport: Transport;
    try {
      transport = this.connect(this.address, this.port);
    } catch (error) {
      // A key or a certificate that cannot be read: not the address' fault, but it cannot be reached either.
      user.unconnected('refused', `${this.where}: ${error instanceof Error ? error.message : String(error)}`);
      return;
    }
    const connection = new Pooled(transport, this, user);
    this.size += 1;
    this.connecting ??= new Set();
    this.connecting.add(connection);
    connection.start();
  }

  private made(connection: Pooled): void {
    this.connecting?.delete(connection);
    if (this.connecting?.size === 0) this.connecting = null;
  }

  private wait(user: PoolUser): void {
    this.waiters ??= [];
    this.waiters.push(user);
  }

  /** A place is free: the first that waits gets a connection of its own. */
  private replace(): void {
    if (this.size >= this.bounds.maxSize) return;
    const user = this.waiters?.shift();
    if (user !== undefined) this.open(user);
  }

  private putIdle(connection: Pooled): void {
    const { idleFirst } = this;
    connection.older = idleFirst;
    if (idleFirst !== null) idleFirst.newer = connection;
    this.idleFirst = connection;
    connection.isInIdle = true;
  }

  private takeIdle(): Pooled | null {
    const { idleFirst } = this;
    if (idleFirst !== null) this.unlink(idleFirst);
    return idleFirst;
  }

  private unlink(connection: Pooled): void {
    const { newer, older } = connection;
    if (newer === null) this.idleFirst = older;
    else newer.older = older;
    if (older !== null) older.newer = newer;
    connection.newer = null;
    connection.older = null;
    connection.isInIdle = false;
  }
}
