/**
 * What a change of a namespace would take away: names that are bound now and would not be then. Many names are looked at in
 * slices, so that nobody else waits for it.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Dtab } from '../../agent-proxy/routing/dtab.ts';
import type { Outcome } from '../../agent-proxy/routing/evaluation.ts';
import { type Path, parsePath } from '../../agent-proxy/routing/path.ts';

const SLICE_MS = 5;

/** What a name is bound to under a dtab. */
export type Bind = (dtab: Dtab, name: Path) => Outcome;

export interface Change {
  readonly before: Dtab;
  readonly after: Dtab;
}

/** Sorted. `now` in milliseconds. */
export async function namesUnbound(
  names: readonly string[],
  { before, after }: Change,
  bind: Bind,
  now: () => number = () => performance.now(),
): Promise<string[]> {
  const unbound: string[] = [];
  let begun = now();
  for (const name of names) {
    const path = parsePath(name);
    if (path !== null && isBound(bind(before, path)) && isGone(bind(after, path))) unbound.push(name);
    if (now() - begun < SLICE_MS) continue;
    await nextTurn();
    begun = now();
  }
  return unbound.sort();
}

function isBound(outcome: Outcome): boolean {
  return outcome.kind === 'ok' && (outcome.value.kind === 'leaf' || outcome.value.kind === 'union');
}

/** What is not known yet is no loss. */
function isGone(outcome: Outcome): boolean {
  return outcome.kind !== 'pending' && !isBound(outcome);
}
