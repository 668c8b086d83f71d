/** The state of the daemonset: plain data (maps and records), changed in place by `step` alone. */
import type { AgentView, NodeState, TaskTemplate } from '../contract.ts';
import type { AgentId, FrameworkId, TaskId } from '../mesos-http-client/messages.ts';
import type { AgentRecord } from '../state/records.ts';
import type { LedgerTask } from '../tasks/ledger.ts';
import { newTask } from '../tasks/ledger.ts';
import { newReconciliation, type Reconciliation } from '../tasks/reconciliation.ts';
import type { DeadlineHeap, Deadlines } from './deadlines.ts';

/** A task of ours that must not be where it is: it is killed, again and again, until it is known to be dead. */
export interface Stray {
  readonly taskId: TaskId;
  /** Delay before the next KILL. */
  delay: number;
}

/** What the master last said of an agent, as a whole list. `unasked`: no list since the start, or no operator API. */
export type Listing = 'unasked' | 'registered' | 'recovered' | 'missing';

export interface Node {
  agent: AgentView;
  listing: Listing;
  /** When something came that only a registered agent gives: an offer, its addition. */
  seenAt: number;
  task: LedgerTask | null;
  readonly strays: Map<TaskId, Stray>;
  /** The last tasks that ended here: what still comes about them is old. */
  readonly ended: TaskId[];
  failures: number;
  notBefore: number | null;
  lastEnd: string | null;
  /** Why the last offer was of no use, as a clause. */
  misfit: string | null;
  /** The operator drains the agent, or has deactivated it. */
  draining: boolean;
  readonly deadlines: Deadlines;
  /** What was shown last: `since` is when `state` became so. */
  shown: { state: NodeState; cause: string; taskId: TaskId | null; since: number };
}

/** An agent that was removed. What the operator has marked gone must not run on; any other may come back with its task. */
export interface Removal {
  readonly taskId: TaskId | null;
  readonly by: 'operator' | 'mesos';
}

export interface Revival {
  /** Nodes that could launch and have not been offered anything since they could. */
  readonly hungry: Set<AgentId>;
  at: number | null;
  lastAt: number;
  delay: number;
}

export interface DaemonsetState {
  frameworkId: FrameworkId | null;
  subscribed: boolean;
  readonly nodes: Map<AgentId, Node>;
  /** Where each task of ours is, strays included. */
  readonly tasks: Map<TaskId, AgentId>;
  /** Agents that were removed, with the task that they held (oldest first, bounded): should one come back, so may its task. */
  readonly removed: Map<AgentId, Removal>;
  /** Running tasks of ours on agents of which we know nothing else yet (bounded). */
  readonly orphans: Map<AgentId, TaskId>;
  readonly heap: DeadlineHeap;
  readonly reconciliation: Reconciliation;
  readonly revival: Revival;
  /** The deadline that was asked for last. */
  wakeAt: number | null;
  readonly counters: {
    launches: number;
    offersReceived: number;
    offersDeclined: number;
    statusUpdates: number;
    reconciliations: number;
  };
}

/** What the core asks its user. Must answer the same for the same question for a run to be repeatable. */
export interface Environment {
  newTaskId(agent: AgentView): TaskId;
  template(agent: AgentView, taskId: TaskId): TaskTemplate;
}

/** The state of a scheduler that has just started, from what its predecessor wrote. */
export function initialState(
  frameworkId: FrameworkId | null,
  records: readonly AgentRecord[],
  now: number,
): DaemonsetState {
  const state: DaemonsetState = {
    frameworkId,
    subscribed: false,
    nodes: new Map(),
    tasks: new Map(),
    removed: new Map(),
    orphans: new Map(),
    heap: [],
    reconciliation: newReconciliation(),
    revival: { hungry: new Set(), at: null, lastAt: Number.NEGATIVE_INFINITY, delay: 0 },
    wakeAt: null,
    counters: { launches: 0, offersReceived: 0, offersDeclined: 0, statusUpdates: 0, reconciliations: 0 },
  };
  for (const record of records) {
    const { agentId, hostname, ip, isPublic, attributes } = record;
    const node = newNode({ agentId, hostname, ip, isPublic, attributes }, now);
    if (record.taskId !== null) {
      node.task = newTask(record.taskId, 'recovered', record.launchedAt ?? now, now);
      state.tasks.set(record.taskId, agentId);
      node.shown = { state: 'launching', cause: 'recovered', taskId: record.taskId, since: now };
    }
    node.failures = record.failures;
    node.notBefore = record.notBefore;
    node.lastEnd = record.lastEnd;
    state.nodes.set(agentId, node);
  }
  return state;
}

export function newNode(agent: AgentView, now: number): Node {
  return {
    agent,
    listing: 'unasked',
    seenAt: Number.NEGATIVE_INFINITY,
    task: null,
    strays: new Map(),
    ended: [],
    failures: 0,
    notBefore: null,
    lastEnd: null,
    misfit: null,
    draining: false,
    deadlines: {},
    shown: { state: 'pending', cause: 'new', taskId: null, since: now },
  };
}

/** What has to survive of a node. */
export function recordOf(node: Node): AgentRecord {
  return {
    agentId: node.agent.agentId,
    hostname: node.agent.hostname,
    ip: node.agent.ip,
    isPublic: node.agent.isPublic,
    attributes: { ...node.agent.attributes },
    taskId: node.task?.taskId ?? null,
    launchedAt: node.task?.launchedAt ?? null,
    failures: node.failures,
    notBefore: node.notBefore,
    lastEnd: node.lastEnd,
  };
}
