/** The state of the daemonset: plain data (maps and records), changed in place by `step` alone. */
import type { AgentView } from '../agent.ts';
import type { NodeState, TaskTemplate } from '../contract.ts';
import type { AgentId, FrameworkId, OfferId, Range, TaskId } from '../mesos-http-client/messages.ts';
import type { Constraint } from '../offers/constraints.ts';
import type { Gap } from '../offers/placement.ts';
import type { Turns } from '../offers/turns.ts';
import type { Goal, RolloutSettings } from '../rollout/goal.ts';
import type { Rollout } from '../rollout/rollout-state.ts';
import type { AgentRecord, FrameworkRecord, StepMark } from '../state/records.ts';
import type { LedgerTask } from '../tasks/ledger.ts';
import type { Reconciliation } from '../tasks/reconciliation.ts';
import type { DeadlineHeap, Deadlines } from './deadlines.ts';

/** A task of ours that must not be where it is: it is killed, again and again, until it is known to be dead. */
export interface Stray {
  readonly taskId: TaskId;
  /** Delay before the next KILL. */
  delay: number;
}

/** What the master last said of an agent, as a whole list. `unasked`: no list since the start, or no operator API. */
export type Listing = 'unasked' | 'registered' | 'recovered' | 'missing';

/** Whether the agent is to have a task: the clause says why not. */
export type Placed = { readonly wanted: true } | { readonly wanted: false; readonly why: string };

/** Why a launch did not come about: figures, or a clause. */
export type Misfit =
  | { readonly kind: 'gaps'; readonly gaps: readonly Gap[] }
  | { readonly kind: 'other'; readonly why: string };

/** Why the node's task was told to go. */
export type KillReason = 'eviction' | 'health' | 'maintenance' | 'rollout';

export interface Maintenance {
  readonly from: number;
  readonly until: number | null;
  /** The inverse offer that said so; null when an offer did. */
  readonly inverseOffer: OfferId | null;
}

export interface Node {
  agent: AgentView;
  placed: Placed;
  /** Why an operator wants no task here, as a clause; null where he has not said so. */
  heldOut: string | null;
  /** Counts of the placement that others get when its task is dead. */
  owed: readonly string[];
  /** What its task is: launched as, or made into since. Null without a task, and for one that was found. */
  goal: Goal | null;
  /** Of its task, see `TaskTemplate`: data that means nothing here. */
  credential: string | null;
  /** How far a rollout is with it. */
  step: StepMark | null;
  /** The role in which resources of the agent were reserved, written before the first RESERVE. */
  reserved: string | null;
  killing: KillReason | null;
  /** Delay before the next KILL of it. */
  killDelay: number;
  /** From when to when the machine is away, by the operator's schedule. Milliseconds since the epoch. */
  maintenance: Maintenance | null;
  /** The scheduler took its task down, and it has not been healthy since. */
  down: boolean;
  /** A task of the node was healthy once: it is not part of the first deployment any more. */
  covered: boolean;
  /** All ports that the agent gives out; null until a list of agents told. */
  agentPorts: readonly Range[] | null;
  /** Who has a port that the task needs. */
  portHolders: Readonly<Record<number, string>>;
  /** When the node last began to wait for an offer; null while it does not. */
  waitingSince: number | null;
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
  /** Why the last offer was of no use. */
  misfit: Misfit | null;
  /** The operator drains the agent, or has deactivated it. */
  draining: boolean;
  readonly deadlines: Deadlines;
  /** What was shown last: `since` is when `state` became so. */
  shown: { state: NodeState; cause: string; taskId: TaskId | null; since: number };
}

/** An agent that was removed. What the operator has marked gone must not run on; any other may come back with its task. */
export interface Removal {
  readonly taskId: TaskId | null;
  readonly credential: string | null;
  /** The role in which resources of the agent were reserved: it keeps them. */
  readonly reserved: string | null;
  readonly by: 'operator' | 'mesos';
}

/** Of a counted constraint: who counts, and who was left out because the count was full. */
export interface Holding {
  readonly holders: Set<AgentId>;
  readonly refused: Set<AgentId>;
}

export interface Revival {
  /** Nodes that could launch and have not been offered anything since they could. */
  readonly hungry: Set<AgentId>;
  at: number | null;
  lastAt: number;
  delay: number;
}

/** `gone`: uninstalled; the framework id is dead and nothing is left. */
export type Mode = 'keep' | 'uninstall' | 'gone';

export interface DaemonsetState {
  frameworkId: FrameworkId | null;
  subscribed: boolean;
  subscribedAt: number;
  /** Until then an agent that nobody knew may have a task of ours, of which the master is just telling. */
  strangersAt: number;
  /** A list of agents came since then: there will be others. */
  isListed: boolean;
  /** When the rollout looks at more nodes. */
  rolloutAt: number | null;
  /** When an uninstalling framework tears itself down (again). */
  tearDownAt: number | null;
  mode: Mode;
  /** No change by itself but repair. */
  frozen: boolean;
  /** What tasks are where no rollout has its way; null before the first start. */
  completed: Goal | null;
  /** What the user wants, said at the beginning; it may be bad. */
  wanted: Goal | null;
  /** Goals that were turned back, by their ids. */
  bad: readonly string[];
  rollout: Rollout | null;
  /** Under each key of a counted constraint. */
  readonly counted: Map<string, Holding>;
  /** Nodes whose launch has not come to a running task yet: never more than a few dozen. */
  readonly inFlight: Set<AgentId>;
  /** Nodes that were offered something and wait for their turn to launch. */
  readonly turns: Turns;
  /** Nodes with a time of maintenance. */
  readonly away: Set<AgentId>;
  /** Nodes that still have something of ours: a task, or resources. */
  readonly unclean: Set<AgentId>;
  /** Nodes whose running task is not healthy. */
  readonly unwell: Set<AgentId>;
  /** Nodes that were taken down for their health, until they are healthy again. */
  readonly down: Set<AgentId>;
  /** Nodes whose task is not what it should be, while no rollout is at work: they came back after one. */
  readonly stragglers: Set<AgentId>;
  readonly nodes: Map<AgentId, Node>;
  /** Where each task of ours is, strays included. */
  readonly tasks: Map<TaskId, AgentId>;
  /** Agents that were removed, with the task that they held (oldest first, bounded): should one come back, so may its task. */
  readonly removed: Map<AgentId, Removal>;
  /** Running tasks of ours on agents of which we know nothing else yet (bounded), in the order in which they were heard of. */
  readonly orphans: Map<AgentId, readonly TaskId[]>;
  readonly heap: DeadlineHeap;
  readonly reconciliation: Reconciliation;
  readonly revival: Revival;
  /** When agents were asked for last because one had failed, and when that is to be done again. */
  lookedAt: number;
  lookAgainAt: number | null;
  /** The deadline that was asked for last. */
  wakeAt: number | null;
  readonly counters: {
    launches: number;
    offersReceived: number;
    offersDeclined: number;
    statusUpdates: number;
    reconciliations: number;
    kills: number;
    revives: number;
    unreserved: number;
  };
}

export interface Settings {
  /** The roles that tasks are launched in. What is held in another one, of an earlier start, is given back. */
  readonly roles: readonly string[];
  readonly principal: string | null;
  readonly constraints: readonly Constraint[];
  readonly reserve: boolean;
  readonly rollout: RolloutSettings;
}

/** What the core asks its user. Must answer the same for the same question for a run to be repeatable. */
export interface Environment {
  readonly settings: Settings;
  newTaskId(agent: AgentView): TaskId;
  template(agent: AgentView, taskId: TaskId, goal: Goal): TaskTemplate;
  /** Whether tasks of this goal can be launched at all. */
  available(goal: Goal): boolean;
}

export function newNode(agent: AgentView, now: number): Node {
  return {
    agent,
    placed: { wanted: true },
    heldOut: null,
    owed: [],
    goal: null,
    credential: null,
    step: null,
    reserved: null,
    killing: null,
    killDelay: 0,
    down: false,
    covered: false,
    maintenance: null,
    agentPorts: null,
    portHolders: {},
    waitingSince: null,
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
    region: node.agent.region,
    zone: node.agent.zone,
    taskId: node.task?.taskId ?? null,
    launchedAt: node.task?.launchedAt ?? null,
    goal: node.goal,
    credential: node.credential,
    step: node.step,
    reserved: node.reserved,
    heldOut: node.heldOut,
    down: node.down,
    covered: node.covered,
    failures: node.failures,
    notBefore: node.notBefore,
    lastEnd: node.lastEnd,
  };
}

/** What has to survive besides the nodes. Null before the master gave an id. */
export function frameworkRecordOf(state: DaemonsetState): FrameworkRecord | null {
  const { frameworkId, mode, frozen, completed, bad } = state;
  return frameworkId === null ? null : { frameworkId, mode, frozen, completed, bad: [...bad] };
}

/** The roles in which something is reserved for us. No role's name has a space (src/common/roles.cpp). */
export function heldRoles({ nodes }: DaemonsetState): Set<string> {
  const roles = new Set<string>();
  for (const { reserved } of nodes.values()) if (reserved !== null && !reserved.includes(' ')) roles.add(reserved);
  return roles;
}
