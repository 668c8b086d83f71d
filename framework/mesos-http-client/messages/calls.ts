/** Calls, scheduler → master. Source: include/mesos/v1/scheduler/scheduler.proto. */
import type { AgentId, FrameworkId, OfferId, TaskId } from './ids.ts';
import type { Labels, Resource } from './resources.ts';
import type { DurationInfo, ExecutorInfo, TaskInfo } from './task-info.ts';

export interface FrameworkInfo {
  user: string;
  name: string;
  id?: { value: FrameworkId };
  /** Seconds that tasks outlive a disconnected scheduler; Mesos' default 0 kills them at once. */
  failover_timeout?: number;
  checkpoint?: boolean;
  roles?: string[];
  role?: string;
  hostname?: string;
  principal?: string;
  webui_url?: string;
  capabilities?: { type: string }[];
  labels?: Labels;
  /** By role: which offers are worth sending. */
  offer_filters?: Record<string, OfferFilters>;
}

/** An offer is sent when it holds at least one of these sets; overrides the master's `--min_allocatable_resources`. */
export interface OfferFilters {
  min_allocatable_resources: { quantities: { quantities: Record<string, { value: number }> }[] };
}

export interface Filters {
  /** Default 5. */
  refuse_seconds?: number;
}

/**
 * One step of an ACCEPT; steps are taken in order, so RESERVE and the LAUNCH that uses it may stand in one call. With an
 * `id` (never on a LAUNCH) the master tells what became of it in UPDATE_OPERATION_STATUS.
 */
export type Operation = { id?: { value: string } } & (
  | { type: 'LAUNCH'; launch: { task_infos: TaskInfo[] } }
  | { type: 'LAUNCH_GROUP'; launch_group: { executor: ExecutorInfo; task_group: { tasks: TaskInfo[] } } }
  | { type: 'RESERVE'; reserve: { resources: Resource[] } }
  | { type: 'UNRESERVE'; unreserve: { resources: Resource[] } }
  | { type: 'CREATE'; create: { volumes: Resource[] } }
  | { type: 'DESTROY'; destroy: { volumes: Resource[] } }
);

export interface SubscribeCall {
  type: 'SUBSCRIBE';
  framework_id?: { value: FrameworkId };
  subscribe: { framework_info: FrameworkInfo; suppressed_roles?: string[] };
}

/** Every call but SUBSCRIBE; the client adds `framework_id`. */
export type CallBody =
  | { type: 'TEARDOWN' }
  | { type: 'ACCEPT'; accept: { offer_ids: { value: OfferId }[]; operations?: Operation[]; filters?: Filters } }
  | { type: 'DECLINE'; decline: { offer_ids: { value: OfferId }[]; filters?: Filters } }
  | {
      type: 'ACCEPT_INVERSE_OFFERS';
      accept_inverse_offers: { inverse_offer_ids: { value: OfferId }[]; filters?: Filters };
    }
  | {
      type: 'DECLINE_INVERSE_OFFERS';
      decline_inverse_offers: { inverse_offer_ids: { value: OfferId }[]; filters?: Filters };
    }
  | { type: 'REVIVE'; revive?: { roles?: string[] } }
  | { type: 'SUPPRESS'; suppress?: { roles?: string[] } }
  | {
      type: 'KILL';
      kill: {
        task_id: { value: TaskId };
        agent_id?: { value: AgentId };
        kill_policy?: { grace_period?: DurationInfo };
      };
    }
  | { type: 'ACKNOWLEDGE'; acknowledge: { agent_id: { value: AgentId }; task_id: { value: TaskId }; uuid: string } }
  | { type: 'RECONCILE'; reconcile: { tasks: { task_id: { value: TaskId }; agent_id?: { value: AgentId } }[] } }
  | {
      type: 'ACKNOWLEDGE_OPERATION_STATUS';
      acknowledge_operation_status: {
        agent_id?: { value: AgentId };
        resource_provider_id?: { value: string };
        /** The inner text of the status' `uuid`. */
        uuid: string;
        operation_id: { value: string };
      };
    }
  | {
      type: 'RECONCILE_OPERATIONS';
      reconcile_operations: {
        operations: {
          operation_id: { value: string };
          agent_id?: { value: AgentId };
          resource_provider_id?: { value: string };
        }[];
      };
    }
  /** The whole FrameworkInfo anew, its id included; answered when it is done. Mesos 1.9. */
  | { type: 'UPDATE_FRAMEWORK'; update_framework: { framework_info: FrameworkInfo; suppressed_roles?: string[] } }
  | { type: 'SHUTDOWN'; shutdown: { executor_id: { value: string }; agent_id: { value: AgentId } } }
  /** To an executor, without any promise. `data` is base64. */
  | { type: 'MESSAGE'; message: { agent_id: { value: AgentId }; executor_id: { value: string }; data: string } }
  /** Mesos' own allocator ignores it. */
  | { type: 'REQUEST'; request: { requests: { agent_id?: { value: AgentId }; resources?: Resource[] }[] } };
export type Call = SubscribeCall | ({ framework_id: { value: FrameworkId } } & CallBody);
