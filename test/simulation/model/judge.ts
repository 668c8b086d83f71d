/**
 * Who judges rollouts of the strategy `gate`: lets them begin, has them wait, passes their phases, and finds now and then that
 * one does harm. What it says may come late, twice, or of a rollout that is over.
 */
import type { DaemonsetEvent } from '../../../framework/daemonset/events.ts';
import type { DaemonsetState } from '../../../framework/daemonset/state.ts';
import { judgedRollout } from '../../../framework/rollout/judged.ts';
import type { JudgedRollout, Judgement } from '../../../framework/rollout/judgement.ts';
import type { Context } from '../context.ts';

interface Host {
  readonly state: DaemonsetState;
  push(event: DaemonsetEvent): void;
}

export function judge(context: Context, host: Host): void {
  const rollout = judgedRollout(host.state);
  if (rollout === null) return;
  const { rng, faulty } = context;
  const judgement = judgementOf(context, host.state, rollout);
  if (judgement === null) return;
  const event: DaemonsetEvent = { type: 'judged', rollout: rollout.id, phase: rollout.phase, judgement };
  context.tally.count('judgement', judgement.kind);
  context.clock.after(context.latency(), () => host.push(event));
  if (faulty && rng.chance(0.1)) context.clock.after(rng.between(1, 60_000), () => host.push(event));
}

function judgementOf({ rng, faulty }: Context, state: DaemonsetState, rollout: JudgedRollout): Judgement | null {
  if (!rollout.isOrdered) return { kind: 'begin', order: [...state.nodes.keys()].reverse() };
  if (faulty && rollout.changed.length > 0 && rng.chance(0.03))
    return { kind: 'fail', why: 'half of the requests fail' };
  if (!rollout.isFull || rollout.hasPassed) return null;
  const dice = rng.next();
  if (faulty && dice < 0.4) return { kind: 'hold', why: dice < 0.2 ? 'all nodes degrade' : null };
  return { kind: 'pass', proven: dice < 0.7 };
}
