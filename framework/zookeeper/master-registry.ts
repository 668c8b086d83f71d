/** The nodes of Mesos' masters, read over sessions that follow each other: nothing of ours is in ZooKeeper there. */
import { detectLeader, type MasterRegistry } from '../mesos-http-client/leader-detector.ts';
import type { MasterSource } from '../mesos-http-client/master-source.ts';
import type { ConnectString } from './connect-string.ts';
import { isZooKeeperError } from './errors.ts';
import { openZooKeeper, type ZooKeeperOptions } from './open-zookeeper.ts';
import type { Session } from './session.ts';

export interface MastersOptions extends ZooKeeperOptions {
  /** How the masters are spoken to. `http` unless said otherwise. */
  readonly scheme?: 'http' | 'https';
  readonly logger?: {
    debug(fields: object, message: string): void;
    info(fields: object, message: string): void;
  };
}

/**
 * The leading master by ZooKeeper, `zk://h1:2181,h2:2181,h3:2181/mesos`. It has sessions of its own, and opens another one
 * when one is lost. While ZooKeeper cannot be reached the leader stays who it was.
 */
export function zooKeeperMasters(where: ConnectString, options: MastersOptions = {}): MasterSource {
  const { scheme, logger } = options;
  return detectLeader({
    registry: new SessionRegistry(where, options),
    ...(scheme === undefined ? {} : { scheme }),
    note: (fields, message) => logger?.info(fields, message),
  });
}

class SessionRegistry implements MasterRegistry {
  readonly #where: ConnectString;
  readonly #options: ZooKeeperOptions;
  /** Of the masters' nodes, up to the slash before their names. */
  readonly #prefix: string;
  readonly #closing = new AbortController();
  #session: Promise<Session> | null = null;
  #changed: () => void = () => undefined;

  constructor(where: ConnectString, options: ZooKeeperOptions) {
    this.#where = where;
    this.#options = options;
    this.#prefix = `${where.path ?? ''}/`;
  }

  async watchChildren(changed: () => void): Promise<readonly string[]> {
    this.#changed = changed;
    const session = await this.#open();
    const path = this.#where.path ?? '/';
    try {
      return await session.getChildren(path, changed);
    } catch (error) {
      // The first master makes it.
      if (!isZooKeeperError(error, 'no-node')) throw error;
      return (await session.exists(path, changed)) === null ? [] : await session.getChildren(path, changed);
    }
  }

  async getData(name: string): Promise<Buffer | null> {
    const session = await this.#open();
    try {
      return (await session.getData(this.#prefix + name)).data;
    } catch (error) {
      if (isZooKeeperError(error, 'no-node')) return null;
      throw error;
    }
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#session?.then((session) => session.close()).catch(ignoreUnopened);
  }

  /** The session, another one if the last was lost. */
  #open(): Promise<Session> {
    if (this.#session !== null) return this.#session;
    const opening = openZooKeeper(this.#where, { ...this.#options, signal: this.#closing.signal });
    const forget = (): void => {
      if (this.#session === opening) this.#session = null;
    };
    opening.then((session) => {
      session.onEnd(() => {
        forget();
        this.#changed();
      });
    }, forget);
    this.#session = opening;
    return opening;
  }
}

function ignoreUnopened(): void {
  // There is nothing to close.
}
