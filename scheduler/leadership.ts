/**
 * Who of several schedulers leads, and with that the right to use the state. A directory has one user at a time, or none;
 * with ZooKeeper the others stand by, and the first in line takes over.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  elect,
  openFileStore,
  openZooKeeper,
  openZooKeeperStore,
  type Session,
  type StateStore,
  serviceRoot,
  shownConnectString,
  ZooKeeperError,
} from '../framework/index.ts';
import type { SchedulerConfig } from './config.ts';
import type { ControlPlaneLogger } from './control-plane-options.ts';

export interface Lead {
  readonly store: StateStore;
  /** Synchronous, and right even after the process was paused: false as soon as another may lead. */
  mayCall(): boolean;
  /** Called once, with a sentence, when the lead is lost. */
  onLost(listener: (reason: string) => void): void;
  /** Gives it back, so that a standby takes over at once. `forGood`: nobody will, so what they stand in line at goes too. */
  release(forGood: boolean): Promise<void>;
}

export interface Leadership {
  /** Resolves when this process leads. Rejects when it never will, as when the directory is in use. */
  readonly won: Promise<Lead>;
  /** Base URL of the one that leads, as far as is known. */
  leader(): string | null;
  stop(): Promise<void>;
}

export interface LeadershipOptions {
  readonly state: SchedulerConfig['state'];
  /** The framework's name: where in ZooKeeper its state is, when the URL does not say. */
  readonly name: string;
  /** Under which URL this scheduler is reached: for those who stand by. */
  readonly advertise: string;
  readonly logger: ControlPlaneLogger;
}

export function seekLead(options: LeadershipOptions): Leadership {
  const { state } = options;
  if (state.kind === 'zookeeper') return new ZooKeeperLeadership(options, state);
  return { won: leadDirectory(state.directory), leader: () => null, stop: () => Promise.resolve() };
}

async function leadDirectory(directory: string): Promise<Lead> {
  const store = await openFileStore(directory);
  // The lock of a directory is kept as long as the process lives, so it is never lost.
  return { store, mayCall: () => true, onLost: () => undefined, release: () => store.close() };
}

const ANY_VERSION = -1;
const RETRY_MS = 1_000;
const LOOK_MS = 2_000;

type ZooKeeperState = Extract<SchedulerConfig['state'], { kind: 'zookeeper' }>;

class ZooKeeperLeadership implements Leadership {
  readonly won: Promise<Lead>;
  readonly #options: LeadershipOptions;
  readonly #state: ZooKeeperState;
  readonly #abort = new AbortController();
  #leader: string | null = null;
  #leave: (() => Promise<void>) | null = null;

  constructor(options: LeadershipOptions, state: ZooKeeperState) {
    this.#options = options;
    this.#state = state;
    this.won = this.#seek();
    // Whoever waits for it hears of it; a stop before that is no error.
    this.won.catch(() => undefined);
  }

  leader(): string | null {
    return this.#leader;
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#leave?.();
    await this.won.catch(() => undefined);
  }

  /** Until it leads, or is stopped: ZooKeeper may be away for as long as it likes. */
  async #seek(): Promise<Lead> {
    const { logger } = this.#options;
    // It may take long, and nothing else is done before.
    logger.info({ zookeeper: shownConnectString(this.#state.ensemble) }, 'looking for ZooKeeper');
    for (;;) {
      this.#abort.signal.throwIfAborted();
      try {
        const lead = await this.#stand();
        if (lead !== null) return lead;
      } catch (error) {
        if (this.#abort.signal.aborted || !(error instanceof ZooKeeperError) || error.kind === 'auth-failed')
          throw error;
        logger.warn({ reason: error.message }, 'cannot stand for the lead; trying again');
      }
      await sleep(RETRY_MS, undefined, { signal: this.#abort.signal });
    }
  }

  /** One session's attempt. Null: it was lost again before anything was done with it. */
  async #stand(): Promise<Lead | null> {
    const { logger, name, advertise } = this.#options;
    const session = await openZooKeeper(this.#state.ensemble, { logger, signal: this.#abort.signal });
    const root = this.#state.ensemble.path ?? serviceRoot(name);
    const line = `${root}/lock`;
    const election = elect({ session, path: line, data: advertise });
    const leave = async (forGood = false): Promise<void> => {
      await election.resign().catch(() => undefined);
      if (forGood) for (const path of [line, root]) await removeIfEmpty(session, path);
      await session.close();
    };
    this.#leave = leave;
    const watch = setInterval(() => this.#look(session, line), LOOK_MS);
    try {
      logger.info({ zookeeper: session.servers, root }, 'standing by for the lead');
      const lease = await election.elected;
      const store = await openZooKeeperStore(session, root);
      if (!lease.isValid()) {
        await leave();
        return null;
      }
      return {
        store,
        mayCall: () => lease.isValid(),
        onLost: (listener) => lease.onLost(listener),
        release: async (forGood) => {
          await store.close();
          await leave(forGood);
        },
      };
    } catch (error) {
      await leave();
      throw error;
    } finally {
      clearInterval(watch);
      this.#leader = null;
    }
  }

  #look(session: Session, line: string): void {
    session.getData(line).then(
      ({ data }) => {
        this.#leader = data.length === 0 ? null : data.toString();
      },
      // Nobody has led yet, or ZooKeeper is away: nothing is known then.
      () => {
        this.#leader = null;
      },
    );
  }
}

/** Another scheduler may stand there, or ZooKeeper be away: nodes without anything in them harm nobody. */
async function removeIfEmpty(session: Session, path: string): Promise<void> {
  try {
    await session.delete(path, ANY_VERSION);
  } catch (error) {
    if (!(error instanceof ZooKeeperError)) throw error;
  }
}
