/**
 * A retry budget with Finagle's rules: every request deposits a fifth of a retry, a floor refills with time, and both
 * expire after ten seconds. So retries stay a small part of the traffic whatever fails. Pure: time comes in as a number.
 */

const TTL_SECONDS = 10;
/** A retry costs as much as so many requests deposit: 20 %. */
const REQUESTS_A_RETRY = 5;
/** Retries a second that are allowed without any traffic, for the cluster. Its nodes share them. */
const FLOOR_A_SECOND = 10;

export class RetryBudget {
  private readonly slots = new Float64Array(TTL_SECONDS);
  private second: number;
  private readonly nodes: () => number;

  /** `nodes` says how many proxies share the floor. */
  constructor(now: number, nodes: () => number) {
    this.second = Math.floor(now / 1000);
    this.nodes = nodes;
  }

  /** A request began. */
  deposit(now: number): void {
    this.add(now, 1);
  }

  /** Takes one retry, if the budget has it. */
  tryWithdraw(now: number): boolean {
    if (this.balance(now) < 1) return false;
    this.add(now, -REQUESTS_A_RETRY);
    return true;
  }

  /** Retries that are left. */
  balance(now: number): number {
    this.roll(now);
    let deposits = 0;
    for (const slot of this.slots) deposits += slot;
    // At least one, or a large cluster could not retry a rare request at all.
    const reserve = Math.max(1, (FLOOR_A_SECOND * TTL_SECONDS) / Math.max(1, this.nodes()));
    return Math.floor(deposits / REQUESTS_A_RETRY + reserve);
  }

  private add(now: number, amount: number): void {
    this.roll(now);
    const slot = this.second % TTL_SECONDS;
    this.slots[slot] = (this.slots[slot] ?? 0) + amount;
  }

  private roll(now: number): void {
    const second = Math.floor(now / 1000);
    const steps = Math.min(second - this.second, TTL_SECONDS);
    for (let step = 1; step <= steps; step += 1) this.slots[(this.second + step) % TTL_SECONDS] = 0;
    if (second > this.second) this.second = second;
  }
}
