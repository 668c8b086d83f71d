/** The versions of the proxy that the model knows. The letter says what is wrong with one. */
import type { Goal } from '../../../framework/rollout/goal.ts';

export type SimulatedGoal = Goal;

/** The same runtime: one is reached from the other in place. */
const goal = (id: string, relaunchKey: string): Goal => ({ id, relaunchKey });

export const GOOD: readonly Goal[] = [
  goal('v1', 'node20'),
  goal('v2', 'node20'),
  goal('v3', 'node20'),
  goal('v4', 'node22'),
  goal('v5', 'node22'),
];

/** `crash`: ends when it starts. `sick`: runs and never gets well. `stuck`: cannot be upgraded to. */
export const BAD: readonly Goal[] = [
  goal('v6-crash', 'node20'),
  goal('v7-crash', 'node24'),
  goal('v8-sick', 'node20'),
  goal('v9-sick', 'node24'),
  goal('v10-stuck', 'node20'),
];

const ALL = new Map([...GOOD, ...BAD].map((one) => [one.id, one]));

export const crashesAtStart = ({ id }: Goal): boolean => id.endsWith('-crash');
export const isSick = ({ id }: Goal): boolean => id.endsWith('-sick');
/** The supervisor sees that the new worker does not come up, and keeps the old one. */
export const upgradeFails = ({ id }: Goal): boolean => id.endsWith('-crash') || id.endsWith('-stuck');

export function goalOfId(id: string): Goal {
  const found = ALL.get(id);
  if (found === undefined) throw new Error(`the model has no goal ${id}`);
  return found;
}
