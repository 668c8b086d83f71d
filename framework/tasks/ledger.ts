/**
 * What is known of a task, and how an update changes it: a table. Mesos resends, repeats and, after a partition, goes back
 * in time; a task that might be alive occupies its agent.
 */
import type { TaskId, TaskState, TaskStatus } from '../mesos-http-client/messages.ts';

/** Every phase occupies the agent: only a task that has ended, for sure, makes room. */
export type Phase =
  /** Read from the state store; Mesos has not been heard about it yet. */
  | 'recovered'
  /** Written to the store, ACCEPT sent or about to be. */
  | 'launching'
  /** The agent has it (STAGING, STARTING). */
  | 'starting'
  | 'running'
  | 'killing'
  /** The agent does not answer the master; the task may well be alive and will come back with it. */
  | 'unreachable'
  /** Mesos says LOST or UNKNOWN, which is not final: it is asked again. */
  | 'lost';

export interface TaskHealth {
  readonly healthy: boolean;
  readonly reason: string | null;
  /** Nothing of the task answers, by any way. */
  readonly dead: boolean;
}

export interface LedgerTask {
  readonly taskId: TaskId;
  phase: Phase;
  readonly launchedAt: number;
  /** When `phase` became what it is. */
  phaseSince: number;
  /** What the framework's user said last; null before that. */
  health: TaskHealth | null;
  healthySince: number | null;
  /** Answers in a row that say that nobody knows the task, and when the first of them came. */
  unknownAnswers: number;
  unknownSince: number | null;
  /** Delay before the fate of a lost task is asked for again. */
  queryDelay: number;
}

/** What an update says, as far as it matters here. */
export type Report =
  | { readonly kind: 'alive'; readonly phase: 'starting' | 'running' | 'killing' | 'unreachable' | 'lost' }
  /** Neither the master nor an agent knows it; final only if they say so again and again. */
  | { readonly kind: 'unknown' }
  /** Dead for good. */
  | { readonly kind: 'ended' }
  /** Dead for good, and its agent too. */
  | { readonly kind: 'agent-gone' };

const REPORTS: Readonly<Record<TaskState, Report>> = {
  TASK_STAGING: { kind: 'alive', phase: 'starting' },
  TASK_STARTING: { kind: 'alive', phase: 'starting' },
  TASK_RUNNING: { kind: 'alive', phase: 'running' },
  TASK_KILLING: { kind: 'alive', phase: 'killing' },
  TASK_UNREACHABLE: { kind: 'alive', phase: 'unreachable' },
  TASK_LOST: { kind: 'alive', phase: 'lost' },
  TASK_UNKNOWN: { kind: 'unknown' },
  TASK_FINISHED: { kind: 'ended' },
  TASK_FAILED: { kind: 'ended' },
  TASK_KILLED: { kind: 'ended' },
  TASK_ERROR: { kind: 'ended' },
  TASK_DROPPED: { kind: 'ended' },
  TASK_GONE: { kind: 'ended' },
  TASK_GONE_BY_OPERATOR: { kind: 'agent-gone' },
};

/** Masters that do not know PARTITION_AWARE say LOST for several things; the reason tells them apart. */
export function reportOf(status: TaskStatus): Report {
  if (status.state === 'TASK_LOST' && status.reason === 'REASON_INVALID_OFFERS') return { kind: 'ended' };
  if (status.state === 'TASK_LOST' && status.reason === 'REASON_RECONCILIATION') return { kind: 'unknown' };
  return REPORTS[status.state];
}

/** The master's own word on how a task is now, not an update that may have been on its way for long. */
export function isFromMaster(status: TaskStatus): boolean {
  return status.reason === 'REASON_RECONCILIATION' || status.reason === 'REASON_AGENT_REREGISTERED';
}

type Alive = Extract<Report, { kind: 'alive' }>['phase'];

/**
 * Row: the phase so far; column: what is reported. `stay` is for an update that came late or again: a task that runs does
 * not start once more.
 */
const TRANSITIONS: Readonly<Record<Phase, Readonly<Record<Alive, Phase | 'stay'>>>> = {
  recovered: { starting: 'starting', running: 'running', killing: 'killing', unreachable: 'unreachable', lost: 'lost' },
  launching: { starting: 'starting', running: 'running', killing: 'killing', unreachable: 'unreachable', lost: 'lost' },
  starting: { starting: 'stay', running: 'running', killing: 'killing', unreachable: 'unreachable', lost: 'lost' },
  running: { starting: 'stay', running: 'stay', killing: 'killing', unreachable: 'unreachable', lost: 'lost' },
  killing: { starting: 'stay', running: 'stay', killing: 'stay', unreachable: 'unreachable', lost: 'lost' },
  unreachable: { starting: 'starting', running: 'running', killing: 'killing', unreachable: 'stay', lost: 'lost' },
  lost: { starting: 'starting', running: 'running', killing: 'killing', unreachable: 'unreachable', lost: 'stay' },
};

/** The phase after an update that says `reported`. A KILL that got lost is the one thing that only the master can undo. */
export function nextPhase(phase: Phase, reported: Alive, fromMaster: boolean): Phase {
  if (phase === 'killing' && reported === 'running' && fromMaster) return 'running';
  const next = TRANSITIONS[phase][reported];
  return next === 'stay' ? phase : next;
}

export function newTask(taskId: TaskId, phase: Phase, launchedAt: number, now: number): LedgerTask {
  return {
    taskId,
    phase,
    launchedAt,
    phaseSince: now,
    health: null,
    healthySince: null,
    unknownAnswers: 0,
    unknownSince: null,
    queryDelay: 0,
  };
}

const MAX_ENDED = 8;

/** Keeps the last few ids of `ended`, oldest first. */
export function rememberEnd(ended: TaskId[], taskId: TaskId): void {
  ended.push(taskId);
  if (ended.length > MAX_ENDED) ended.shift();
}

/** How a task ended, as a clause for a person: `failed (Command exited with status 1)`. */
export function endOf(status: TaskStatus): string {
  switch (status.reason) {
    case 'REASON_CONTAINER_LIMITATION_MEMORY':
      return `was killed for memory${inBrackets(status.message)}`;
    case 'REASON_CONTAINER_LIMITATION_DISK':
      return `was killed for its disk quota${inBrackets(status.message)}`;
    case 'REASON_CONTAINER_LAUNCH_FAILED':
      return `could not be started: its image or files cannot be fetched${inBrackets(status.message)}`;
    case 'REASON_EXECUTOR_REGISTRATION_TIMEOUT':
      return `took too long to start${inBrackets(status.message)}`;
    default:
      break;
  }
  const verb = status.state
    .replace(/^TASK_/, '')
    .toLowerCase()
    .replaceAll('_', ' ');
  const detail =
    status.message ??
    status.reason
      ?.replace(/^REASON_/, '')
      .toLowerCase()
      .replaceAll('_', ' ');
  return detail === undefined ? verb : `${verb} (${detail})`;
}

const inBrackets = (text: string | undefined): string => (text === undefined ? '' : ` (${text})`);
