/**
 * How long to wait before the next attempt: longer each time up to a limit, and never the same for all clients, so that
 * those that lost one master together do not come back together.
 */

export interface BackoffLimits {
  readonly firstMs: number;
  readonly maxMs: number;
  readonly factor: number;
}

/**
 * Quick at first (six attempts in the first five seconds: a master failover or a restart is over by then), patient later.
 */
export const RECONNECT: BackoffLimits = { firstMs: 250, maxMs: 15_000, factor: 1.5 };

/** The delay before attempt `attempt` (0 is the first repetition). `random` is in [0, 1). */
export function backoffDelay(limits: BackoffLimits, attempt: number, random: number): number {
  const full = Math.min(limits.maxMs, limits.firstMs * limits.factor ** Math.min(attempt, 64));
  return Math.round(full * (0.5 + random / 2));
}
