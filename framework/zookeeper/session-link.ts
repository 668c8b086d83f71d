/**
 * What keeps a session alive: one connection after another, probes, and the session's clock. It ends when a server says
 * so, when the clock does, or when it is told to; then it stays ended.
 */

import { type Server, serversText } from './connect-string.ts';
import { Connection, type ConnectionOwner } from './connection.ts';
import { ZooKeeperError } from './errors.ts';
import type { Hello, WatchEvent } from './protocol.ts';
import { SessionClock } from './session-clock.ts';
import { WaitingRoom } from './waiting-room.ts';

export interface SessionOptions {
  readonly servers: readonly Server[];
  /** `user:password` for the scheme `digest`; nodes are then made for their maker alone. */
  readonly auth: string | null;
  /** What to ask for; the ensemble grants 2 to 20 of its ticks (4 to 40 s with ZooKeeper's defaults). */
  readonly timeoutMs: number;
  /** How long to look for a server at first. */
  readonly openMs: number;
  /** Gives up looking for a server at first. */
  readonly signal?: AbortSignal;
  /** How long an operation may wait for a connection. */
  readonly operationMs: number;
  /** Connections made and lost, for a log. */
  readonly note: (fields: object, message: string) => void;
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number;
  /** In [0, 1). */
  readonly random: () => number;
}

export interface LinkOwner {
  /** There is a connection: the first one, or another one, in which case events may have been missed. */
  connected(): void;
  event(event: WatchEvent): void;
}

/** Between two rounds over all servers. */
const PAUSE_MS = 100;
const MIN_HANDSHAKE_MS = 250;

type State =
  /** Between a connection that broke and the next attempt. */
  | { readonly kind: 'pausing'; readonly timer: NodeJS.Timeout }
  | { readonly kind: 'connecting'; readonly connection: Connection }
  | { readonly kind: 'connected'; readonly connection: Connection }
  /** Lost or closed; for ever. */
  | { readonly kind: 'ended'; readonly error: ZooKeeperError };

export class SessionLink {
  readonly options: SessionOptions;
  readonly #owner: LinkOwner;
  readonly #servers: readonly Server[];
  readonly #waiting = new WaitingRoom();
  readonly #listeners = new Set<(error: ZooKeeperError) => void>();
  #state: State;
  /** Null until the first handshake. */
  #clock: SessionClock | null = null;
  #alarm: NodeJS.Timeout | null = null;
  #id: Omit<Hello, 'timeoutMs'> = { sessionId: 0n, password: Buffer.alloc(16), lastZxid: 0n };
  #attempts = 0;
  #lastFailure = 'none has answered yet';

  constructor(options: SessionOptions, owner: LinkOwner) {
    this.options = options;
    this.#owner = owner;
    this.#servers = shuffled(options.servers, options.random);
    this.#state = { kind: 'connecting', connection: this.#connect() };
  }

  get id(): Omit<Hello, 'timeoutMs'> {
    return this.#id;
  }

  /** @throws Error before the first connection. */
  get clock(): SessionClock {
    if (this.#clock === null) throw new Error('the session is not open yet');
    return this.#clock;
  }

  /** How it ended, or null. Asks the clock: after a long pause of the process this knows before any timer does. */
  get ended(): ZooKeeperError | null {
    this.#tick();
    return this.#state.kind === 'ended' ? this.#state.error : null;
  }

  onEnd(listener: (error: ZooKeeperError) => void): () => void {
    if (this.#state.kind === 'ended') listener(this.#state.error);
    else this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The connection, if there is one now. @throws {ZooKeeperError} when the session has ended */
  ready(): Connection | null {
    const error = this.ended;
    if (error !== null) throw error;
    return this.#state.kind === 'connected' ? this.#state.connection : null;
  }

  /** The next connection. @throws {ZooKeeperError} `unreachable` after `withinMs`, or how the session ended */
  async connected(withinMs: number): Promise<Connection> {
    if (this.#state.kind === 'ended') throw this.#state.error;
    return await this.#waiting.enter(
      withinMs,
      () =>
        `no ZooKeeper server of ${serversText(this.options.servers)} could be reached within ${withinMs / 1000} s ` +
        `(last: ${this.#lastFailure}); see whether they run and can be reached from here`,
    );
  }

  end(error: ZooKeeperError): void {
    const state = this.#state;
    if (state.kind === 'ended') return;
    this.#state = { kind: 'ended', error };
    if (this.#alarm !== null) clearTimeout(this.#alarm);
    // Who has to stop hears it first, before anything else is done about it.
    for (const listener of [...this.#listeners]) listener(error);
    this.#listeners.clear();
    if (state.kind === 'pausing') clearTimeout(state.timer);
    else state.connection.destroy(error);
    this.#waiting.fail(error);
  }

  #connect(): Connection {
    const server = this.#servers[this.#attempts % this.#servers.length];
    if (server === undefined) throw new Error('a ZooKeeper session needs at least one server');
    this.#attempts += 1;
    const timeoutMs = this.#clock?.timeoutMs ?? this.options.timeoutMs;
    // So that a round over all servers is well within the timeout.
    const handshakeMs = Math.max(MIN_HANDSHAKE_MS, timeoutMs / 2 / this.#servers.length);
    const hello = { ...this.#id, timeoutMs };
    const { auth, now } = this.options;
    const owner = this.#ownerOf(() => connection);
    const connection: Connection = new Connection({ server, hello, auth, handshakeMs, now }, owner);
    return connection;
  }

  #ownerOf(connection: () => Connection): ConnectionOwner {
    return {
      welcomed: (welcome, sentAt) => {
        const { sessionId, password, timeoutMs } = welcome;
        this.#id = { ...this.#id, sessionId, password };
        if (this.#clock === null) this.#clock = new SessionClock(timeoutMs, sentAt);
        else this.#clock.attached(sentAt);
        this.#state = { kind: 'connected', connection: connection() };
        this.#attempts = 0;
        this.options.note({ session: nameOf(sessionId), timeoutMs }, 'connected to ZooKeeper');
        this.#owner.connected();
        this.#waiting.go(connection());
        this.#tick();
      },
      expired: () => this.end(lost('the server says that it has expired')),
      answered: (sentAt) => this.#clock?.answered(sentAt),
      pinged: () => this.#clock?.probeAnswered(),
      event: (event) => this.#owner.event(event),
      ended: (error) => this.#disconnected(connection(), error),
    };
  }

  #disconnected(connection: Connection, error: ZooKeeperError): void {
    if (this.#state.kind === 'ended') return;
    this.#lastFailure = error.message;
    this.#id = { ...this.#id, lastZxid: connection.lastZxid };
    this.#clock?.disconnected();
    const session = nameOf(this.#id.sessionId);
    this.options.note({ session, reason: error.message }, 'no connection to ZooKeeper; trying the next server');
    // The first attempt after a loss is made at once: a session that has been ended by force learns it so.
    const roundIsOver = this.#attempts > 0 && this.#attempts % this.#servers.length === 0;
    const reconnect = (): void => {
      this.#state = { kind: 'connecting', connection: this.#connect() };
    };
    const timer = setTimeout(reconnect, roundIsOver ? PAUSE_MS * (0.5 + this.options.random()) : 0);
    this.#state = { kind: 'pausing', timer };
    if (error.kind === 'auth-failed') this.end(error);
    else this.#tick();
  }

  /** Does what is due, and comes back when something else may be. */
  #tick(): void {
    const clock = this.#clock;
    if (clock === null || this.#state.kind === 'ended') return;
    const now = this.options.now();
    const due = clock.due(now);
    if (due === 'lost') {
      this.end(lost(`no server has answered within its timeout of ${clock.timeoutMs / 1000} s`));
      return;
    }
    if (this.#state.kind === 'connected' && due === 'drop') {
      this.#state.connection.destroy(new ZooKeeperError('connection-loss', 'ZooKeeper: the server answers no more'));
      return;
    }
    if (this.#state.kind === 'connected' && due === 'probe') {
      clock.probed(now);
      this.#state.connection.ping();
    }
    if (this.#alarm !== null) clearTimeout(this.#alarm);
    this.#alarm = setTimeout(() => this.#tick(), Math.max(1, clock.wakeAt() - now));
  }
}

/** A session's id as the servers' logs have it. */
export function nameOf(sessionId: bigint): string {
  return `0x${BigInt.asUintN(64, sessionId).toString(16)}`;
}

function lost(why: string): ZooKeeperError {
  return new ZooKeeperError('session-lost', `the ZooKeeper session was lost: ${why}`);
}

function shuffled<T>(values: readonly T[], random: () => number): T[] {
  const keyed = values.map((value) => ({ value, key: random() }));
  return keyed.sort((a, b) => a.key - b.key).map(({ value }) => value);
}
