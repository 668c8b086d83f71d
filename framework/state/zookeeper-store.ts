/**
 * A state store in ZooKeeper: each key is a node below a root. What it takes for a write to be certain:
 *
 * - Each one is conditional. A version, as callers know it, is the transaction of the node's last write (`mzxid`): it is
 *   another one for every write of the ensemble, so also for a key that was deleted and made again. ZooKeeper itself
 *   compares the node's count of writes, which begins anew with the node; should somebody have made it again with the
 *   same count between our read and our write, the write goes through, and ends as a conflict all the same, since the
 *   node's first transaction (`czxid`) is another. (A delete would not notice.)
 * - One whose answer was lost is looked up: every node says which write it was.
 */
import { randomUUID } from 'node:crypto';
import { isZooKeeperError, ZooKeeperError, type ZooKeeperErrorKind } from '../zookeeper/errors.ts';
import { makePath } from '../zookeeper/paths.ts';
import type { Stat } from '../zookeeper/protocol.ts';
import type { Session } from '../zookeeper/session.ts';
import { checkedKey } from './keys.ts';
import { type StateStore, StateStoreError, VersionConflict, type Versioned } from './state-store.ts';
import { decodeNode, encodeNode, type Found, versionOf } from './zookeeper-node.ts';

/** Enough to hide the latency, few enough not to flood the ensemble. */
const PARALLEL_READS = 64;

/** Where the candidates for the lead are. */
const LOCK_NODE = 'lock';
const ANY_VERSION = -1;

/** What a node was when we last saw it. */
interface Seen {
  /** Its version as callers know it. */
  readonly version: number;
  readonly czxid: bigint;
  /** ZooKeeper's count of writes. */
  readonly writes: number;
}

/**
 * Opens the store below `root` and makes the root if need be. The session stays its caller's: `close` does not end it.
 * Reads see everything that was written before the store was opened, by whomever; so whoever wants to lead opens it once
 * elected, over the session that it leads with.
 * @param root the path of a node, `/dcos-service-nodemesh`
 * @throws {StateStoreError} when ZooKeeper cannot be asked, or the root belongs to somebody else
 */
export async function openZooKeeperStore(session: Session, root: string): Promise<StateStore> {
  const store = new ZooKeeperStore(session, root);
  await store.prepare();
  return store;
}

class ZooKeeperStore implements StateStore {
  readonly #session: Session;
  readonly #root: string;
  readonly #writer = randomUUID();
  /** Of each key that exists, as last read or written. */
  readonly #seen = new Map<string, Seen>();
  #writes = 0;
  #closed = false;

  constructor(session: Session, root: string) {
    this.#session = session;
    this.#root = root;
  }

  async prepare(): Promise<void> {
    await this.#attempt(`open the state store at ${this.#root}`, async () => {
      await makePath(this.#session, this.#root);
      // The server that we happen to have may be behind the others.
      await this.#session.sync(this.#root);
      // Whoever may not look now would find out in the middle of the work.
      await this.#session.getChildren(this.#root);
    });
  }

  async get(key: string): Promise<Versioned | null> {
    const path = this.#pathOf(key);
    return await this.#attempt(`read ${path}`, async () => {
      const found = await this.#read(path);
      if (found === null) {
        this.#seen.delete(key);
        return null;
      }
      return { value: found.value, version: this.#remember(key, found.stat) };
    });
  }

  async put(key: string, value: unknown, expected: number | null): Promise<number> {
    const path = this.#pathOf(key);
    this.#writes += 1;
    const write = `${this.#writer}/${this.#writes}`;
    const data = encodeNode(key, write, value);
    return await this.#attempt(`write ${path}`, async () => {
      const before = await this.#expect(key, path, expected);
      const stat = await this.#certain(
        path,
        () => (before === null ? this.#make(path, data, write) : this.#change(path, data, before)),
        (found) => {
          if (found?.write === write) return found.stat;
          return isSame(found, before) ? 'again' : null;
        },
      );
      if (stat === null) throw await this.#conflict(key, path, expected);
      return this.#remember(key, stat);
    });
  }

  async delete(key: string, expected: number): Promise<void> {
    const path = this.#pathOf(key);
    await this.#attempt(`delete ${path}`, async () => {
      const before = await this.#expect(key, path, expected);
      const done = await this.#certain(
        path,
        () => this.#remove(path, before?.writes ?? 0),
        // Gone is what was asked for, whoever did it.
        (found) => found === null || (isSame(found, before) && 'again'),
      );
      if (!done) throw await this.#conflict(key, path, expected);
      this.#seen.delete(key);
    });
  }

  async list(prefix: string): Promise<string[]> {
    const path = this.#pathOf(prefix);
    return await this.#attempt(`list ${path}`, async () => {
      const names = (await unless('no-node', this.#session.getChildren(path))) ?? [];
      const keys: string[] = [];
      for (let from = 0; from < names.length; from += PARALLEL_READS) {
        const some = names.slice(from, from + PARALLEL_READS);
        const stats = await Promise.all(some.map((name) => this.#session.exists(`${path}/${name}`)));
        some.forEach((name, at) => {
          const stat = stats[at];
          if (stat && isKey(stat)) keys.push(`${prefix}/${name}`);
        });
      }
      return keys.sort();
    });
  }

  async clear(): Promise<void> {
    await this.#attempt(`empty ${this.#root}`, async () => {
      for (const name of await this.#session.getChildren(this.#root)) {
        // Who leads is not state: the candidates' nodes go with their sessions.
        if (name !== LOCK_NODE) await this.#removeTree(`${this.#root}/${name}`);
      }
      this.#seen.clear();
    });
  }

  async #removeTree(path: string): Promise<void> {
    const names = (await unless('no-node', this.#session.getChildren(path))) ?? [];
    for (let from = 0; from < names.length; from += PARALLEL_READS) {
      await Promise.all(names.slice(from, from + PARALLEL_READS).map((name) => this.#removeTree(`${path}/${name}`)));
    }
    await unless('no-node', this.#session.delete(path, ANY_VERSION));
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#seen.clear();
  }

  // ---- one node ----------------------------------------------------------------------------------------------------

  /** The node as it is by `expected`; null: it is not there. @throws {VersionConflict} */
  async #expect(key: string, path: string, expected: number | null): Promise<Seen | null> {
    if (expected === null) return null;
    const seen = this.#seen.get(key);
    if (seen?.version === expected) return seen;
    const stat = await this.#session.exists(path);
    if (stat !== null && isKey(stat) && this.#remember(key, stat) === expected) return this.#seen.get(key) ?? null;
    throw await this.#conflict(key, path, expected);
  }

  /** Makes the node, or writes to one that was only there for those below it. Null: somebody was quicker. */
  async #make(path: string, data: Buffer, write: string): Promise<Stat | null> {
    if ((await this.#create(path, data)) === null) {
      const stat = await this.#session.exists(path);
      if (stat === null || isKey(stat)) return null;
      return await unless('version-conflict', this.#session.setData(path, data, stat.version));
    }
    // The answer to a create does not tell the version, and somebody else may have been there since.
    const found = await this.#read(path);
    return found?.write === write ? found.stat : null;
  }

  async #create(path: string, data: Buffer): Promise<string | null> {
    try {
      return await unless('node-exists', this.#session.create(path, data));
    } catch (error) {
      if (!isZooKeeperError(error, 'no-node')) throw error;
    }
    await makePath(this.#session, path.slice(0, path.lastIndexOf('/')));
    return await unless('node-exists', this.#session.create(path, data));
  }

  async #change(path: string, data: Buffer, before: Seen): Promise<Stat | null> {
    const stat = await unless('version-conflict', unless('no-node', this.#session.setData(path, data, before.writes)));
    return stat?.czxid === before.czxid ? stat : null;
  }

  /** False: it was not there, or has changed. */
  async #remove(path: string, writes: number): Promise<boolean> {
    try {
      await this.#session.delete(path, writes);
    } catch (error) {
      if (isZooKeeperError(error, 'version-conflict', 'no-node')) return false;
      if (!isZooKeeperError(error, 'not-empty')) throw error;
      // It goes on being there for those below it.
      return (await unless('version-conflict', this.#session.setData(path, Buffer.alloc(0), writes))) !== null;
    }
    return true;
  }

  async #read(path: string): Promise<Found | null> {
    const node = await unless('no-node', this.#session.getData(path));
    return node === null ? null : decodeNode(path, node);
  }

  /**
   * Tries a write until it is known what has become of it, as long as an operation may take. `judge` is asked after a
   * loss, with the node as it is then: no write of before the loss can come after that, since the session has moved.
   */
  async #certain<T>(path: string, attempt: () => Promise<T>, judge: (found: Found | null) => T | 'again'): Promise<T> {
    const deadline = this.#session.now() + this.#session.operationMs;
    for (;;) {
      try {
        return await attempt();
      } catch (error) {
        if (!isZooKeeperError(error, 'connection-loss') || this.#session.now() >= deadline) throw error;
      }
      try {
        await this.#session.sync(this.#root);
        const judgement = judge(await this.#read(path));
        if (judgement !== 'again') return judgement;
      } catch (error) {
        if (!isZooKeeperError(error, 'unreachable')) throw error;
        // It had been sent, so this is the worse of the two.
        throw new ZooKeeperError('connection-loss', error.message, { cause: error });
      }
    }
  }

  #remember(key: string, stat: Stat): number {
    const version = versionOf(stat);
    this.#seen.set(key, { version, czxid: stat.czxid, writes: stat.version });
    return version;
  }

  async #conflict(key: string, path: string, expected: number | null): Promise<VersionConflict> {
    this.#seen.delete(key);
    const stat = await this.#session.exists(path);
    return new VersionConflict(key, expected, stat !== null && isKey(stat) ? versionOf(stat) : null);
  }

  // ---- what is common to all ---------------------------------------------------------------------------------------

  #pathOf(key: string): string {
    if (this.#closed) throw new StateStoreError(`the state store in ZooKeeper at ${this.#root} is closed already`);
    return `${this.#root}/${checkedKey(key)}`;
  }

  /** Runs `work`; what ZooKeeper refuses, or does not answer, becomes a StateStoreError that says what to do. */
  async #attempt<T>(what: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!isZooKeeperError(error)) throw error;
      const message = `cannot ${what} in ZooKeeper (${this.#session.servers}): ${error.message}`;
      throw new StateStoreError(message + adviceFor(error.kind), { cause: error });
    }
  }
}

function adviceFor(kind: ZooKeeperErrorKind): string {
  switch (kind) {
    case 'session-lost':
      return '; another scheduler may lead by now: start this one again';
    case 'connection-loss':
      return '; whether it was carried out is not known: start the scheduler again, which reads what is there';
    default:
      return '';
  }
}

/** A node without data is only there for those below it. */
function isKey(stat: Stat): boolean {
  return stat.dataLength > 0;
}

function isSame(found: Found | null, before: Seen | null): boolean {
  if (found === null || before === null) return found === null && before === null;
  return versionOf(found.stat) === before.version;
}

/** Null where ZooKeeper refuses with an error of this kind. */
async function unless<T>(kind: ZooKeeperErrorKind, operation: Promise<T>): Promise<T | null> {
  try {
    return await operation;
  } catch (error) {
    if (isZooKeeperError(error, kind)) return null;
    throw error;
  }
}
