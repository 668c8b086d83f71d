/** What a task is to be, and how a change of it goes over the cluster. */
import { z } from 'zod';

export const goalSchema = z.object({
  /** The same for the same task; shown to people, so a version or the beginning of a digest. */
  id: z.string().min(1),
  /** Of two goals with the same key, one can be reached from the other without a new task. */
  relaunchKey: z.string().min(1),
});
export type Goal = Readonly<z.infer<typeof goalSchema>>;

export const strategySchema = z.discriminatedUnion('kind', [
  /** One node after the other. */
  z.object({ kind: z.literal('serial') }),
  /** As many at a time as may be unavailable. */
  z.object({ kind: z.literal('parallel') }),
  /** `nodes` first; then it waits for `continue`. */
  z.object({ kind: z.literal('canary'), nodes: z.int().min(1) }),
  /** Up to each of these shares of the nodes, and a look at their health in between. */
  z.object({ kind: z.literal('percentages'), steps: z.array(z.number().gt(0).max(100)).min(1) }),
  /** `canary` nodes first, then up to each of these shares: each phase is judged from outside, and turned back by itself. */
  z.object({
    kind: z.literal('gate'),
    canary: z.int().min(0),
    steps: z.array(z.number().gt(0).max(100)).min(1),
  }),
]);
export type Strategy = Readonly<z.infer<typeof strategySchema>>;

export interface RolloutSettings {
  readonly strategy: Strategy;
  /** So many nodes at most are taken down at a time, by rollouts and for their health together. */
  readonly maxUnavailable: number;
  /** A node counts as done when it was healthy for so long. Milliseconds. */
  readonly gateMs: number;
  /** A node that is not done after so long has failed. Milliseconds. */
  readonly stepTimeoutMs: number;
}

export function sameGoal(a: Goal | null, b: Goal | null): boolean {
  return a?.id === b?.id && a?.relaunchKey === b?.relaunchKey;
}
