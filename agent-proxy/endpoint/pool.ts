/**
 * The connections to one address: those in use, those that wait for use, and the requests that wait for one. All three are
 * bounded. The most recently used connection goes first, so that the others grow old and are closed.
 */
import { ClientConnection, type ClientExchange, type ClientHandler } from '../http1/client-connection.ts';
import type { HeadLimits } from '../http1/head-scanner.ts';
import type { TimerWheel } from '../timing/timer-wheel.ts';
import type { Transport } from '../transport/transport.ts';

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

/** A connection that is being made, or is connected, and for whom. */
interface Opening {
  user: PoolUser | null;
  readonly listener: ConnectionListener;
  isConnected: boolean;
}

export class Pool implements ClientHandler {
  readonly limits: HeadLimits;
  readonly wheel: TimerWheel;
  readonly now: () => number;
  private readonly where: string;
  private readonly bounds: PoolLimits;
  private readonly connect: () => Transport;
  private readonly idleConnections: ClientConnection[] = [];
  private readonly waiters: PoolUser[] = [];
  private readonly all = new Map<ClientConnection, Opening>();
  private isClosed = false;

  /** `connect` begins a connection; `where` is its address, for messages. */
  constructor(where: string, bounds: PoolLimits, context: PoolContext, connect: () => Transport) {
    this.where = where;
    this.bounds = bounds;
    this.limits = context.headLimits;
    this.wheel = context.wheel;
    this.now = context.now;
    this.connect = connect;
  }

  get size(): number {
    return this.all.size;
  }

  get waiting(): number {
    return this.waiters.length;
  }

  /** The user gets a connection now or later, or hears that there is none. */
  acquire(user: PoolUser): void {
    let connection = this.idleConnections.pop();
    // One that its server has just ended is told to be closed a moment later.
    while (connection?.isClosed === true) connection = this.idleConnections.pop();
    if (connection !== undefined) connection.use(user);
    else if (this.all.size < this.bounds.maxSize) this.open(user);
    else if (this.waiters.length < this.bounds.maxWaiters) this.waiters.push(user);
    else user.unconnected('crowded', `${this.where}: ${this.waiters.length} requests wait for a connection`);
  }

  /** A user that has no connection yet wants none any more. Says whether it waited for one, or one was being made. */
  cancel(user: PoolUser): 'waited' | 'connecting' {
    const waiting = this.waiters.indexOf(user);
    if (waiting !== -1) {
      this.waiters.splice(waiting, 1);
      return 'waited';
    }
    for (const [connection, opening] of this.all) {
      if (opening.user !== user || !connection.isConnecting) continue;
      opening.user = null;
      connection.destroy();
    }
    return 'connecting';
  }

  /** Closes what is idle, now and from now on. What is in use finishes. */
  close(): void {
    this.isClosed = true;
    for (const connection of this.idleConnections.splice(0)) connection.destroy();
  }

  connected(connection: ClientConnection): void {
    const opening = this.all.get(connection);
    if (opening === undefined) return;
    const { user } = opening;
    opening.isConnected = true;
    opening.user = null;
    opening.listener.connected(this.now() - connection.openedAt);
    if (user === null) connection.destroy();
    else connection.use(user);
  }

  idle(connection: ClientConnection): void {
    if (this.wheel.time - connection.openedAt >= this.bounds.lifeMs || this.isClosed) {
      connection.destroy();
      return;
    }
    const user = this.waiters.shift();
    if (user !== undefined) {
      connection.use(user);
      return;
    }
    this.idleConnections.push(connection);
    const idleMs = Math.min(this.bounds.idleMs, connection.idleHintMs);
    if (idleMs < Number.POSITIVE_INFINITY) this.wheel.armIn(connection, idleMs);
  }

  mayExpire(connection: ClientConnection): boolean {
    if (this.all.size > this.bounds.minSize || this.isClosed) return true;
    this.wheel.armIn(connection, this.bounds.idleMs);
    return false;
  }

  closed(connection: ClientConnection): void {
    const opening = this.all.get(connection);
    if (opening === undefined) return;
    this.all.delete(connection);
    const at = this.idleConnections.lastIndexOf(connection);
    if (at !== -1) this.idleConnections.splice(at, 1);
    if (opening.isConnected) opening.listener.disconnected(this.now() - connection.openedAt);
    opening.user?.unconnected('refused', `${this.where}: ${connection.reason}`);
    this.replace();
  }

  private open(user: PoolUser): void {
    let transport: Transport;
    try {
      transport = this.connect();
    } catch (error) {
      // A key or a certificate that cannot be read: not the address' fault, but it cannot be reached either.
      user.unconnected('refused', `${this.where}: ${error instanceof Error ? error.message : String(error)}`);
      return;
    }
    const connection = new ClientConnection(transport, this.where, this);
    this.all.set(connection, { user, listener: user.connections, isConnected: false });
    connection.start();
  }

  /** A place is free: the first that waits gets a connection of its own. */
  private replace(): void {
    if (this.all.size >= this.bounds.maxSize) return;
    const user = this.waiters.shift();
    if (user !== undefined) this.open(user);
  }
}
