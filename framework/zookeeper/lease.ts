/**
 * The right to act as leader, for as long as the ensemble is known to grant it.
 *
 * The holder's node is ephemeral, so nobody else can be elected before the ensemble has ended the holder's session. How long
 * that takes at least is proven again and again by a write (see `SessionClock.provenUntil`); when the last proof has run
 * out, or the node or the session is gone, the lease is lost, for ever.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { isZooKeeperError } from './errors.ts';
import type { Session } from './session.ts';

/** After a proof that failed. Operations wait for a connection by themselves, so this is rarely waited for. */
export const RETRY_MS = 50;

export interface LeaseOptions {
  readonly session: Session;
  /** The holder's node. */
  readonly node: string;
  /** What is written to prove the lease: the node above it, which nobody watches. */
  readonly proof: string;
  /** What is written there: who leads, for people who look. */
  readonly data: Buffer;
}

/** Null: it could not be proven, and the node is gone. @throws {ZooKeeperError} when the ensemble cannot be asked */
export async function openLease(options: LeaseOptions): Promise<Lease | null> {
  const lease = new Lease(options);
  if (await lease.begin()) return lease;
  // Before it is stood in line again: a removal that is still under way would hit the wrong one.
  await leaveLine(options.session, options.node);
  return null;
}

export class Lease {
  /** Resolves, with the reason in a sentence, when the lease is lost or given back. */
  readonly lost: Promise<string>;
  readonly #options: LeaseOptions;
  readonly #listeners = new Set<(reason: string) => void>();
  #forgetSession: () => void = () => undefined;
  #validUntil = 0;
  #lostBecause: string | null = null;
  #timers: { proof?: NodeJS.Timeout; end?: NodeJS.Timeout } = {};

  /** For `openLease`. */
  constructor(options: LeaseOptions) {
    this.#options = options;
    this.lost = new Promise((resolve) => this.#listeners.add(resolve));
    this.#forgetSession = options.session.onEnd((error) => this.#lose(error.message));
  }

  /**
   * Whether the holder may act now. To be asked before each act, without anything in between: a process may have been
   * paused for any time before this line.
   * @param now milliseconds of `performance.now()`
   */
  isValid(now = this.#options.session.now()): boolean {
    if (this.#lostBecause === null && now >= this.#validUntil) {
      this.#lose('ZooKeeper has not confirmed the leadership in time');
    }
    return this.#lostBecause === null;
  }

  /** Called once, synchronously, in the moment when it is lost: nobody else can lead before it returns. */
  onLost(listener: (reason: string) => void): void {
    if (this.#lostBecause !== null) listener(this.#lostBecause);
    else this.#listeners.add(listener);
  }

  /** Gives the lease back: it is not valid from this call on, and when it resolves the next in line may lead. */
  async resign(): Promise<void> {
    this.#lose('the leadership was given back', false);
    await leaveLine(this.#options.session, this.#options.node);
  }

  /** For `openLease`. @throws {ZooKeeperError} */
  async begin(): Promise<boolean> {
    try {
      await this.#prove();
      await this.#watch();
      if (this.#validUntil <= this.#options.session.now()) this.#lose('it took too long', false);
    } catch (error) {
      this.#lose('it did not begin', false);
      throw error;
    }
    return this.#lostBecause === null;
  }

  async #prove(): Promise<void> {
    const { session, proof, data } = this.#options;
    const sentAt = session.now();
    await session.setData(proof, data, -1);
    if (this.#lostBecause !== null) return;
    // The session may have moved to another server since, and then its clock counts from there, which is later.
    this.#validUntil = Math.max(this.#validUntil, session.clock.provenUntil(sentAt));
    clearTimeout(this.#timers.end);
    this.#timers.end = setTimeout(() => this.isValid(), Math.max(0, this.#validUntil - session.now()));
    this.#timers.proof = setTimeout(() => this.#proveAgain(), session.clock.proofEveryMs);
  }

  #proveAgain(): void {
    if (!this.isValid()) return;
    this.#prove().catch((error: unknown) => {
      if (this.#lostBecause !== null) return;
      if (isZooKeeperError(error, 'connection-loss', 'unreachable')) {
        this.#timers.proof = setTimeout(() => this.#proveAgain(), RETRY_MS);
      } else this.#lose(error instanceof Error ? error.message : String(error));
    });
  }

  /** The node goes only with the session, unless somebody removes it by hand. */
  async #watch(): Promise<void> {
    if (this.#lostBecause !== null) return;
    const { session, node } = this.#options;
    const look = (): void => {
      this.#watch().catch((error: unknown) => {
        // Without a connection the proofs fail too; when there is one again the watch is told.
        if (isZooKeeperError(error, 'unreachable')) setTimeout(look, RETRY_MS).unref();
        else this.#lose(error instanceof Error ? error.message : String(error));
      });
    };
    if ((await session.exists(node, look)) === null) this.#lose(`somebody has removed the leader's node ${node}`);
  }

  #lose(reason: string, leave = true): void {
    if (this.#lostBecause !== null) return;
    this.#lostBecause = reason;
    clearTimeout(this.#timers.proof);
    clearTimeout(this.#timers.end);
    this.#forgetSession();
    for (const listener of [...this.#listeners]) listener(reason);
    this.#listeners.clear();
    // So that somebody can lead, also when the session lives on. Without a session the node goes by itself.
    if (leave) void leaveLine(this.#options.session, this.#options.node);
  }
}

/** Removes a candidate's node, however often it takes, or as long as the session lasts: then it goes with the session. */
export async function leaveLine(session: Session, node: string): Promise<void> {
  for (;;) {
    try {
      await session.delete(node, -1);
      return;
    } catch (error) {
      if (isZooKeeperError(error, 'no-node', 'session-lost', 'closed')) return;
      if (!isZooKeeperError(error, 'connection-loss', 'unreachable')) throw error;
      await sleep(RETRY_MS);
    }
  }
}
