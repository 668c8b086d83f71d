/** The real scheduler as a process of its own, started again when it dies: what Marathon does for it on DC/OS. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5000;
/** A scheduler that lived this long was well: the next restart is at once again. */
const WELL_MS = 10_000;
const STOP_GRACE_MS = 3000;

export interface SchedulerProcessOptions {
  /** The arguments after the Node binary. */
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** Standard output and error are appended to these. */
  readonly stdout: string;
  readonly stderr: string;
  /** Called when it ended though it should run. */
  died(how: string): void;
}

export class SchedulerProcess {
  private readonly options: SchedulerProcessOptions;
  private child: ChildProcess | null = null;
  private startedAtMs = 0;
  private pauseMs = FIRST_PAUSE_MS;
  private timer: NodeJS.Timeout | null = null;
  private stopping = false;

  constructor(options: SchedulerProcessOptions) {
    this.options = options;
  }

  start(): void {
    const { command, cwd, environment } = this.options;
    const stdout = openSync(this.options.stdout, 'a');
    const stderr = openSync(this.options.stderr, 'a');
    const child = spawn(process.execPath, [...command], {
      cwd,
      env: { ...process.env, ...environment },
      stdio: ['ignore', stdout, stderr],
    });
    closeSync(stdout);
    closeSync(stderr);
    this.child = child;
    this.startedAtMs = Date.now();
    child.once('error', (error) => this.ended(error.message));
    child.once('exit', (code, signal) => this.ended(signal === null ? `exit code ${code}` : `signal ${signal}`));
  }

  process(): { pid: number; startedAt: string } | null {
    const pid = this.child?.pid;
    return pid === undefined ? null : { pid, startedAt: new Date(this.startedAtMs).toISOString() };
  }

  /** SIGTERM, and SIGKILL after a grace. */
  async stop(): Promise<void> {
    this.stopping = true;
    if (this.timer !== null) clearTimeout(this.timer);
    const child = this.child;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    child.kill('SIGTERM');
    const abort = new AbortController();
    await Promise.race([
      exited,
      sleep(STOP_GRACE_MS, undefined, { signal: abort.signal }).then(
        () => child.kill('SIGKILL'),
        () => undefined,
      ),
    ]);
    abort.abort();
    await exited;
  }

  private ended(how: string): void {
    if (this.child === null) return;
    this.child = null;
    if (this.stopping) return;
    this.options.died(how);
    if (Date.now() - this.startedAtMs >= WELL_MS) this.pauseMs = FIRST_PAUSE_MS;
    this.timer = setTimeout(() => this.start(), this.pauseMs);
    this.pauseMs = Math.min(this.pauseMs * 2, LONGEST_PAUSE_MS);
  }
}
