/**
 * One task, from the moment it is handed to the agent until its process has ended: sandbox, fetch, start, health, kill.
 * Says what happens as status drafts; who keeps and sends them is the agent's business.
 */
import type { ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { emitWarning } from 'node:process';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type {
  AgentId,
  CommandInfo,
  FrameworkId,
  FrameworkInfo,
  TaskId,
  TaskInfo,
  TaskStatus,
} from '../../framework/mesos-http-client/messages.ts';
import type { DrainOrder } from '../agent-link.ts';
import type { Fetcher } from './fetcher.ts';
import { HealthMonitor } from './health-monitor.ts';
import type { Prober } from './probes.ts';
import { exitOf, signalGroup, spawnGroup } from './process-group.ts';
import { createSandbox, openLogs, sandboxPath } from './sandbox.ts';
import { taskEnvironment } from './task-environment.ts';
import {
  EXECUTOR_TERMINATED,
  type Exit,
  endedByItself,
  endedByKill,
  healthDraft,
  type KillCause,
  killedDuringLaunch,
  killing,
  launchFailed,
  memoryExceeded,
  type StatusDraft,
} from './task-status.ts';

export interface TaskRunOptions {
  readonly agentId: AgentId;
  readonly frameworkId: FrameworkId;
  readonly frameworkInfo: FrameworkInfo;
  readonly task: TaskInfo;
  readonly ip: string;
  readonly workDir: string;
  readonly marks: Readonly<Record<string, string>>;
  readonly fetcher: Fetcher;
  readonly prober: Prober;
  /** Resolves when it is this task's turn to start its process. */
  readonly turn: () => Promise<void>;
  readonly report: (run: TaskRun, draft: StatusDraft) => void;
  /** After the last report: the process and all that it started are gone. */
  readonly ended: (run: TaskRun) => void;
}

/** A live process of a task. */
interface Live {
  readonly pid: number;
  readonly monitor: HealthMonitor | null;
}

type Phase =
  /** Not started yet: the sandbox is made, URIs are fetched. */
  | { readonly kind: 'launching'; readonly abort: AbortController }
  | { readonly kind: 'running'; readonly live: Live }
  /** Told to end; SIGKILL follows when the grace period is over. */
  | {
      readonly kind: 'killing';
      readonly live: Live;
      readonly cause: KillCause;
      readonly deadlineMs: number;
      readonly timer: NodeJS.Timeout;
    }
  /** Killed with the machine that it ran on, or for its memory: `as` is what will be said of it. */
  | { readonly kind: 'crashed'; readonly as: StatusDraft }
  | { readonly kind: 'ended' };

/** Of Mesos' command executor. */
const DEFAULT_GRACE_MS = 3_000;

export class TaskRun {
  readonly frameworkId: FrameworkId;
  readonly frameworkInfo: FrameworkInfo;
  readonly task: TaskInfo;
  readonly containerId = randomUUID();
  readonly directory: string;
  /** What was reported so far, one status a state. */
  readonly statuses: TaskStatus[] = [];
  /** Resolves when the process is gone and nothing of the launch is under way any more. Never rejects. */
  readonly done: Promise<void>;
  /** Of the task's own process, once it runs. */
  pid: number | null = null;
  startedAt: Date | null = null;

  private readonly options: TaskRunOptions;
  private readonly resolveEnd: () => void;
  private phase: Phase = { kind: 'launching', abort: new AbortController() };
  private unheard = false;

  constructor(options: TaskRunOptions) {
    this.options = options;
    this.frameworkId = options.frameworkId;
    this.frameworkInfo = options.frameworkInfo;
    this.task = options.task;
    this.directory = sandboxPath(options.workDir, {
      agentId: options.agentId,
      frameworkId: options.frameworkId,
      taskId: options.task.task_id.value,
      containerId: this.containerId,
    });
    let resolveEnd = (): void => undefined;
    const end = new Promise<void>((resolve) => {
      resolveEnd = resolve;
    });
    this.resolveEnd = resolveEnd;
    this.done = Promise.all([end, this.launch()]).then(() => undefined);
  }

  get taskId(): TaskId {
    return this.task.task_id.value;
  }

  /** Whether its process lives, or may yet come to live. */
  get active(): boolean {
    return this.phase.kind !== 'ended';
  }

  /** Whether nobody wants to hear of it any more. */
  get muted(): boolean {
    return this.unheard;
  }

  /** SIGTERM to the whole group, SIGKILL after the grace period. A second call can only shorten that. */
  kill(overrideGraceMs?: number, cause: KillCause = 'asked'): void {
    const { phase } = this;
    const graceMs = overrideGraceMs ?? this.ownGraceMs();
    switch (phase.kind) {
      case 'launching':
        phase.abort.abort(new Error('the task was killed'));
        this.end(killedDuringLaunch(cause));
        return;
      case 'running':
        phase.live.monitor?.stop();
        this.phase = this.killingPhase(phase.live, cause, graceMs);
        if (this.isCapableOf('TASK_KILLING_STATE')) this.report(killing(cause));
        signalGroup(phase.live.pid, 'SIGTERM');
        return;
      case 'killing':
        if (overrideGraceMs === undefined || performance.now() + overrideGraceMs >= phase.deadlineMs) return;
        clearTimeout(phase.timer);
        this.phase = this.killingPhase(phase.live, phase.cause, overrideGraceMs);
        return;
      case 'crashed':
      case 'ended':
        return;
    }
  }

  /** The agent wants to be rid of it: its own grace period counts, if that is not too long. */
  drain({ maxGraceSeconds, markGone }: DrainOrder): void {
    const most = maxGraceSeconds === null ? Number.POSITIVE_INFINITY : maxGraceSeconds * 1000;
    this.kill(Math.min(this.ownGraceMs(), most), markGone ? 'agent leaves' : 'agent drains');
  }

  /** The machine goes down: SIGKILL at once; reported as EXECUTOR_TERMINATED once the process is gone. */
  crash(): void {
    if (this.phase.kind === 'launching') {
      this.phase.abort.abort(new Error('the agent rebooted'));
      this.end(EXECUTOR_TERMINATED);
    } else this.endAtOnce(EXECUTOR_TERMINATED);
  }

  /** SIGKILL, as when a container needs more memory than it has. False if it has no process. */
  exceedMemory(): boolean {
    const mem = this.task.resources.filter(({ name }) => name === 'mem');
    return this.endAtOnce(memoryExceeded(mem.reduce((sum, { scalar }) => sum + (scalar?.value ?? 0), 0)));
  }

  /** From now on it reports nothing. */
  mute(): void {
    this.unheard = true;
  }

  /** Fetches and starts. Never rejects: what goes wrong is reported as the task's end. */
  private async launch(): Promise<void> {
    const { phase } = this;
    if (phase.kind !== 'launching') return;
    await nextTurn();
    try {
      const command = supportedCommand(this.task);
      await createSandbox(this.directory);
      await this.fetch(command, phase.abort.signal);
      const logs = await openLogs(this.directory);
      try {
        await this.options.turn();
        // Killed meanwhile: `kill` has reported the end.
        if (this.phase === phase) this.start(command, logs.stdout.fd, logs.stderr.fd);
      } finally {
        await Promise.all([logs.stdout.close(), logs.stderr.close()]);
      }
    } catch (error) {
      // Killed meanwhile: that is what was reported, and why the fetch broke off.
      if (this.phase !== phase) return;
      this.end(launchFailed(error instanceof Error ? error.message : String(error)));
    }
  }

  private async fetch(command: CommandInfo, signal: AbortSignal): Promise<void> {
    try {
      await this.options.fetcher.fetchAll(command.uris ?? [], this.directory, signal);
    } catch {
      // The fetcher has written the cause to the sandbox's stderr; the update says what Mesos' says.
      throw new Error(`Failed to fetch all URIs for container '${this.containerId}': exited with status 1`);
    }
  }

  private start(command: CommandInfo, stdout: number, stderr: number): void {
    const { options } = this;
    const env = taskEnvironment(this.task, {
      inherited: process.env,
      execPath: process.execPath,
      host: options.ip,
      sandbox: this.directory,
      agentId: options.agentId,
      frameworkId: options.frameworkId,
      marks: options.marks,
    });
    const child = spawnGroup(command, { cwd: this.directory, env, stdout, stderr });
    void exitOf(child).then((exit) => this.exited(child, exit));
    child.once('error', (error) => {
      appendFile(join(this.directory, 'stderr'), `Failed to execute command: ${error.message}\n`).catch(emitWarning);
    });
    this.pid = child.pid ?? null;
    this.startedAt = new Date();
    if (child.pid !== undefined) this.phase = { kind: 'running', live: { pid: child.pid, monitor: this.monitor(env) } };
    // A program that does not exist still goes through STARTING and RUNNING before it fails, as under mesos-executor.
    this.report({ state: 'TASK_STARTING', source: 'SOURCE_EXECUTOR' });
    this.report({ state: 'TASK_RUNNING', source: 'SOURCE_EXECUTOR' });
  }

  private monitor(env: Readonly<Record<string, string>>): HealthMonitor | null {
    const check = this.task.health_check;
    if (check === undefined) return null;
    const target = { ip: this.options.ip, cwd: this.directory, env };
    return new HealthMonitor(check, this.options.prober, target, {
      health: (healthy) => this.report(healthDraft(healthy)),
      unhealthyForGood: () => this.kill(undefined, 'unhealthy'),
    });
  }

  private killingPhase(live: Live, cause: KillCause, graceMs: number): Phase {
    const timer = setTimeout(() => signalGroup(live.pid, 'SIGKILL'), graceMs);
    return { kind: 'killing', live, cause, deadlineMs: performance.now() + graceMs, timer };
  }

  private ownGraceMs(): number {
    const policy = this.task.kill_policy?.grace_period;
    return policy === undefined ? DEFAULT_GRACE_MS : policy.nanoseconds / 1e6;
  }

  /** False if it has no process that could be ended. */
  private endAtOnce(as: StatusDraft): boolean {
    const { phase } = this;
    if (phase.kind !== 'running' && phase.kind !== 'killing') return false;
    if (phase.kind === 'killing') clearTimeout(phase.timer);
    phase.live.monitor?.stop();
    this.phase = { kind: 'crashed', as };
    signalGroup(phase.live.pid, 'SIGKILL');
    return true;
  }

  /** The task's own process ended: whatever it left behind goes too, as with Mesos' container. */
  private exited(child: ChildProcess, exit: Exit): void {
    if (child.pid !== undefined) signalGroup(child.pid, 'SIGKILL');
    const { phase } = this;
    switch (phase.kind) {
      case 'killing':
        clearTimeout(phase.timer);
        this.end(endedByKill(exit, phase.cause, this.isCapableOf('PARTITION_AWARE')));
        return;
      case 'crashed':
        this.end(phase.as);
        return;
      case 'running':
        phase.live.monitor?.stop();
        this.end(endedByItself(exit));
        return;
      case 'launching':
        this.end(endedByItself(exit));
        return;
      case 'ended':
        return;
    }
  }

  private end(draft: StatusDraft): void {
    this.phase = { kind: 'ended' };
    this.report(draft);
    this.options.ended(this);
    this.resolveEnd();
  }

  private report(draft: StatusDraft): void {
    if (!this.unheard) this.options.report(this, draft);
  }

  private isCapableOf(capability: string): boolean {
    return this.frameworkInfo.capabilities?.some(({ type }) => type === capability) ?? false;
  }
}

/** @throws for a task that wants more than a process of this machine. */
function supportedCommand(task: TaskInfo): CommandInfo {
  const container = task.container as { type?: string; mesos?: { image?: unknown } } | undefined;
  if (container?.type === 'DOCKER' || container?.mesos?.image !== undefined) {
    throw new Error('the embedded cluster runs plain processes only, no container images');
  }
  if (task.command === undefined) throw new Error('the embedded cluster runs commands only, no custom executors');
  return task.command;
}
