/** Task statuses that the master itself makes up. None has a `uuid`: nobody acknowledges them. */
import type { AgentId, TaskId, TaskState, TaskStatus } from '../../framework/mesos-http-client/messages.ts';
import type { TaskRecord } from './tasks.ts';

export interface MasterStatus {
  readonly taskId: TaskId;
  readonly agentId?: AgentId | undefined;
  readonly state: TaskState;
  readonly message: string;
  readonly reason: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly unreachableSince?: number | undefined;
}

export function masterStatus(status: MasterStatus): TaskStatus {
  return {
    task_id: { value: status.taskId },
    state: status.state,
    message: status.message,
    source: 'SOURCE_MASTER',
    reason: status.reason,
    ...(status.agentId === undefined ? {} : { agent_id: { value: status.agentId } }),
    timestamp: status.now / 1000,
    ...(status.unreachableSince === undefined
      ? {}
      : { unreachable_time: { nanoseconds: status.unreachableSince * 1_000_000 } }),
  };
}

/** The latest known state of a task, told by the master: what the executor said about health and container stays. */
export function latestStatus(task: TaskRecord, reason: string, message: string, now: number): TaskStatus {
  // The result of a check is passed on though nothing here reads it.
  const latest: (TaskStatus & { readonly check_status?: unknown }) | undefined = task.statuses.at(-1);
  return {
    ...masterStatus({ taskId: task.id, agentId: task.agentId, state: task.state, message, reason, now }),
    ...(latest?.healthy === undefined ? {} : { healthy: latest.healthy }),
    ...(latest?.check_status === undefined ? {} : { check_status: latest.check_status }),
    ...(latest?.labels === undefined ? {} : { labels: latest.labels }),
    ...(latest?.container_status === undefined ? {} : { container_status: latest.container_status }),
  };
}
