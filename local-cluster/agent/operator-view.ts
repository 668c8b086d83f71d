/** The agent's state as the v1 operator API shows it. Pure. */

import { type AgentView, executorName, limits } from './state-view.ts';
import type { TaskRun } from './task-run.ts';
import { isTerminal } from './task-status.ts';

export function getAgent({ agentId, description }: AgentView): Record<string, unknown> {
  const { hostname, port, resources, attributes } = description;
  const id = agentId === null ? {} : { id: { value: agentId } };
  return { agent_info: { hostname, port, resources, attributes, ...id } };
}

export function getTasks({ runs, completed, agentId }: AgentView): Record<string, unknown> {
  const view = (run: TaskRun): Record<string, unknown> => taskView(run, agentId ?? '');
  const started = runs.filter((run) => run.statuses.length > 0);
  const ended = (run: TaskRun): boolean => isTerminal(run.statuses.at(-1)?.state ?? 'TASK_STAGING');
  return {
    pending_tasks: [],
    queued_tasks: runs.filter((run) => run.statuses.length === 0).map(({ task }) => task),
    launched_tasks: started.filter((run) => !ended(run)).map(view),
    terminated_tasks: started.filter(ended).map(view),
    completed_tasks: completed.map(view),
  };
}

function taskView(run: TaskRun, agentId: string): Record<string, unknown> {
  const { task, statuses } = run;
  const last = statuses.at(-1);
  return {
    name: task.name,
    task_id: task.task_id,
    framework_id: { value: run.frameworkId },
    agent_id: { value: agentId },
    state: last?.state ?? 'TASK_STAGING',
    resources: task.resources,
    statuses,
    ...(last === undefined ? {} : { status_update_state: last.state, status_update_uuid: last.uuid }),
    ...(task.labels === undefined ? {} : { labels: task.labels }),
    ...(task.discovery === undefined ? {} : { discovery: task.discovery }),
    ...(task.health_check === undefined ? {} : { health_check: task.health_check }),
  };
}

export function getExecutors({ runs, completed }: AgentView): Record<string, unknown> {
  const view = (run: TaskRun): Record<string, unknown> => ({
    executor_info: {
      executor_id: { value: run.taskId },
      framework_id: { value: run.frameworkId },
      command: run.task.command,
      resources: run.task.resources,
      name: executorName(run),
      source: run.taskId,
    },
  });
  return {
    executors: runs.filter((run) => run.active).map(view),
    completed_executors: [...runs.filter((run) => !run.active), ...completed].map(view),
  };
}

export function getFrameworks({ runs, completed }: AgentView): Record<string, unknown> {
  const infos = new Map(
    [...completed, ...runs].map((run) => [run.frameworkId, { ...run.frameworkInfo, id: { value: run.frameworkId } }]),
  );
  return {
    frameworks: [...infos.values()].map((framework_info) => ({ framework_info })),
    completed_frameworks: [],
  };
}

export function getState(view: AgentView): Record<string, unknown> {
  return { get_tasks: getTasks(view), get_executors: getExecutors(view), get_frameworks: getFrameworks(view) };
}

export function getContainers({ runs }: AgentView): Record<string, unknown> {
  return {
    containers: runs
      .filter((run) => run.active && run.pid !== null)
      .map((run) => ({
        framework_id: { value: run.frameworkId },
        executor_id: { value: run.taskId },
        executor_name: executorName(run),
        container_id: { value: run.containerId },
        container_status: { container_id: { value: run.containerId }, executor_pid: run.pid },
        resource_statistics: limits(run),
      })),
  };
}
