/** A task as the master knows it, and which of its states are final. */
import type {
  AgentId,
  FrameworkId,
  TaskId,
  TaskInfo,
  TaskState,
  TaskStatus,
} from '../../framework/mesos-http-client/messages.ts';
import type { Resources } from './resources.ts';

const TERMINAL: ReadonlySet<TaskState> = new Set([
  'TASK_FINISHED',
  'TASK_FAILED',
  'TASK_KILLED',
  'TASK_ERROR',
  'TASK_LOST',
  'TASK_DROPPED',
  'TASK_GONE',
  'TASK_GONE_BY_OPERATOR',
]);

export function isTerminal(state: TaskState): boolean {
  return TERMINAL.has(state);
}

export interface TaskRecord {
  readonly id: TaskId;
  readonly frameworkId: FrameworkId;
  readonly agentId: AgentId;
  readonly info: TaskInfo;
  /** Allocated to the role of the offer that launched it. */
  readonly resources: Resources;
  state: TaskState;
  /** Oldest first; of several with the same state only the last (Mesos: of several in a row), which bounds the list. */
  statuses: TaskStatus[];
  /** The latest update that came from the agent: its acknowledgement lets go of a terminal task. */
  update: { readonly state: TaskState; readonly uuid: string } | null;
}

/** Adds a status to the history and takes its state over. A terminal task stays what it is. */
export function recordStatus(task: TaskRecord, status: TaskStatus): void {
  if (status.uuid !== undefined) task.update = { state: status.state, uuid: status.uuid };
  if (isTerminal(task.state)) return;
  // Each state once: an update that goes backwards, sent again after its agent hung, must not let the list grow.
  task.statuses = [...task.statuses.filter((known) => known.state !== status.state), status];
  task.state = status.state;
}
