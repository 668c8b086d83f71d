/**
 * A session with a ZooKeeper ensemble, over one connection after another. It is the unit of everything that counts here:
 * ephemeral nodes end with it, and once it is lost it stays lost (whoever wants to go on opens another one).
 *
 * While no server can be reached, operations wait; they are sent when one can be, or rejected with `unreachable` after
 * `operationMs`, and then never sent. What was sent and not answered is tried again if that does no harm (reads), else
 * rejected with `connection-loss`: the caller has to find out.
 */

import { serversText } from './connect-string.ts';
import type { Connection } from './connection.ts';
import { isZooKeeperError, ZooKeeperError } from './errors.ts';
import {
  type Acl,
  type CreateMode,
  create,
  exists,
  getChildren,
  getData,
  type NodeData,
  type Operation,
  remove,
  type Stat,
  setData,
  sync,
} from './protocol.ts';
import type { SessionClock } from './session-clock.ts';
import { nameOf, SessionLink, type SessionOptions } from './session-link.ts';
import { type Watcher, Watches, type WatchKind } from './watches.ts';

/** Open at once. Callers limit themselves; this is against mistakes. */
const MAX_REQUESTS = 4096;

/** Resolves when a server has taken the session. @throws {ZooKeeperError} `unreachable` after `openMs`, or `auth-failed` */
export async function openSession(options: SessionOptions): Promise<Session> {
  const watches = new Watches();
  const link = new SessionLink(options, {
    connected: () => watches.tellAll(),
    event: (event) => watches.tell(event),
  });
  const giveUp = (): void => link.end(new ZooKeeperError('closed', 'the ZooKeeper session is not wanted any more'));
  options.signal?.addEventListener('abort', giveUp);
  try {
    if (options.signal?.aborted) giveUp();
    await link.connected(options.openMs);
  } catch (error) {
    giveUp();
    throw error;
  } finally {
    options.signal?.removeEventListener('abort', giveUp);
  }
  return new Session(link, watches);
}

export class Session {
  readonly #link: SessionLink;
  readonly #watches: Watches;

  /** For `openSession`. */
  constructor(link: SessionLink, watches: Watches) {
    this.#link = link;
    this.#watches = watches;
  }

  /** As the servers' logs have it. */
  get id(): string {
    return nameOf(this.#link.id.sessionId);
  }

  /** What names the session to a server: whoever has both can go on with it, or end it. */
  get credentials(): { readonly sessionId: bigint; readonly password: Buffer } {
    return this.#link.id;
  }

  /** Who may do what with nodes that are made over this session. */
  get acl(): Acl {
    return this.#link.options.auth === null ? 'anyone' : 'creator';
  }

  /** `host:port,host:port`, for messages. */
  get servers(): string {
    return serversText(this.#link.options.servers);
  }

  get operationMs(): number {
    return this.#link.options.operationMs;
  }

  /** Milliseconds of the clock that everything here goes by. */
  now(): number {
    return this.#link.options.now();
  }

  /** How long it can be relied upon. */
  get clock(): SessionClock {
    return this.#link.clock;
  }

  /** How it ended, or null. Asks the clock: after a long pause of the process this knows before any timer does. */
  get ended(): ZooKeeperError | null {
    return this.#link.ended;
  }

  /** Called once: at once when the session has ended already, else in the moment when it does. Returns unsubscribe. */
  onEnd(listener: (error: ZooKeeperError) => void): () => void {
    return this.#link.onEnd(listener);
  }

  /** The path of the new node: `path`, and ten digits behind it where it is sequential. */
  create(path: string, data: Buffer, mode: CreateMode = 'persistent'): Promise<string> {
    return this.#perform(create(path, data, this.acl, mode));
  }

  delete(path: string, version: number): Promise<void> {
    return this.#perform(remove(path, version));
  }

  /** `version` -1: whatever it is. */
  setData(path: string, data: Buffer, version: number): Promise<Stat> {
    return this.#perform(setData(path, data, version));
  }

  /** Null when there is no such node; `watcher` then waits for it to be made. */
  async exists(path: string, watcher?: Watcher): Promise<Stat | null> {
    if (watcher !== undefined) this.#watches.add('node', path, watcher);
    try {
      return await this.#perform(exists(path, watcher !== undefined));
    } catch (error) {
      if (isZooKeeperError(error, 'no-node')) return null;
      if (watcher !== undefined) this.#watches.remove('node', path, watcher);
      throw error;
    }
  }

  getData(path: string, watcher?: Watcher): Promise<NodeData> {
    return this.#watching('node', getData(path, watcher !== undefined), watcher);
  }

  getChildren(path: string, watcher?: Watcher): Promise<string[]> {
    return this.#watching('children', getChildren(path, watcher !== undefined), watcher);
  }

  /** Reads that follow see all that was written, by whomever, before this. */
  sync(path: string): Promise<void> {
    return this.#perform(sync(path));
  }

  /** Ends the session on the server too, so that its ephemeral nodes go at once; without a connection they go with time. */
  async close(): Promise<void> {
    if (this.#link.ended !== null) return;
    const withinMs = this.clock.timeoutMs / 3;
    await this.#link.ready()?.closeSession(withinMs).catch(ignoreLoss);
    this.#link.end(new ZooKeeperError('closed', 'the ZooKeeper session was closed by this process'));
  }

  async #perform<T>(operation: Operation<T>): Promise<T> {
    for (;;) {
      const connection = this.#ready() ?? (await this.#link.connected(this.operationMs));
      try {
        return await connection.send(operation);
      } catch (error) {
        if (!operation.repeatable || !isZooKeeperError(error, 'connection-loss')) throw error;
      }
    }
  }

  #ready(): Connection | null {
    const connection = this.#link.ready();
    if (connection !== null && connection.openRequests >= MAX_REQUESTS) {
      throw new ZooKeeperError('unreachable', `ZooKeeper: ${MAX_REQUESTS} requests are open already`);
    }
    return connection;
  }

  async #watching<T>(kind: WatchKind, operation: Operation<T>, watcher: Watcher | undefined): Promise<T> {
    if (watcher === undefined) return await this.#perform(operation);
    // Before it is sent: the answer and the event may come in one piece.
    this.#watches.add(kind, operation.path, watcher);
    try {
      return await this.#perform(operation);
    } catch (error) {
      this.#watches.remove(kind, operation.path, watcher);
      throw error;
    }
  }
}

function ignoreLoss(): void {
  // The server ends the session by itself when its time is over.
}
