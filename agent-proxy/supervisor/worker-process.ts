/** One process that works for the supervisor: starts it, talks with it, hears of its end. */
import { type ChildProcess, spawn } from 'node:child_process';
import type { FromWorker, ToWorker } from './messages.ts';

/** stdio 0 to 2 are the usual ones and 3 is the IPC channel. */
export const FIRST_FD = 4;
/** What one worker has for another is dropped while so many messages wait; it is made to be lost. */
const MOST_PENDING = 64;

export interface Launch {
  /** What runs a worker: this Node.js itself unless a test says otherwise. */
  readonly program: string;
  /** Its arguments. */
  readonly words: readonly string[];
  /** The sockets that it inherits, from {@link FIRST_FD} on. */
  readonly fds: readonly number[];
}

export interface WorkerEvents {
  heard(message: FromWorker): void;
  /** The system said no, now or at any time. */
  failed(error: Error): void;
  /** It is gone, or never was there; heard once. */
  exited(code: number | null, signal: string | null, livedMs: number): void;
}

export class WorkerProcess {
  private readonly child: ChildProcess;
  private pending = 0;

  /** Throws where the system has no process or no descriptor left. */
  constructor({ program, words, fds }: Launch, events: WorkerEvents) {
    const startedAt = performance.now();
    const child = spawn(program, [...words], { stdio: ['ignore', 'inherit', 'inherit', 'ipc', ...fds] });
    this.child = child;
    // It speaks our language: it is this same program.
    child.on('message', (message) => events.heard(message as FromWorker));
    child.on('error', (error) => {
      events.failed(error);
      // A message to one that has just died fails too, and its `exit` says all; one that never started has no `exit`.
      if (child.pid === undefined) events.exited(null, null, 0);
    });
    child.on('exit', (code, signal) => events.exited(code, signal, performance.now() - startedAt));
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  tell(message: ToWorker): void {
    this.pending += 1;
    // The callback keeps a closed channel from becoming an `error` event: the worker's exit is heard anyway.
    this.child.send(message, () => {
      this.pending -= 1;
    });
  }

  /** Passes on what another worker says; dropped where too much is on its way. */
  pass(from: number, body: unknown): void {
    if (this.pending < MOST_PENDING && this.child.connected) this.tell({ type: 'passed', from, body });
  }

  kill(): void {
    this.child.kill('SIGKILL');
  }
}
