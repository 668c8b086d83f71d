/**
 * A retry budget with Finagle's rules: a leaky token bucket. Each request deposits, each retry withdraws, and both are
 * forgotten after the time to live; a reserve allows some retries without any traffic. All amounts are whole numbers, so
 * nothing drifts. So retries stay a part of the traffic, whatever fails. Pure: time comes in as milliseconds.
 *
 * At any retry, those of the last time to live are no more than the reserve and the requests of that same time allow. For
 * that to hold at the edges of slices too, a deposit is forgotten with the start of its slice and a withdrawal with its end.
 */
import { type BudgetParams, DEFAULT_BUDGET } from './params.ts';

const SLICES = 20;
/** What a request deposits, where requests deposit at all. */
const DEPOSIT = 1_000;

export class RetryBudget {
  // What each request looks at stands together, at the beginning: with thousands of names each is cold in the caches.
  /** Of this slice: each request adds to it, and finds it in the object itself. */
  private deposited = 0;
  /** Deposits less withdrawals that are not forgotten yet. */
  private sum = 0;
  private slice: number;
  private readonly sliceMs: number;
  private readonly amount: number;
  private readonly cost: number;
  private readonly floor: number;
  private readonly nodes: () => number;
  /** Of the slices that are over. */
  private readonly deposits: number[];
  /** Null before the first: most names never retry, and there may be thousands of names. */
  private withdrawals: number[] | null;

  /** `nodes` says how many proxies share the reserve. A parameter out of its range throws a `RangeError`. */
  constructor(now: number, nodes: () => number, params: BudgetParams = DEFAULT_BUDGET) {
    const { minRetriesPerSec, percentCanRetry, ttlSecs } = params;
    checkRange('ttlSecs', ttlSecs, 1, 60);
    checkRange('percentCanRetry', percentCanRetry, 0, 1_000);
    checkRange('minRetriesPerSec', minRetriesPerSec, 0, Number.MAX_SAFE_INTEGER);
    this.sliceMs = (ttlSecs * 1_000) / SLICES;
    this.slice = Math.floor(now / this.sliceMs);
    this.amount = percentCanRetry > 0 ? DEPOSIT : 0;
    this.cost = percentCanRetry > 0 ? Math.floor(DEPOSIT / percentCanRetry) : 1;
    this.floor = minRetriesPerSec * ttlSecs;
    this.nodes = nodes;
    this.deposits = new Array<number>(SLICES).fill(0);
    this.withdrawals = null;
  }

  /** A request began; for a budget of requeues, a request succeeded. */
  deposit(now: number): void {
    this.roll(now);
    this.deposited += this.amount;
    this.sum += this.amount;
  }

  /** Takes one retry, if the budget has it. */
  tryWithdraw(now: number): boolean {
    if (this.balance(now) < 1) return false;
    const index = Math.ceil(now / this.sliceMs) % (SLICES + 1);
    this.withdrawals ??= new Array<number>(SLICES + 1).fill(0);
    this.withdrawals[index] = (this.withdrawals[index] ?? 0) + this.cost;
    this.sum -= this.cost;
    return true;
  }

  /** Retries that are left. */
  balance(now: number): number {
    this.roll(now);
    return Math.max(0, Math.floor((this.sum + this.reserve()) / this.cost));
  }

  private reserve(): number {
    if (this.floor === 0) return 0;
    // At least one retry each, or a large cluster could not retry a rare request at all.
    return Math.floor(Math.max(1, this.floor / Math.max(1, this.nodes())) * this.cost);
  }

  /** Forgets what is as old as the time to live. */
  private roll(now: number): void {
    const slice = Math.floor(now / this.sliceMs);
    if (slice <= this.slice) return;
    this.deposits[this.slice % SLICES] = this.deposited;
    this.deposited = 0;
    const steps = Math.min(slice - this.slice, SLICES + 1);
    for (let step = steps - 1; step >= 0; step -= 1) {
      const old = slice - step;
      const deposit = old % SLICES;
      this.sum -= this.deposits[deposit] ?? 0;
      this.deposits[deposit] = 0;
      if (this.withdrawals === null) continue;
      // The slot of the slice that ended one time to live ago, which the next slice will use.
      const withdrawal = (old + 1) % (SLICES + 1);
      this.sum += this.withdrawals[withdrawal] ?? 0;
      this.withdrawals[withdrawal] = 0;
    }
    this.slice = slice;
  }
}

function checkRange(name: string, value: number, min: number, max: number): void {
  if (value >= min && value <= max) return;
  throw new RangeError(`retry budget: ${name} is ${value}; give a number from ${min} to ${max}`);
}
