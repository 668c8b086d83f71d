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
}

type Phases = RolloutRecord['phases'];

export function restoreRollout(record: RolloutRecord): Rollout {
  return { record, queue: new Set(), active: new Set(), failed: new Set(), begun: 0 };
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
    case 'percentages': {
      const shares = [...strategy.steps].sort((a, b) => a - b).filter((share) => share < 100);
      return [
        ...shares.map((share) => ({ name: `${share}%`, upTo: Math.ceil((nodes * share) / 100) })),
        { name: '100%', upTo: null },
      ];
    }
  }
}

/** How many nodes may be changed at a time. */
export function widthOf({ strategy, maxUnavailable }: RolloutRecord): number {
  return strategy.kind === 'serial' ? 1 : maxUnavailable;
}

/** True while something of it is left to do. */
export function isUnfinished(rollout: Rollout | null): rollout is Rollout {
  return rollout !== null && rollout.record.status !== 'complete';
}
