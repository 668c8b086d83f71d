/**
 * The proxy's task: a small process that holds the listening sockets and keeps one worker running on them. A worker
 * that dies is replaced at once by one that inherits the same sockets, with or without a scheduler.
 *
 * New proxy code beside the old: a worker is whatever `launch` starts and is told all that it needs by its `start`
 * message, and two workers may listen on the same descriptors at once. So a later version can start a worker of other
 * code, wait for its `listening`, and drain the old one. No frame asks for that yet.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import type { ProxySpec } from '../config/spec.ts';
import type { Log } from '../telemetry/log.ts';
import type { FromWorker, ToWorker } from './messages.ts';
import { RestartPolicy } from './restart-policy.ts';
import { BindError, type BoundSocket, bindSocket } from './sockets.ts';

/** A predecessor that is dying may hold its ports for so long. */
const BIND_PATIENCE_MS = 3_000;
const BIND_RETRY_MS = 50;
/** In-flight requests may take so long at the end. The scheduler gives the task 15 s before Mesos kills it. */
export const DRAIN_GRACE_MS = 10_000;
/** What a worker gets beyond the grace before it is killed. */
const KILL_AFTER_MS = 250;
/** stdio 0 to 2 are the usual ones and 3 is the IPC channel. */
const FIRST_FD = 4;

export interface SupervisorOptions {
  readonly spec: ProxySpec;
  /** Arguments after process.execPath that run a worker. */
  readonly launch: readonly string[];
  readonly log: Log;
  readonly drainGraceMs?: number;
  /** What runs a worker; this Node.js itself unless a test says otherwise. */
  readonly program?: string;
}

/**
 * - `starting`: sockets are bound, and no worker has listened on them yet; a taken port may still show up.
 * - `running`: the worker serves, or a new one is on its way.
 * - `stopping`: the worker drains; nothing is started again.
 */
type Phase = 'starting' | 'running' | 'stopping';

/** Runs until it is told to stop (SIGTERM, SIGINT, `/admin/shutdown`); rejects when its ports cannot be had. */
export function supervise(options: SupervisorOptions): Promise<void> {
  return new Promise((resolve, reject) => new Supervisor(options, resolve, reject).begin());
}

class Supervisor {
  private readonly options: SupervisorOptions;
  private readonly resolve: () => void;
  private readonly reject: (error: Error) => void;
  private readonly policy = new RestartPolicy();
  private readonly patienceEnds = Date.now() + BIND_PATIENCE_MS;
  private sockets: BoundSocket[] = [];
  private worker: ChildProcess | null = null;
  private phase: Phase = 'starting';
  private restarts = 0;
  private timer: NodeJS.Timeout | null = null;
  private readonly stop = (): void => this.drain();

  constructor(options: SupervisorOptions, resolve: () => void, reject: (error: Error) => void) {
    this.options = options;
    this.resolve = resolve;
    this.reject = reject;
  }

  begin(): void {
    process.on('SIGTERM', this.stop);
    process.on('SIGINT', this.stop);
    this.bind();
  }

  private bind(): void {
    try {
      for (const { ip, port } of this.options.spec.listeners) this.sockets.push(bindSocket(ip, port));
    } catch (error) {
      this.bindFailed(error);
      return;
    }
    this.launch();
  }

  private bindFailed(error: unknown): void {
    this.closeSockets();
    if (error instanceof BindError && error.code === 'EADDRINUSE' && Date.now() < this.patienceEnds) {
      this.timer = setTimeout(() => this.bind(), BIND_RETRY_MS);
      return;
    }
    this.finish(error instanceof Error ? error : new Error(String(error)));
  }

  private launch(): void {
    const { spec, launch, log } = this.options;
    const startedAt = performance.now();
    let worker: ChildProcess;
    try {
      worker = spawn(this.options.program ?? process.execPath, [...launch], {
        stdio: ['ignore', 'inherit', 'inherit', 'ipc', ...this.sockets.map((socket) => socket.fd)],
      });
    } catch (error) {
      // No memory, no descriptors: it may be otherwise in a moment, and the sockets are still held.
      log.warn('worker not started', { error: error instanceof Error ? error.message : String(error) });
      this.again(0, null, null);
      return;
    }
    this.worker = worker;
    worker.on('message', (message) => this.heard(worker, message as FromWorker));
    worker.on('error', (error) => {
      log.warn('worker', { error: error.message });
      // A message to a worker that has just died fails too; its `exit` says all that there is to say. A worker that was
      // never started (no process left for it) has no `exit`.
      if (worker.pid === undefined) this.exited(worker, null, null, 0);
    });
    worker.on('exit', (code, signal) => this.exited(worker, code, signal, performance.now() - startedAt));
    tell(worker, {
      type: 'start',
      // Port 0 was settled by the bind.
      spec: {
        ...spec,
        listeners: spec.listeners.map((listener, index) => ({
          ...listener,
          port: this.sockets[index]?.port ?? listener.port,
        })),
      },
      fds: this.sockets.map((_, index) => FIRST_FD + index),
      workerRestarts: this.restarts,
    });
  }

  private heard(worker: ChildProcess, message: FromWorker): void {
    if (worker !== this.worker) return;
    switch (message.type) {
      case 'listening':
        if (this.phase === 'starting') this.phase = 'running';
        this.options.log.info('worker listening', { pid: worker.pid ?? 0, restarts: this.restarts });
        return;
      case 'listen-failed': {
        if (this.phase !== 'starting') return;
        // Somebody listened between our bind and the worker's listen: bind anew, as if it had been seen at once.
        this.worker = null;
        worker.kill('SIGKILL');
        this.bindFailed(new BindError(message.ip, message.port, message.code));
        return;
      }
      case 'shutdown':
        this.drain();
        return;
    }
  }

  private exited(worker: ChildProcess, code: number | null, signal: string | null, livedMs: number): void {
    if (worker !== this.worker) return;
    this.worker = null;
    if (this.phase === 'stopping') {
      this.finish(null);
      return;
    }
    this.again(livedMs, code, signal);
  }

  private again(livedMs: number, code: number | null, signal: string | null): void {
    this.restarts += 1;
    const pauseMs = this.policy.died(livedMs);
    this.options.log.warn('worker died', { code, signal, livedMs: Math.round(livedMs), againInMs: pauseMs });
    if (pauseMs === 0) this.launch();
    else this.timer = setTimeout(() => this.launch(), pauseMs);
  }

  private drain(): void {
    if (this.phase === 'stopping') return;
    this.phase = 'stopping';
    if (this.timer !== null) clearTimeout(this.timer);
    const { worker } = this;
    if (worker === null) {
      this.finish(null);
      return;
    }
    const graceMs = this.options.drainGraceMs ?? DRAIN_GRACE_MS;
    tell(worker, { type: 'drain', graceMs });
    // The kernel refuses new connections once the last holder of a listening socket has closed it.
    this.closeSockets();
    this.timer = setTimeout(() => worker.kill('SIGKILL'), graceMs + KILL_AFTER_MS);
  }

  private closeSockets(): void {
    for (const socket of this.sockets) socket.close();
    this.sockets = [];
  }

  private finish(error: Error | null): void {
    this.phase = 'stopping';
    if (this.timer !== null) clearTimeout(this.timer);
    this.closeSockets();
    process.off('SIGTERM', this.stop);
    process.off('SIGINT', this.stop);
    if (error === null) this.resolve();
    else this.reject(error);
  }
}

/** The callback keeps a closed channel from becoming an `error` event: the worker's exit is heard anyway. */
function tell(worker: ChildProcess, message: ToWorker): void {
  worker.send(message, () => undefined);
}
