/**
 * Failure accrual: when is an instance dead? A policy counts the outcomes of one instance and says when they trip. What
 * follows from that (the pause, the probe, the revival) is the instance's (`balance/instance.ts`).
 */

export interface AccrualPolicy {
  succeeded(now: number): void;
  /** Whether this failure trips the policy. Once tripped, each further failure trips it again until `revived`. */
  failed(now: number): boolean;
  /** The instance is ejected or gone: its siblings are compared with it no longer. What was counted stays. */
  left(): void;
  /** A probe succeeded: everything starts anew. */
  revived(): void;
}
