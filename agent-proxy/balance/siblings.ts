/**
 * What the instances of one bound name share: their parameters, how many of them are out of use, and what failure accrual
 * did so far. The limits of contract rule 8 are kept here, since no instance can keep them alone.
 */
import { SiblingRates } from '../resilience/sibling-rates.ts';
import type { BalanceParams } from './params.ts';

export class Siblings {
  readonly params: BalanceParams;
  readonly random: () => number;
  /** Null where each is judged by itself. */
  readonly rates: SiblingRates | null;
  /** In rotation. */
  size = 0;
  /** Of these: not open to all requests, by failure accrual or because they refused a connection. */
  closed = 0;
  /** Of these: by failure accrual. */
  ejected = 0;
  /** Counters for the metrics. `failedOpen`: picks that went to an instance out of use because most of them are. */
  readonly figures = { removals: 0, revivals: 0, probes: 0, removedForMs: 0, failedOpen: 0 };

  constructor(params: BalanceParams, random: () => number) {
    this.params = params;
    this.random = random;
    this.rates = params.comparesSiblings ? new SiblingRates() : null;
  }

  /** Whether failure accrual may take one more out. */
  mayEject(): boolean {
    return this.ejected + 1 <= this.params.maxEjected * this.size;
  }

  /** So many are out of use that the state of an instance means little. */
  isPanic(): boolean {
    return this.closed > this.params.panicThreshold * this.size;
  }
}
