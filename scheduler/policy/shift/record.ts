/** A shift as it is kept in the state store: what is wanted, and how far it is. */
import { z } from 'zod';

/** Of the source, in the last step in which it had enough requests: by both sides of a request. */
const countsSchema = z.object({ requests: z.int(), failures: z.int() });
const baselineSchema = z.object({ outgoing: countsSchema, incoming: countsSchema });

export const shiftSchema = z.object({
  /** Marathon ids without the slash in front. */
  service: z.string().min(1),
  from: z.string().min(1),
  to: z.string().min(1),
  /** Percent of the requests, rising, the last 100. */
  steps: z.array(z.number()).min(1),
  /** How long each step is watched, milliseconds. */
  everyMs: z.number(),
  /** Fewer requests to the target within a step prove nothing. */
  minRequests: z.int(),
  /**
   * - `running`: a step is being watched. `paused`: it is, and nothing follows it.
   * - `complete`: the last step held. `turned-back`: the target did worse. `aborted`: somebody ended it.
   * - `broken`: somebody else has changed the rule, and it is theirs now.
   */
  state: z.enum(['running', 'paused', 'complete', 'turned-back', 'aborted', 'broken']),
  /** Which of the steps. */
  step: z.int().min(0),
  /** When it began, or when the shift ended. Milliseconds since the epoch. */
  since: z.number(),
  /** Steps that had too few requests, by their percent. */
  unproven: z.array(z.number()),
  /** What the target is compared with where the source has no traffic any more. */
  baseline: baselineSchema.nullable(),
  /** Percent that the rule was made for last. A rule that says anything else, nor what is wanted, is somebody else's. */
  made: z.number(),
  /** Why it ended, or what it waits for. */
  reason: z.string().nullable(),
  by: z.string(),
  startedAt: z.number(),
});
export type Shift = Readonly<z.infer<typeof shiftSchema>>;

export function isOver({ state }: Shift): boolean {
  return state !== 'running' && state !== 'paused';
}

/** Percent of the requests that are to go to the target now. */
export function wantedPercent(shift: Shift): number {
  switch (shift.state) {
    case 'running':
    case 'paused':
      return shift.steps[shift.step] ?? 0;
    case 'complete':
      return 100;
    case 'turned-back':
    case 'aborted':
    case 'broken':
      return 0;
  }
}
