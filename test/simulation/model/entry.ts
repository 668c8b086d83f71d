/** What the master holds of an agent, of a task, and of an offer. */
import type {
  AgentId,
  InverseOffer,
  OfferId,
  TaskId,
  TaskState,
} from '../../../framework/mesos-http-client/messages.ts';
import type { Agent } from './agent.ts';
import type { Pools } from './pools.ts';

export interface MasterTask {
  readonly taskId: TaskId;
  state: TaskState;
  /** Of the last update, for the acknowledgement that ends it. */
  uuid: string | null;
  readonly resources: Pools;
}

export interface AgentEntry {
  readonly id: AgentId;
  agent: Agent;
  /** `recovered`: from the registry, after a failover; the agent has not come yet. */
  state: 'registered' | 'recovered' | 'unreachable' | 'removed';
  /** Since when it is registered with this master. */
  since: number;
  total: Pools;
  readonly tasks: Map<TaskId, MasterTask>;
  /** Tasks that it had when it became unreachable. */
  readonly unreachable: Set<TaskId>;
  readonly pendingKills: Set<TaskId>;
  /** By the operator; draining does that too. */
  isDeactivated: boolean;
  isDraining: boolean;
  inverseOffer: InverseOffer | null;
}

export interface OutstandingOffer {
  readonly id: OfferId;
  readonly entry: AgentEntry;
  readonly role: string;
  readonly pools: Pools;
  readonly at: number;
}

export interface Filter {
  readonly until: number;
  readonly pools: Pools;
}

/** The master has given the task's resources back. */
export function isTerminal(state: TaskState): boolean {
  switch (state) {
    case 'TASK_FINISHED':
    case 'TASK_FAILED':
    case 'TASK_KILLED':
    case 'TASK_ERROR':
    case 'TASK_DROPPED':
    case 'TASK_GONE':
    case 'TASK_LOST':
      return true;
    default:
      return false;
  }
}
