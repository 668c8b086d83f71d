/** The state that a scheduler starts with, from what its predecessor wrote. */

import { newTurns } from '../offers/turns.ts';
import { restoreRollout } from '../rollout/rollout-state.ts';
import type { AgentRecord, FrameworkRecord, RolloutRecord } from '../state/records.ts';
import { newTask } from '../tasks/ledger.ts';
import { newReconciliation } from '../tasks/reconciliation.ts';
import { indexNode } from './indexes.ts';
import { type DaemonsetState, newNode } from './state.ts';

/** What a predecessor wrote. */
export interface Remembered {
  readonly framework: FrameworkRecord | null;
  readonly rollout: RolloutRecord | null;
  readonly agents: readonly AgentRecord[];
}

/** The state of a scheduler that has just started, from what its predecessor wrote. */
export function initialState(remembered: Remembered, now: number): DaemonsetState {
  const { framework, agents } = remembered;
  const state: DaemonsetState = {
    frameworkId: framework?.frameworkId ?? null,
    subscribed: false,
    subscribedAt: 0,
    strangersAt: 0,
    isListed: false,
    rolloutAt: null,
    tearDownAt: null,
    mode: framework?.mode ?? 'keep',
    frozen: framework?.frozen ?? false,
    completed: framework?.completed ?? null,
    wanted: null,
    bad: framework?.bad ?? [],
    rollout: remembered.rollout === null ? null : restoreRollout(remembered.rollout),
    counted: new Map(),
    inFlight: new Set(),
    turns: newTurns(),
    away: new Set(),
    unclean: new Set(),
    unwell: new Set(),
    down: new Set(),
    stragglers: new Set(),
    nodes: new Map(),
    tasks: new Map(),
    removed: new Map(),
    orphans: new Map(),
    heap: [],
    reconciliation: newReconciliation(),
    revival: { hungry: new Set(), at: null, lastAt: Number.NEGATIVE_INFINITY, delay: 0 },
    lookedAt: Number.NEGATIVE_INFINITY,
    lookAgainAt: null,
    wakeAt: null,
    counters: {
      launches: 0,
      offersReceived: 0,
      offersDeclined: 0,
      statusUpdates: 0,
      reconciliations: 0,
      kills: 0,
      revives: 0,
      unreserved: 0,
    },
  };
  for (const record of agents) {
    const { agentId, hostname, ip, isPublic, attributes, region, zone } = record;
    const node = newNode({ agentId, hostname, ip, port: null, isPublic, attributes, region, zone }, now);
    if (record.taskId !== null) {
      node.task = newTask(record.taskId, 'recovered', record.launchedAt ?? now, now);
      state.tasks.set(record.taskId, agentId);
      node.shown = { state: 'launching', cause: 'recovered', taskId: record.taskId, since: now };
    }
    node.goal = record.goal;
    node.credential = record.credential;
    node.step = record.step;
    node.reserved = record.reserved;
    node.heldOut = record.heldOut;
    node.covered = record.covered;
    node.down = record.down;
    if (node.down) state.down.add(agentId);
    node.failures = record.failures;
    node.notBefore = record.notBefore;
    node.lastEnd = record.lastEnd;
    state.nodes.set(agentId, node);
    indexNode(state, node);
  }
  return state;
}
