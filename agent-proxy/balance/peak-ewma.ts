/**
 * Finagle's Peak EWMA: what an instance costs, as a moving average of its latency that rises at once and falls slowly.
 *
 * Ours beyond Finagle: a failure says nothing good of an instance, however fast it comes. The share of failures raises the
 * cost, by its cube: a few failures among many answers weigh next to nothing, failures only weigh `penaltyMs`.
 */

/** Finagle's, for what was never measured and has requests on their way: (2^63 - 1) >> 16 nanoseconds, as milliseconds. */
const UNKNOWN_MS = 140_737_488.355_327;
/** Weight of one outcome in the share of failures: about the last twenty count. */
const OUTCOME_WEIGHT = 0.05;

export class PeakEwma {
  private readonly tauMs: number;
  private readonly penaltyMs: number;
  private stamp: number;
  private cost = 0;
  private failures = 0;

  /** `tauMs`: after so long without news, 1/e of the cost is left. `penaltyMs` 0: failures count as their latency. */
  constructor(tauMs: number, penaltyMs: number, now: number) {
    this.tauMs = tauMs;
    this.penaltyMs = penaltyMs;
    this.stamp = now;
  }

  /** Milliseconds, at the last observation. */
  get costMs(): number {
    return this.cost;
  }

  succeeded(now: number, latencyMs: number): void {
    this.observe(now, latencyMs);
    this.failures -= this.failures * OUTCOME_WEIGHT;
  }

  failed(now: number, latencyMs: number): void {
    // A failure never makes it cheaper.
    this.observe(now, this.penaltyMs > 0 ? Math.max(latencyMs, this.cost) : latencyMs);
    this.failures += (1 - this.failures) * OUTCOME_WEIGHT;
  }

  /** Somebody who sees more of it says that this share of its answers fails. */
  suspect(share: number): void {
    if (share > this.failures) this.failures = Math.min(1, share);
  }

  /** What one more request would cost beside `pending` others. Time alone makes it less. */
  load(now: number, pending: number): number {
    if (now > this.stamp) this.observe(now, 0);
    const { failures } = this;
    const cost = this.cost + this.penaltyMs * failures * failures * failures;
    if (cost === 0 && pending !== 0) return UNKNOWN_MS + pending;
    return cost * (pending + 1);
  }

  private observe(now: number, latencyMs: number): void {
    const passed = now - this.stamp;
    if (passed > 0) this.stamp = now;
    if (latencyMs > this.cost) {
      this.cost = latencyMs;
      if (this.failures > 0 && passed > 0) this.failures *= Math.exp(-passed / this.tauMs);
      return;
    }
    const kept = passed > 0 ? Math.exp(-passed / this.tauMs) : 1;
    this.cost = this.cost * kept + latencyMs * (1 - kept);
    this.failures *= kept;
  }
}
