/**
 * The workers of one specification, on sockets that others hold. A worker that dies is replaced by one that inherits the
 * same sockets, each by itself; what they say to each other passes through here.
 *
 * All workers accept on the same descriptors. Which of them gets a connection is the kernel's choice: whoever wakes up
 * first, so that a busy worker gets fewer.
 */
import { DESCRIPTORS } from '../accept/descriptors.ts';
import type { Ending } from '../accept/ending.ts';
import type { GivenConfig, ProxySpec } from '../config/spec.ts';
import type { ConfigRefusal, Upgrade, UpgradeReport } from '../control/contract.ts';
import type { Log } from '../telemetry/log.ts';
import type { FromWorker } from './messages.ts';
import { RestartPolicy } from './restart-policy.ts';
import { BindError } from './sockets.ts';
import { FIRST_FD, WorkerProcess } from './worker-process.ts';

/** What a worker gets beyond the grace before it is killed. */
const KILL_AFTER_MS = 250;
/**
 * Young objects die in 4 MB as well as in the 16 MB that V8 takes by itself once there is load: their collection costs a
 * µs more a request, and 6 MB less are in use. Nor does V8 share it out among threads, or keep more than one of them for the
 * rest of its work: a worker is given one CPU, and four threads that mark or compile would have four fifths of it.
 */
const V8_FLAGS = ['--max-semi-space-size=4', '--no-parallel-scavenge', '--v8-pool-size=1'];

export interface GenerationOptions {
  /** With the ports that its sockets have. */
  readonly spec: ProxySpec;
  readonly fds: readonly number[];
  readonly count: number;
  readonly program: string;
  readonly words: readonly string[];
  /** Its workers go on with what others have begun. */
  readonly takesOver: boolean;
  /** How the last upgrade stands, at the time of asking. */
  readonly upgrade: () => UpgradeReport | null;
  readonly configRefusal: () => ConfigRefusal | null;
  readonly log: Log;
}

export interface GenerationEvents {
  /** Each worker has listened; heard once. */
  listening(): void;
  /** Somebody listened between our bind and a worker's listen, before all workers did. */
  listenFailed(error: BindError): void;
  /** A worker died before all of them had listened. It is started again unless the generation is ended. */
  stumbled(): void;
  /** A worker died, and is started again. */
  died(): void;
  shutdown(): void;
  upgradeAsked(wanted: Upgrade, running: string | null): void;
  configAsked(wanted: GivenConfig): void;
  /** The worker that leads serves, and the scheduler knows it. */
  reached(): void;
  /** The last worker is gone, after `drain` or `kill`. */
  ended(): void;
}

interface Slot {
  readonly index: number;
  readonly policy: RestartPolicy;
  worker: WorkerProcess | null;
  timer: NodeJS.Timeout | null;
  hasListened: boolean;
}

export class Generation {
  private readonly options: GenerationOptions;
  private given: ProxySpec;
  private readonly events: GenerationEvents;
  private readonly slots: readonly Slot[];
  private restarts = 0;
  private isEnding = false;
  private isBeside: boolean;
  private hasEnded = false;
  private killer: NodeJS.Timeout | null = null;

  constructor(options: GenerationOptions, events: GenerationEvents) {
    this.options = options;
    this.given = options.spec;
    this.events = events;
    this.isBeside = options.takesOver;
    this.slots = Array.from({ length: options.count }, (_, index) => ({
      index,
      policy: new RestartPolicy(),
      worker: null,
      timer: null,
      hasListened: false,
    }));
  }

  get spec(): ProxySpec {
    return this.given;
  }

  /** What runs has another revision now: for workers that are started from now on. */
  rename(config: GivenConfig): void {
    const { mesh } = this.given;
    if (mesh !== null) this.given = { ...this.given, mesh: { ...mesh, config } };
  }

  start(): void {
    for (const slot of this.slots) this.launch(slot);
  }

  /** Those before it have been told to end. */
  isAlone(): void {
    this.isBeside = false;
    this.slots[0]?.worker?.tell({ type: 'alone' });
  }

  /** The worker that leads is the one that reports. */
  tellUpgrade(upgrade: UpgradeReport): void {
    this.slots[0]?.worker?.tell({ type: 'upgrade', upgrade });
  }

  /** To the worker that leads. */
  tellRefusal(refusal: ConfigRefusal): void {
    this.slots[0]?.worker?.tell({ type: 'config-refused', refusal });
  }

  /** Lets all workers finish what they have; those that take longer than the grace are killed (null: none is). */
  drain(ending: Ending, graceMs: number | null): void {
    this.end();
    for (const { worker } of this.slots) worker?.tell({ type: 'drain', ending, graceMs });
    this.killAfter(graceMs);
    this.endIfEmpty();
  }

  /** Kills what is left when this time has passed. */
  killAfter(graceMs: number | null): void {
    if (this.killer !== null) clearTimeout(this.killer);
    this.killer = graceMs === null ? null : setTimeout(() => this.kill(), graceMs + KILL_AFTER_MS);
  }

  kill(): void {
    this.end();
    for (const { worker } of this.slots) worker?.kill();
    this.endIfEmpty();
  }

  /** From now on nothing is started again. */
  private end(): void {
    this.isEnding = true;
    for (const { timer } of this.slots) if (timer !== null) clearTimeout(timer);
  }

  private endIfEmpty(): void {
    if (this.hasEnded || this.slots.some(({ worker }) => worker !== null)) return;
    this.hasEnded = true;
    if (this.killer !== null) clearTimeout(this.killer);
    this.events.ended();
  }

  private launch(slot: Slot): void {
    const { fds, count, program, words, takesOver, log } = this.options;
    const { index } = slot;
    let worker: WorkerProcess;
    try {
      worker = new WorkerProcess(
        { program, words: [...V8_FLAGS, ...words], fds: fds.flatMap((fd) => new Array<number>(DESCRIPTORS).fill(fd)) },
        {
          heard: (message) => this.heard(slot, worker, message),
          failed: (error) => log.warn('worker', { index, error: error.message }),
          exited: (code, signal, livedMs) => this.exited(slot, worker, { code, signal, livedMs }),
        },
      );
    } catch (error) {
      // No memory, no descriptors: it may be otherwise in a moment, and the sockets are still held.
      log.warn('worker not started', { index, error: error instanceof Error ? error.message : String(error) });
      this.again(slot, { code: null, signal: null, livedMs: 0 });
      return;
    }
    slot.worker = worker;
    worker.tell({
      type: 'start',
      spec: this.given,
      fds: fds.map((_, at) => Array.from({ length: DESCRIPTORS }, (__, one) => FIRST_FD + at * DESCRIPTORS + one)),
      index,
      count,
      takesOver: takesOver || slot.hasListened,
      isBeside: this.isBeside,
      workerRestarts: this.restarts,
      upgrade: this.options.upgrade(),
      configRefusal: this.options.configRefusal(),
    });
  }

  private heard(slot: Slot, worker: WorkerProcess, message: FromWorker): void {
    if (worker !== slot.worker) return;
    const { log } = this.options;
    const { index } = slot;
    switch (message.type) {
      case 'listening': {
        log.info('worker listening', { index, pid: worker.pid, restarts: this.restarts });
        const wasListening = this.hasListened;
        slot.hasListened = true;
        if (!wasListening && this.hasListened && !this.isEnding) this.events.listening();
        return;
      }
      case 'listen-failed':
        if (!this.hasListened) this.events.listenFailed(new BindError(message.ip, message.port, message.code));
        return;
      case 'shutdown':
        this.events.shutdown();
        return;
      case 'upgrade':
        if (!this.isEnding) this.events.upgradeAsked(message.wanted, message.running);
        return;
      case 'configure':
        if (!this.isEnding) this.events.configAsked(message.wanted);
        return;
      case 'reached':
        if (!this.isEnding) this.events.reached();
        return;
      case 'pass':
        this.slots[message.to]?.worker?.pass(index, message.body);
    }
  }

  private get hasListened(): boolean {
    return this.slots.every(({ hasListened }) => hasListened);
  }

  private exited(slot: Slot, worker: WorkerProcess, end: WorkerEnd): void {
    if (worker !== slot.worker) return;
    slot.worker = null;
    if (this.isEnding) this.endIfEmpty();
    else this.again(slot, end);
  }

  private again(slot: Slot, { code, signal, livedMs }: WorkerEnd): void {
    this.restarts += 1;
    const pauseMs = slot.policy.died(livedMs);
    const { index } = slot;
    this.options.log.warn('worker died', { index, code, signal, livedMs: Math.round(livedMs), againInMs: pauseMs });
    if (!this.hasListened) this.events.stumbled();
    if (this.isEnding) return;
    this.events.died();
    // It may have been ended for that.
    if (this.isEnding) return;
    if (pauseMs === 0) this.launch(slot);
    else slot.timer = setTimeout(() => this.launch(slot), pauseMs);
  }
}

interface WorkerEnd {
  readonly code: number | null;
  readonly signal: string | null;
  readonly livedMs: number;
}
