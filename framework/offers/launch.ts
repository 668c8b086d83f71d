/** From a template and picked resources to the TaskInfo and the ACCEPT that Mesos wants. */
import type { TaskTemplate } from '../contract.ts';
import type { AgentId, CallBody, OfferId, Resource, TaskId, TaskInfo } from '../mesos-http-client/messages.ts';

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
  };
}

/** All offers are of one agent and one role, or Mesos drops the task. */
export function acceptCall(offerIds: readonly OfferId[], task: TaskInfo): CallBody {
  return {
    type: 'ACCEPT',
    accept: {
      offer_ids: offerIds.map((value) => ({ value })),
      operations: [{ type: 'LAUNCH', launch: { task_infos: [task] } }],
      filters: { refuse_seconds: SERVED_REFUSE_SECONDS },
    },
  };
}
