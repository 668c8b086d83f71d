/** The plans that an operator sees, made from the state when somebody asks. */
import { judge } from '../daemonset/node-status.ts';
import type { DaemonsetState, Node } from '../daemonset/state.ts';
import { sameGoal } from './goal.ts';
import { type PhaseView, type PlanStatus, type PlanView, type StepView, statusOfParts } from './plan-view.ts';
import { isUnfinished, type Rollout } from './rollout-state.ts';

export function planNames(state: DaemonsetState): string[] {
  if (state.mode !== 'keep') return ['deploy'];
  return state.rollout === null ? ['deploy', 'recovery'] : ['deploy', 'recovery', 'update'];
}

export function planOf(state: DaemonsetState, name: string, now: number): PlanView | undefined {
  if (!planNames(state).includes(name)) return undefined;
  if (state.mode !== 'keep') return uninstallPlan(state, now);
  const nodes = [...state.nodes.values()];
  switch (name) {
    case 'deploy': {
      const wanted = nodes.filter((node) => node.placed.wanted);
      const steps = wanted.map((node) => stepOf(node, node.covered ? 'COMPLETE' : coverage(node, now), now));
      return plan('deploy', 'parallel', [phase('nodes', 'parallel', steps)]);
    }
    case 'recovery': {
      const sick = nodes.filter((node) => node.covered && node.placed.wanted && coverage(node, now) !== 'COMPLETE');
      const steps = sick.map((node) => stepOf(node, coverage(node, now), now));
      return plan('recovery', 'parallel', [phase('nodes', 'parallel', steps)]);
    }
    default:
      return state.rollout === null ? undefined : updatePlan(state, state.rollout, now);
  }
}

function coverage(node: Node, now: number): PlanStatus {
  const { state } = judge(node, now);
  if (state === 'healthy') return 'COMPLETE';
  return node.task === null ? 'PENDING' : 'IN_PROGRESS';
}

function stepOf(node: Node, status: PlanStatus, now: number): StepView {
  const { reason } = judge(node, now);
  return { id: node.agent.agentId, name: node.agent.hostname, status, message: reason ?? 'healthy' };
}

function updatePlan(state: DaemonsetState, rollout: Rollout, now: number): PlanView {
  const { record } = rollout;
  const { strategy } = record;
  const nodes = [...state.nodes.values()].filter((node) => node.placed.wanted);
  const phases = record.phases.map((one, index) => {
    const steps = nodes
      .filter((node) => phaseOf(rollout, node) === index)
      .map((node) => stepOf(node, updateStatus(rollout, node), now));
    const named = record.unproven.includes(one.name) ? `${one.name} (unproven)` : one.name;
    const view = { ...phase(one.name, strategy.kind === 'serial' ? 'serial' : 'parallel', steps), name: named };
    const isPast = index < record.phase || record.status === 'complete';
    return view.steps.length === 0 && !isPast ? { ...view, status: 'PENDING' as const } : view;
  });
  const status = rollout.held !== null && record.status === 'running' ? 'WAITING' : overall(record.status, phases);
  const errors = [...record.errors, ...turnedBackClause(rollout)];
  return { name: 'update', status, strategy: strategy.kind, errors, phases };
}

function turnedBackClause({ record: { turnedBack, goal, status } }: Rollout): string[] {
  if (turnedBack === null) return [];
  const was = status === 'complete' ? 'was' : 'is being';
  return [`${turnedBack.goal} ${was} turned back to ${goal.id}: ${turnedBack.why}`];
}

/** A node that has not had its turn is shown in the last phase, where it will have it at the latest. */
function phaseOf(rollout: Rollout, node: Node): number {
  const { step } = node;
  return step?.rollout === rollout.record.id ? step.phase : rollout.record.phases.length - 1;
}

function updateStatus(rollout: Rollout, node: Node): PlanStatus {
  const { record } = rollout;
  if (node.step?.rollout === record.id) {
    if (node.step.state === 'active') return 'IN_PROGRESS';
    return node.step.state === 'failed' ? 'ERROR' : 'COMPLETE';
  }
  if (!isUnfinished(rollout) || sameGoal(node.goal, record.goal)) return 'COMPLETE';
  return record.status === 'interrupted' || record.status === 'waiting' ? 'WAITING' : 'PENDING';
}

function overall(status: Rollout['record']['status'], phases: readonly PhaseView[]): PlanStatus {
  switch (status) {
    case 'complete':
      return 'COMPLETE';
    case 'failed':
      return 'ERROR';
    case 'waiting':
    case 'interrupted':
      return 'WAITING';
    case 'running': {
      const parts = statusOfParts(phases.map((one) => one.status));
      return parts === 'PENDING' ? 'PENDING' : 'IN_PROGRESS';
    }
  }
}

function uninstallPlan(state: DaemonsetState, now: number): PlanView {
  const nodes = [...state.nodes.values()];
  const gone = state.mode === 'gone';
  const kills = nodes.map((node) => {
    const isFree = node.task === null && node.strays.size === 0;
    return stepOf(node, isFree ? 'COMPLETE' : 'IN_PROGRESS', now);
  });
  const releases = nodes.map((node) => stepOf(node, releaseStatus(node), now));
  const clean = [...kills, ...releases].every((one) => one.status === 'COMPLETE');
  const removal: StepView = {
    id: 'framework',
    name: 'framework',
    status: gone ? 'COMPLETE' : clean ? 'IN_PROGRESS' : 'PENDING',
    message: gone ? 'the framework is removed' : 'removed when everything else is done',
  };
  return plan('deploy', 'serial', [
    phase('kill-tasks', 'parallel', kills),
    phase('unreserve-resources', 'parallel', releases),
    phase('deregister-service', 'serial', [removal]),
  ]);
}

function releaseStatus(node: Node): PlanStatus {
  if (node.reserved === null) return 'COMPLETE';
  return node.task === null ? 'IN_PROGRESS' : 'PENDING';
}

function phase(name: string, strategy: string, steps: readonly StepView[]): PhaseView {
  return { id: name, name, strategy, status: statusOfParts(steps.map((step) => step.status)), steps };
}

function plan(name: string, strategy: string, phases: readonly PhaseView[]): PlanView {
  return { name, strategy, status: statusOfParts(phases.map((one) => one.status)), errors: [], phases };
}
