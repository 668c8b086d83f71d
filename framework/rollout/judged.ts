/**
 * Rollouts of the strategy `gate`: besides the health of its nodes each phase is judged from outside, by who knows what the
 * tasks are for. Who judges says in which order nodes have their turn, lets a phase pass, has it wait, or turns the rollout
 * back; a goal that was turned back is not begun again by itself.
 */
import type { Step } from '../daemonset/effects.ts';
import type { DaemonsetState } from '../daemonset/state.ts';
import type { AgentId } from '../mesos-http-client/messages.ts';
import { type Goal, type Strategy, sameGoal } from './goal.ts';
import type { JudgedRollout, Judgement } from './judgement.ts';
import { beginRollout, resumeRollout, setRecord } from './rollout.ts';
import { isUnfinished, type Rollout } from './rollout-state.ts';

/** As many are remembered. */
const MOST_BAD = 20;

export function takeJudgement(
  step: Step,
  { rollout: id, phase, judgement }: { rollout: string; phase: number; judgement: Judgement },
): void {
  const { rollout } = step.state;
  if (!isJudged(rollout) || rollout.record.id !== id || rollout.record.phase !== phase) return;
  const { record } = rollout;
  if (record.status !== 'running' && record.status !== 'interrupted') return;
  switch (judgement.kind) {
    case 'begin':
      rollout.isOrdered = true;
      reorder(rollout.queue, judgement.order);
      return;
    case 'hold':
      if (judgement.why !== null && rollout.held === null) {
        step.log('warn', 'the rollout waits', { goal: record.goal.id, why: judgement.why });
      }
      rollout.held = judgement.why;
      return;
    case 'pass': {
      if (!isFull(rollout) || record.judged > phase) return;
      rollout.held = null;
      const name = record.phases[phase]?.name ?? '';
      const unproven = judgement.proven ? record.unproven : [...record.unproven, name];
      setRecord(step, rollout, { judged: phase + 1, unproven });
      step.log('info', 'a phase of the rollout passes', { goal: record.goal.id, phase: name, ...judgement });
      return;
    }
    case 'fail':
      setRecord(step, rollout, { status: 'failed', errors: [judgement.why] });
  }
}

/** Back to where all were is not judged: it is what the others are compared with. */
export function strategyFor({ state, environment }: Step, goal: Goal): Strategy {
  const { strategy } = environment.settings.rollout;
  return strategy.kind === 'gate' && sameGoal(state.completed, goal) ? { kind: 'parallel' } : strategy;
}

/** At the end of each step: a judged rollout that has failed goes back where it came from. */
export function turnBackIfFailed(step: Step): void {
  const { state, environment } = step;
  const { rollout } = state;
  if (!isJudged(rollout) || rollout.record.status !== 'failed' || state.mode !== 'keep') return;
  const { goal, from, errors } = rollout.record;
  markBad(step, goal.id);
  if (from === null || sameGoal(from, goal)) return;
  if (!environment.available(from)) {
    // Nothing is there to go back to: it stays where it is, for an operator to see to.
    const missing = `it is not turned back: what ${from.id} needs is not at hand any more`;
    if (!errors.includes(missing)) setRecord(step, rollout, { errors: [...errors, missing] });
    return;
  }
  const [why = 'it was turned back before'] = errors;
  step.dropUpgrades(goal.id);
  step.log('warn', 'a rollout is turned back', { goal: goal.id, to: from.id, why });
  beginRollout(step, from, { kind: 'parallel' }, state.nodes.values());
  if (state.rollout !== null) setRecord(step, state.rollout, { turnedBack: { goal: goal.id, why } });
}

export function isBad({ bad, rollout }: DaemonsetState, { id }: Goal): boolean {
  // The two are written together, and of a crash in between one may be missing.
  return bad.includes(id) || rollout?.record.turnedBack?.goal === id;
}

/** The start wants a goal that was turned back: it goes on with what is there. */
export function keepAway(step: Step, goal: Goal): void {
  const { state } = step;
  markBad(step, goal.id);
  resumeRollout(step);
  const { rollout, completed } = state;
  if (isUnfinished(rollout) && sameGoal(rollout.record.goal, goal)) {
    const [why = 'it was found to do harm before'] = rollout.record.errors;
    setRecord(step, rollout, { status: 'failed', errors: [why] });
    return;
  }
  step.log('warn', 'the wanted version was turned back before, and is not begun again by itself', {
    wanted: goal.id,
    runs: completed?.id ?? null,
  });
}

/** An operator wants the goal that was turned back to be tried again. False where there is none. */
export function tryAgain(step: Step): boolean {
  const { state } = step;
  const { wanted } = state;
  if (wanted === null || state.rollout?.record.status === 'running' || !isBad(state, wanted)) return false;
  state.bad = state.bad.filter((id) => id !== wanted.id);
  step.persistFramework();
  beginRollout(step, wanted, strategyFor(step, wanted), state.nodes.values());
  return true;
}

/** For who judges; null while there is nothing to judge. */
export function judgedRollout(state: DaemonsetState): JudgedRollout | null {
  const { rollout } = state;
  if (!isJudged(rollout) || state.mode !== 'keep') return null;
  const { record, isOrdered } = rollout;
  if (record.status !== 'running' && record.status !== 'interrupted') return null;
  const changed: AgentId[] = [];
  const earlier: AgentId[] = [];
  for (const [agentId, { step }] of state.nodes) {
    if (step?.rollout !== record.id || step.state !== 'complete') continue;
    (step.phase === record.phase ? changed : earlier).push(agentId);
  }
  return {
    ...{ id: record.id, goal: record.goal, phase: record.phase, isOrdered, changed, earlier },
    isLastPhase: record.phase === record.phases.length - 1,
    isFull: isFull(rollout),
    hasPassed: record.judged > record.phase,
    changing: [...rollout.active],
  };
}

function isJudged(rollout: Rollout | null): rollout is Rollout {
  return isUnfinished(rollout) && rollout.record.strategy.kind === 'gate';
}

function isFull({ record, queue, active, failed, begun }: Rollout): boolean {
  if (active.size > 0 || failed.size > 0) return false;
  const upTo = record.phases[record.phase]?.upTo ?? null;
  return queue.size === 0 || (upTo !== null && begun >= upTo);
}

function reorder(queue: Set<AgentId>, order: readonly AgentId[]): void {
  const waiting = [...queue];
  const first = order.filter((id) => queue.has(id));
  queue.clear();
  for (const id of [...first, ...waiting]) queue.add(id);
}

function markBad(step: Step, id: string): void {
  const { state } = step;
  if (state.bad.includes(id)) return;
  state.bad = [...state.bad, id].slice(-MOST_BAD);
  step.persistFramework();
}
