/** From a template and picked resources to the TaskInfo and the ACCEPT that Mesos wants. */
import type { TaskTemplate } from '../contract.ts';
import type {
  AgentId,
  CallBody,
  OfferId,
  Operation,
  Resource,
  TaskId,
  TaskInfo,
} from '../mesos-http-client/messages.ts';

/** What stays of an offer after a launch is not wanted for an hour; more of it is offered again at once. */
export const SERVED_REFUSE_SECONDS = 3600;

export function taskInfo(agentId: AgentId, taskId: TaskId, template: TaskTemplate, resources: Resource[]): TaskInfo {
  return {
    name: template.name,
    task_id: { value: taskId },
    agent_id: { value: agentId },
    resources,
    command: template.command,
    kill_policy: { grace_period: { nanoseconds: template.killGraceSeconds * 1e9 } },
    ...(template.healthCheck === undefined ? {} : { health_check: template.healthCheck }),
    ...(template.discovery === undefined ? {} : { discovery: template.discovery }),
    ...(template.labels === undefined ? {} : { labels: template.labels }),
    ...(template.container === undefined ? {} : { container: template.container }),
    ...(template.limits === undefined ? {} : { limits: limitsOf(template.limits) }),
  };
}

/** `Infinity` has to be a string in JSON (mesos.proto, Value.Scalar by protobuf's JSON mapping). */
function limitsOf(limits: NonNullable<TaskTemplate['limits']>): NonNullable<TaskInfo['limits']> {
  const scalar = (limit: number | 'unlimited') => ({ value: limit === 'unlimited' ? ('Infinity' as const) : limit });
  return {
    ...(limits.cpus === undefined ? {} : { cpus: scalar(limits.cpus) }),
    ...(limits.mem === undefined ? {} : { mem: scalar(limits.mem) }),
  };
}

export interface Launch {
  readonly offerIds: readonly OfferId[];
  /** Ours, and more than the task needs. */
  readonly unreserve: readonly Resource[];
  readonly reserve: readonly Resource[];
  readonly task: TaskInfo;
}

/** All offers are of one agent and one role, or Mesos drops the task. The operations are done in order. */
export function acceptCall({ offerIds, unreserve, reserve, task }: Launch): CallBody {
  const operations: Operation[] = [];
  if (unreserve.length > 0) operations.push({ type: 'UNRESERVE', unreserve: { resources: [...unreserve] } });
  if (reserve.length > 0) operations.push({ type: 'RESERVE', reserve: { resources: [...reserve] } });
  operations.push({ type: 'LAUNCH', launch: { task_infos: [task] } });
  return {
    type: 'ACCEPT',
    accept: {
      offer_ids: offerIds.map((value) => ({ value })),
      operations,
      filters: { refuse_seconds: SERVED_REFUSE_SECONDS },
    },
  };
}
