/**
 * The tasks that an agent holds, and their status updates: starts and ends them, sends each update until it is
 * acknowledged, keeps a bounded past.
 */
import { randomBytes } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type {
  AgentId,
  FrameworkId,
  FrameworkInfo,
  TaskId,
  TaskInfo,
  TaskStatus,
} from '../../framework/mesos-http-client/messages.ts';
import type { DrainOrder, HeldTask } from '../agent-link.ts';
import type { Backoff } from './agent-options.ts';
import type { Fetcher } from './fetcher.ts';
import type { Prober } from './probes.ts';
import { removeSandbox, rotateLogs } from './sandbox.ts';
import { type OutgoingUpdate, StatusUpdateManager, streamKey } from './status-updates.ts';
import { TaskRun } from './task-run.ts';
import { isTerminal, remember, type StatusDraft } from './task-status.ts';

export interface TaskTableOptions {
  readonly ip: string;
  readonly workDir: string;
  readonly marks: Readonly<Record<string, string>>;
  readonly fetcher: Fetcher;
  readonly prober: Prober;
  readonly updateRetry: Backoff | undefined;
  readonly keptSandboxes: number;
  readonly maxLogBytes: number;
  /** Sends an update to the master; false if there is none that knows us, then `resume` will send it. */
  readonly send: (update: OutgoingUpdate) => boolean;
}

const LOG_CHECK_MS = 5_000;

export class TaskTable {
  private readonly options: TaskTableOptions;
  private readonly updates: StatusUpdateManager;
  /** All that runs, and all whose end is not acknowledged yet. */
  private readonly held = new Map<string, TaskRun>();
  /** Ended and acknowledged, oldest first. */
  private readonly past: TaskRun[] = [];
  /** Of ended tasks, oldest first. */
  private readonly sandboxes: string[] = [];
  private readonly logTimer: NodeJS.Timeout;
  private resendTimer: NodeJS.Timeout | null = null;
  private lastTurn: Promise<void> = Promise.resolve();

  constructor(options: TaskTableOptions) {
    this.options = options;
    this.updates = new StatusUpdateManager(options.updateRetry);
    this.logTimer = setInterval(() => void this.rotateAllLogs(), LOG_CHECK_MS).unref();
  }

  /** A task that is held already is not started twice. */
  run(agentId: AgentId, frameworkId: FrameworkId, frameworkInfo: FrameworkInfo, task: TaskInfo): void {
    const key = streamKey(frameworkId, task.task_id.value);
    if (this.held.has(key)) return;
    const { ip, workDir, marks, fetcher, prober } = this.options;
    const run = new TaskRun({
      ...{ agentId, frameworkId, frameworkInfo, task, ip, workDir, marks, fetcher, prober },
      turn: () => this.turn(),
      report: (from, draft) => this.report(from, agentId, draft),
      ended: (ended) => void this.ended(key, ended),
    });
    this.held.set(key, run);
  }

  kill(frameworkId: FrameworkId, taskId: TaskId, overrideGraceMs: number | undefined): void {
    this.held.get(streamKey(frameworkId, taskId))?.kill(overrideGraceMs);
  }

  acknowledge(frameworkId: FrameworkId, taskId: TaskId, uuid: string): void {
    const result = this.updates.acknowledge(frameworkId, taskId, uuid, performance.now());
    if (result.kind === 'ignored') return;
    if (result.next !== null) this.options.send({ frameworkId, status: result.next });
    else if (isTerminal(result.status.state)) this.forget(streamKey(frameworkId, taskId));
    this.arm();
  }

  /** All tasks end, by their own kill policy or sooner. */
  drain(order: DrainOrder): void {
    for (const run of this.held.values()) run.drain(order);
  }

  /** The framework's tasks end by their own kill policy, and nobody is told. */
  shutdownFramework(frameworkId: FrameworkId): void {
    this.updates.forgetFramework(frameworkId);
    this.arm();
    for (const [key, run] of this.held) {
      if (run.frameworkId !== frameworkId) continue;
      run.mute();
      run.kill();
      this.forget(key);
    }
  }

  /** Whether there is a task of this framework, or an update that it has not acknowledged. */
  has(frameworkId: FrameworkId): boolean {
    return this.updates.has(frameworkId) || [...this.held.values()].some((run) => run.frameworkId === frameworkId);
  }

  /** A master has just accepted the agent, or a framework subscribed again (slave.cpp, `updateFramework`): the oldest update of each task goes out at once. */
  resume(): void {
    for (const update of this.updates.resume(performance.now())) this.options.send(update);
    this.arm();
  }

  /** The master is out of reach. */
  pause(): void {
    if (this.resendTimer !== null) clearTimeout(this.resendTimer);
    this.resendTimer = null;
  }

  /** SIGKILL for all; resolves when nothing lives. Each task's end is reported as that of its executor. */
  async crash(): Promise<void> {
    const runs = [...this.held.values()].filter((run) => run.active);
    for (const run of runs) run.crash();
    await Promise.all(runs.map((run) => run.done));
  }

  /** SIGKILL for all, and not a word about it. */
  async close(): Promise<void> {
    clearInterval(this.logTimer);
    await this.abandon();
  }

  /** SIGKILL for all, not a word about it, and nothing of it is remembered. */
  async abandon(): Promise<void> {
    this.pause();
    this.updates.clear();
    for (const run of this.held.values()) run.mute();
    await this.crash();
    for (const key of [...this.held.keys()]) this.forget(key);
  }

  /** As told to a master at registration. */
  heldTasks(): HeldTask[] {
    return this.runs().flatMap((run) => {
      if (run.muted) return [];
      const status = run.statuses.at(-1) ?? { task_id: { value: run.taskId }, state: 'TASK_STAGING' };
      return [{ frameworkId: run.frameworkId, frameworkInfo: run.frameworkInfo, task: run.task, status }];
    });
  }

  runs(): TaskRun[] {
    return [...this.held.values()];
  }

  completed(): readonly TaskRun[] {
    return this.past;
  }

  /** Starting a process blocks: with many at once, the rest of the cluster has its turn after each. */
  private turn(): Promise<void> {
    this.lastTurn = this.lastTurn.then(() => nextTurn());
    return this.lastTurn;
  }

  private report(run: TaskRun, agentId: AgentId, draft: StatusDraft): void {
    const status = this.statusOf(run, agentId, draft);
    remember(run.statuses, status);
    const outgoing = this.updates.add(run.frameworkId, status, performance.now());
    if (outgoing !== null) this.options.send({ frameworkId: run.frameworkId, status: outgoing });
    this.arm();
  }

  private statusOf(run: TaskRun, agentId: AgentId, draft: StatusDraft): TaskStatus {
    const fromExecutor = draft.source === 'SOURCE_EXECUTOR';
    return {
      task_id: { value: run.taskId },
      ...draft,
      agent_id: { value: agentId },
      executor_id: { value: run.taskId },
      timestamp: Date.now() / 1000,
      uuid: randomBytes(16).toString('base64'),
      ...(fromExecutor ? { container_status: this.containerStatus(run) } : {}),
    };
  }

  private containerStatus(run: TaskRun): NonNullable<TaskStatus['container_status']> {
    return {
      container_id: { value: run.containerId },
      network_infos: [{ ip_addresses: [{ protocol: 'IPv4', ip_address: this.options.ip }] }],
      // There is no executor between us and the task: the task's own process stands in its place.
      ...(run.pid === null ? {} : { executor_pid: run.pid }),
    };
  }

  /** Sets the one timer to when the next update is to be sent again. */
  private arm(): void {
    this.pause();
    const dueMs = this.updates.nextDueMs();
    if (dueMs === null) return;
    const resend = (): void => {
      // Without a master there is nothing to wait for: `resume` begins anew.
      const sent = this.updates.due(performance.now()).map((update) => this.options.send(update));
      if (!sent.includes(false)) this.arm();
    };
    this.resendTimer = setTimeout(resend, Math.max(0, dueMs - performance.now()));
  }

  private forget(key: string): void {
    const run = this.held.get(key);
    if (run === undefined || run.active) return;
    this.held.delete(key);
    this.past.push(run);
    if (this.past.length > this.options.keptSandboxes) this.past.shift();
  }

  private async ended(key: string, run: TaskRun): Promise<void> {
    if (run.muted) this.forget(key);
    this.sandboxes.push(run.directory);
    const oldest = this.sandboxes.length > this.options.keptSandboxes ? this.sandboxes.shift() : undefined;
    if (oldest !== undefined) await removeSandbox(oldest).catch(warn);
  }

  private async rotateAllLogs(): Promise<void> {
    for (const run of this.held.values()) {
      if (run.pid !== null && run.active) await rotateLogs(run.directory, this.options.maxLogBytes).catch(warn);
    }
  }
}

/** Trouble with old files must not end a cluster, but be seen. */
function warn(error: Error): void {
  process.emitWarning(error);
}
