/**
 * Who leads: candidates stand in line as ephemeral sequential nodes below one node, and the first of them leads. Each
 * watches only the one before it, so that one that goes wakes one other.
 *
 * Names are those of Curator's recipes (`_c_<guid>-lock-<ten digits>`): by its guid a candidate finds its own node when the
 * answer to its creation was lost.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { isZooKeeperError, ZooKeeperError } from './errors.ts';
import { type Lease, leaveLine, openLease, RETRY_MS } from './lease.ts';
import { makePath } from './paths.ts';
import type { Session } from './session.ts';

export interface ElectionOptions {
  readonly session: Session;
  /** Where the line is, `/dcos-service-nodemesh/lock`; made if need be. */
  readonly path: string;
  /** Who this candidate is, for people who look: in its node, and in the line's own while it leads. */
  readonly data: string;
}

export interface Election {
  /**
   * Resolves when this candidate leads. It leads once: after the lease is lost, `elect` has to be called again.
   * Rejects with a {@link ZooKeeperError} when that can never be: the session has ended, or the candidate has resigned.
   */
  readonly elected: Promise<Lease>;
  /** Leaves the line, or gives the lease back; when it resolves the next in line may lead. */
  resign(): Promise<void>;
}

/** Stands in line to lead. The session stays its caller's. */
export function elect(options: ElectionOptions): Election {
  const candidate = new Candidate(options);
  const elected = candidate.run();
  // Nobody may be listening yet, or any more.
  elected.catch(() => undefined);
  return { elected, resign: () => candidate.resign() };
}

class Candidate {
  readonly #options: ElectionOptions;
  readonly #prefix = `_c_${randomUUID()}-lock-`;
  readonly #resigned = new ZooKeeperError('closed', 'the candidate has left the line');
  /** The name of its node, once that is known. */
  #name: string | null = null;
  #lease: Lease | null = null;
  /** Ends a wait. */
  #wake: () => void = () => undefined;
  #leaving = false;
  #running: Promise<unknown> = Promise.resolve();

  constructor(options: ElectionOptions) {
    this.#options = options;
  }

  run(): Promise<Lease> {
    const running = this.#run();
    this.#running = running.catch(() => undefined);
    return running;
  }

  async resign(): Promise<void> {
    this.#leaving = true;
    // Without waiting for anything, so that the lease is not valid from this call on.
    if (this.#lease === null) {
      this.#wake();
      await this.#running;
    }
    await this.#lease?.resign();
  }

  async #run(): Promise<Lease> {
    const { session, path } = this.#options;
    try {
      await makePath(session, path);
      for (;;) {
        try {
          const lease = await this.#step();
          if (lease !== null) return lease;
        } catch (error) {
          // As long as the session lives there may be a node of ours, and it must not stand in others' way.
          if (!isZooKeeperError(error, 'connection-loss', 'unreachable')) throw error;
          await sleep(RETRY_MS);
          await session.sync(path).catch(() => undefined);
        }
      }
    } catch (error) {
      if (this.#name !== null) await leaveLine(session, `${path}/${this.#name}`);
      throw error;
    }
  }

  /** Looks at the line, and does what follows. */
  async #step(): Promise<Lease | null> {
    const { session, path, data } = this.#options;
    const line = await this.#line();
    const place = line.findIndex((name) => name.startsWith(this.#prefix));
    this.#name = line[place] ?? null;
    if (this.#leaving) throw this.#resigned;
    const before = line[place - 1];
    if (this.#name === null) {
      // When the answer is lost, the node may be there or not: the next look will tell.
      await session.create(`${path}/${this.#prefix}`, Buffer.from(data), 'ephemeral-sequential');
    } else if (before !== undefined) {
      await this.#waitFor(`${path}/${before}`);
    } else {
      const node = `${path}/${this.#name}`;
      this.#lease = await openLease({ session, node, proof: path, data: Buffer.from(data) });
    }
    return this.#lease;
  }

  /** Until the node before this one is gone, or something else has happened: look again. */
  async #waitFor(before: string): Promise<void> {
    const { session } = this.#options;
    let forget = (): void => undefined;
    const woken = new Promise<void>((resolve) => {
      this.#wake = resolve;
      forget = session.onEnd(() => resolve());
    });
    try {
      await session.getData(before, this.#wake);
      if (!this.#leaving) await woken;
    } catch (error) {
      if (!isZooKeeperError(error, 'no-node')) throw error;
    } finally {
      forget();
    }
  }

  /** Names in the order of their numbers. */
  async #line(): Promise<string[]> {
    const names = await this.#options.session.getChildren(this.#options.path);
    return names.filter((name) => /-lock-\d{10}$/.test(name)).sort((a, b) => numberOf(a) - numberOf(b));
  }
}

function numberOf(name: string): number {
  return Number(name.slice(-10));
}
