/** A rollout as the core holds it: what is stored of it, and who waits, is being changed, and has failed. */
import type { AgentId } from '../mesos-http-client/messages.ts';
import type { RolloutRecord } from '../state/records.ts';
import type { Strategy } from './goal.ts';

export interface Rollout {
  readonly record: RolloutRecord;
  /** Nodes whose turn has not come, in order. */
  readonly queue: Set<AgentId>;
  /** Nodes that are being changed: each may be down. */
  readonly active: Set<AgentId>;
  readonly failed: Set<AgentId>;
  /** How many nodes have had their turn. */
  begun: number;
  /** How many of them in the present phase. */
  begunNow: number;
  /** Strategy `gate`: who judges has said in which order nodes have their turn. Before that nobody has it. */
  isOrdered: boolean;
  /** Strategy `gate`: why who judges has it wait. */
  held: string | null;
}

type Phases = RolloutRecord['phases'];

export function restoreRollout(record: RolloutRecord): Rollout {
  const sets = { queue: new Set<AgentId>(), active: new Set<AgentId>(), failed: new Set<AgentId>() };
  return { record, ...sets, begun: 0, begunNow: 0, isOrdered: false, held: null };
}

/** The phases of a rollout over `nodes` nodes. */
export function phasesOf(strategy: Strategy, nodes: number): Phases {
  switch (strategy.kind) {
    case 'serial':
    case 'parallel':
      return [{ name: 'nodes', upTo: null }];
    case 'canary':
      return [
        { name: 'canary', upTo: strategy.nodes },
        { name: 'rest', upTo: null },
      ];
    case 'percentages':
      return sharesOf(strategy.steps, nodes);
    case 'gate': {
      const { canary, steps } = strategy;
      return [...(canary > 0 ? [{ name: 'canary', upTo: canary }] : []), ...sharesOf(steps, nodes)];
    }
  }
}

function sharesOf(steps: readonly number[], nodes: number): Phases {
  const shares = [...steps].sort((a, b) => a - b).filter((share) => share < 100);
  return [
    ...shares.map((share) => ({ name: `${share}%`, upTo: Math.ceil((nodes * share) / 100) })),
    { name: '100%', upTo: null },
  ];
}

/** How many nodes may be changed at a time. */
export function widthOf({ strategy, maxUnavailable }: RolloutRecord): number {
  return strategy.kind === 'serial' ? 1 : maxUnavailable;
}

/** True while something of it is left to do. */
export function isUnfinished(rollout: Rollout | null): rollout is Rollout {
  return rollout !== null && rollout.record.status !== 'complete';
}

/** Strategy `gate`: the present phase has changed nodes, and nobody has said yet that it may pass. */
export function awaitsJudgement({ record, begunNow }: Rollout): boolean {
  return record.strategy.kind === 'gate' && record.judged <= record.phase && begunNow > 0;
}

/** Strategy `gate`: nobody has said yet that it may begin. */
export function awaitsOrder({ record, isOrdered }: Rollout): boolean {
  return record.strategy.kind === 'gate' && !isOrdered;
}
