/** The words of a task's life: how an exit becomes a state and a message, in the very text that Mesos uses. */
import type { Resource, TaskState, TaskStatus } from '../../framework/mesos-http-client/messages.ts';

/** What one update says, before it gets its uuid, timestamp and address. */
export interface StatusDraft {
  readonly state: TaskState;
  readonly source: 'SOURCE_AGENT' | 'SOURCE_EXECUTOR';
  readonly message?: string;
  readonly reason?: string;
  readonly healthy?: boolean;
  /** Which resources were exceeded. */
  readonly limitation?: { resources: Resource[] };
}

/** How a process ended: exactly one of the two is set, as Node.js reports it. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

const TERMINAL_STATES: ReadonlySet<TaskState> = new Set([
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
  return TERMINAL_STATES.has(state);
}

/** strsignal(3) of glibc, which Mesos prints. */
const SIGNAL_TEXT: Partial<Record<NodeJS.Signals, string>> = {
  SIGHUP: 'Hangup',
  SIGINT: 'Interrupt',
  SIGQUIT: 'Quit',
  SIGILL: 'Illegal instruction',
  SIGTRAP: 'Trace/breakpoint trap',
  SIGABRT: 'Aborted',
  SIGBUS: 'Bus error',
  SIGFPE: 'Floating point exception',
  SIGKILL: 'Killed',
  SIGUSR1: 'User defined signal 1',
  SIGSEGV: 'Segmentation fault',
  SIGUSR2: 'User defined signal 2',
  SIGPIPE: 'Broken pipe',
  SIGALRM: 'Alarm clock',
  SIGTERM: 'Terminated',
  SIGXCPU: 'CPU time limit exceeded',
  SIGXFSZ: 'File size limit exceeded',
};

export function exitMessage({ code, signal }: Exit): string {
  if (signal !== null) return `Command terminated with signal ${SIGNAL_TEXT[signal] ?? signal}`;
  return `Command exited with status ${code ?? 'unknown'}`;
}

/** A task that ended by itself. */
export function endedByItself(exit: Exit): StatusDraft {
  const state = exit.code === 0 && exit.signal === null ? 'TASK_FINISHED' : 'TASK_FAILED';
  return { state, source: 'SOURCE_EXECUTOR', message: exitMessage(exit) };
}

/** Why a task is told to end. */
export type KillCause =
  | 'asked'
  /** Its health check failed too often. */
  | 'unhealthy'
  | 'agent drains'
  /** The agent drains, and will be marked gone then. */
  | 'agent leaves';

/**
 * A task that was told to end: KILLED whatever its exit status. Only `healthy: false` tells a health check's kill.
 * `knowsGone`: the framework is PARTITION_AWARE.
 */
export function endedByKill(exit: Exit, cause: KillCause, knowsGone: boolean): StatusDraft {
  const state = cause === 'agent leaves' && knowsGone ? 'TASK_GONE_BY_OPERATOR' : 'TASK_KILLED';
  const message = exitMessage(exit);
  return { state, source: 'SOURCE_EXECUTOR', message, ...aboutCause(cause) };
}

export function killing(cause: KillCause): StatusDraft {
  return { state: 'TASK_KILLING', source: 'SOURCE_EXECUTOR', ...(cause === 'unhealthy' ? {} : aboutCause(cause)) };
}

function aboutCause(cause: KillCause): Pick<StatusDraft, 'reason' | 'healthy'> {
  if (cause === 'unhealthy') return { healthy: false };
  return cause === 'asked' ? {} : { reason: 'REASON_AGENT_DRAINING' };
}

/** The task's process went down with the machine. */
export const EXECUTOR_TERMINATED: StatusDraft = {
  state: 'TASK_FAILED',
  source: 'SOURCE_AGENT',
  reason: 'REASON_EXECUTOR_TERMINATED',
  message: 'Executor terminated',
};

export function killedDuringLaunch(cause: KillCause): StatusDraft {
  return {
    state: 'TASK_KILLED',
    source: 'SOURCE_AGENT',
    reason: 'REASON_TASK_KILLED_DURING_LAUNCH',
    message: 'Killed before delivery to the executor',
    ...aboutCause(cause),
  };
}

/** A task that used more memory than it has. There is no isolator here: a test says when (see Agent.exceedMemory). */
export function memoryExceeded(requestedMb: number): StatusDraft {
  return {
    state: 'TASK_FAILED',
    source: 'SOURCE_AGENT',
    reason: 'REASON_CONTAINER_LIMITATION_MEMORY',
    message: `Memory limit exceeded: Requested: ${requestedMb}MB Maximum Used: ${requestedMb}MB\n`,
    limitation: { resources: [{ name: 'mem', type: 'SCALAR', scalar: { value: requestedMb } }] },
  };
}

export function launchFailed(why: string): StatusDraft {
  return {
    state: 'TASK_FAILED',
    source: 'SOURCE_AGENT',
    reason: 'REASON_CONTAINER_LAUNCH_FAILED',
    message: `Failed to launch container: ${why}`,
  };
}

/** The result of a health check; Mesos sends it as one more TASK_RUNNING. */
export function healthDraft(healthy: boolean): StatusDraft {
  return {
    state: 'TASK_RUNNING',
    source: 'SOURCE_EXECUTOR',
    reason: 'REASON_TASK_HEALTH_CHECK_STATUS_UPDATED',
    healthy,
  };
}

/** A task's history as Mesos shows it: an update of the same state takes the place of the one before. */
export function remember(history: TaskStatus[], status: TaskStatus): void {
  if (history.at(-1)?.state === status.state) history.pop();
  history.push(status);
}
