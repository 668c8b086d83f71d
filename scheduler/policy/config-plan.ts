/** The rollout of a configuration as a plan of the API: shown like the framework's own, and steered by the same verbs. */
import type { PhaseView, PlanCommand, PlanOutcome, PlanStatus, PlanView, StepView } from '../../framework/index.ts';
import type { ConfigRollout } from './config-rollout.ts';
import type { ConfiguredNode } from './configured-node.ts';
import type { RollingConfig } from './rolling-config.ts';

export const CONFIG_PLAN = 'config';

export function configPlan(rollout: ConfigRollout, nodes: readonly ConfiguredNode[]): PlanView {
  const phaseOf = phasesOf(rollout);
  const phases = rollout.phases.map(({ name }, index): PhaseView => {
    const mine = nodes.filter(({ agentId }) => (phaseOf.get(agentId) ?? rollout.phases.length - 1) === index);
    const steps = mine.map((node) => stepOf(rollout, node));
    return { id: `${CONFIG_PLAN}-${index}`, name, strategy: 'gate', status: statusOf(rollout, index), steps };
  });
  const errors = rollout.outcome === 'bad' && rollout.why !== null ? [sentenceOf(rollout)] : [];
  return { name: CONFIG_PLAN, status: overall(rollout), strategy: 'gate', errors, phases };
}

function phasesOf({ changed, changing, ends, phase }: ConfigRollout): Map<string, number> {
  const phases = new Map<string, number>();
  let at = 0;
  for (const [index, agentId] of changed.entries()) {
    while (index >= (ends[at] ?? Number.POSITIVE_INFINITY)) at += 1;
    phases.set(agentId, at);
  }
  for (const { agentId } of changing) phases.set(agentId, phase);
  return phases;
}

function stepOf(rollout: ConfigRollout, node: ConfiguredNode): StepView {
  const { agentId, hostname } = node;
  const isChanging = rollout.changing.some((one) => one.agentId === agentId);
  return {
    id: agentId,
    name: hostname,
    status: nodeStatus(rollout, node, isChanging),
    message: messageOf(rollout, node),
  };
}

function nodeStatus(rollout: ConfigRollout, node: ConfiguredNode, isChanging: boolean): PlanStatus {
  if (node.refusal?.revision === rollout.revision) return 'ERROR';
  if (isChanging) return 'IN_PROGRESS';
  if (rollout.direction !== 'forward') return 'COMPLETE';
  if (node.revision === rollout.revision) return 'COMPLETE';
  return rollout.paused || rollout.held !== null ? 'WAITING' : 'PENDING';
}

function messageOf({ revision }: ConfigRollout, node: ConfiguredNode): string {
  if (node.refusal?.revision === revision) return node.refusal.reason;
  return node.revision === 0 ? '' : `revision ${node.revision}`;
}

function statusOf({ direction, outcome, phase, paused, held }: ConfigRollout, index: number): PlanStatus {
  if (direction === 'over' && (outcome === 'completed' || outcome === 'unproven')) return 'COMPLETE';
  if (index < phase) return 'COMPLETE';
  if (index > phase) return 'PENDING';
  if (outcome === 'bad' || outcome === 'aborted') return 'ERROR';
  return paused || held !== null ? 'WAITING' : 'IN_PROGRESS';
}

function overall({ direction, outcome, paused, held }: ConfigRollout): PlanStatus {
  if (direction === 'back') return 'IN_PROGRESS';
  if (direction === 'over') return outcome === 'bad' || outcome === 'aborted' ? 'ERROR' : 'COMPLETE';
  return paused || held !== null ? 'WAITING' : 'IN_PROGRESS';
}

function sentenceOf({ revision, from, why, direction }: ConfigRollout): string {
  return `revision ${revision} ${direction === 'over' ? 'was' : 'is being'} turned back to ${from}: ${why}`;
}

/** @throws {StateStoreError} */
export async function commandConfig(config: RollingConfig, command: PlanCommand): Promise<PlanOutcome> {
  const { rollout } = config;
  if (rollout === null) return { kind: 'not-found', message: 'no configuration was rolled out yet' };
  const phase = rollout.phases[rollout.phase]?.name ?? '';
  if (command.phase !== undefined && !rollout.phases.some(({ name }) => name === command.phase)) {
    return { kind: 'not-found', message: `the plan ${CONFIG_PLAN} has no phase ${command.phase}` };
  }
  if (command.step !== undefined) {
    return { kind: 'invalid', message: 'nodes are not steered one by one; leave the step out' };
  }
  if (rollout.direction === 'over')
    return { kind: 'already', message: `revision ${rollout.revision} is ${rollout.outcome}` };
  if (rollout.direction === 'back') {
    return { kind: 'invalid', message: `revision ${rollout.revision} is being turned back, and nothing stops that` };
  }
  switch (command.verb) {
    case 'interrupt':
    case 'stop':
      if (rollout.paused) return { kind: 'already', message: 'it waits already' };
      await config.command({ kind: 'pause' });
      return { kind: 'done', message: 'no further node is begun; what is begun is judged' };
    case 'start':
    case 'continue':
      if (!rollout.paused && rollout.held === null) return { kind: 'already', message: 'it goes on' };
      await config.command({ kind: 'continue' });
      return { kind: 'done', message: `it goes on, with a new window for ${phase}` };
    case 'restart':
      await config.command({ kind: 'continue' });
      return { kind: 'done', message: `${phase} is judged anew` };
    case 'forceComplete':
      if (command.phase !== undefined && command.phase !== phase) {
        return { kind: 'invalid', message: `only the phase that is under way can be forced: ${phase}` };
      }
      await config.command({ kind: 'force' });
      return { kind: 'done', message: `${phase} counts as passed once its nodes run the revision` };
  }
}
