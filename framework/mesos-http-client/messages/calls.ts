/** Calls, scheduler → master. Source: include/mesos/v1/scheduler/scheduler.proto. */
import type { AgentId, FrameworkId, OfferId, TaskId } from './ids.ts';
import type { Labels, Resource } from './resources.ts';
import type { DurationInfo, TaskInfo } from './task-info.ts';

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
}

export interface Filters {
  /** Default 5. */
  refuse_seconds?: number;
}

export type Operation = { id?: { value: string } } & (
  | { type: 'LAUNCH'; launch: { task_infos: TaskInfo[] } }
  | { type: 'LAUNCH_GROUP'; launch_group: unknown }
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
  | { type: 'RECONCILE'; reconcile: { tasks: { task_id: { value: TaskId }; agent_id?: { value: AgentId } }[] } };
export type Call = SubscribeCall | ({ framework_id: { value: FrameworkId } } & CallBody);
