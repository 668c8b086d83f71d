/** Which transitions a step made: of tasks, of the rollout, and of its steps. */
import type { DaemonsetState } from '../../../framework/daemonset/state.ts';
import type { AgentId } from '../../../framework/mesos-http-client/messages.ts';
import type { Tally } from '../tally.ts';

export interface Shadow {
  readonly phases: Map<AgentId, string>;
  readonly steps: Map<AgentId, string>;
  readonly rollout: string;
}

export function shadowOf(state: DaemonsetState): Shadow {
  const phases = new Map<AgentId, string>();
  const steps = new Map<AgentId, string>();
  for (const [agentId, { task, step }] of state.nodes) {
    if (task !== null) phases.set(agentId, task.phase);
    if (step !== null && step.rollout === state.rollout?.record.id) steps.set(agentId, step.state);
  }
  return { phases, steps, rollout: rolloutOf(state) };
}

export function seeTransitions(tally: Tally, before: Shadow, state: DaemonsetState): void {
  const now = shadowOf(state);
  compare(before.phases, now.phases, (from, to) => tally.count('task phase', `${from} → ${to}`));
  if (before.rollout !== now.rollout) tally.count('rollout', `${statusIn(before.rollout)} → ${statusIn(now.rollout)}`);
  compare(before.steps, now.steps, (from, to) => tally.count('rollout step', `${from} → ${to}`));
}

const rolloutOf = ({ rollout }: DaemonsetState): string =>
  rollout === null ? 'none' : `${rollout.record.id} ${rollout.record.status}`;

const statusIn = (rollout: string): string => rollout.split(' ').at(-1) ?? 'none';

function compare(before: Map<AgentId, string>, now: Map<AgentId, string>, see: (from: string, to: string) => void) {
  for (const [agentId, to] of now) {
    const from = before.get(agentId) ?? 'none';
    if (from !== to) see(from, to);
  }
  for (const [agentId, from] of before) if (!now.has(agentId)) see(from, 'none');
}
