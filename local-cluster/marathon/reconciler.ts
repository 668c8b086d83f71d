/**
 * What makes a lost message harmless: after each subscription Mesos is asked about every instance until it has answered
 * for all, kills are sent again until they worked, and a launch of which nothing was heard is asked about.
 */
import type { CallBody } from '../../framework/mesos-http-client/messages.ts';
import { Alarm } from './alarm.ts';
import type { Instance } from './instance.ts';
import type { MarathonState } from './state.ts';

const FIRST_RETRY_MS = 1_000;
const LAST_RETRY_MS = 30_000;
const SWEEP_MS = 5_000;
/** A kill that did not work by then is sent again. */
const KILL_RETRY_MS = 10_000;
/** A launch of which nothing was heard by then is asked about. */
const LAUNCH_SILENCE_MS = 60_000;
/** Marathon's `reconciliation_interval`. */
const PERIOD_MS = 600_000;

export interface ReconcilerOptions {
  readonly state: MarathonState;
  readonly call: (body: CallBody) => boolean;
  /** Called at each sweep, for whatever else waits for time to pass. */
  readonly onSweep: () => void;
}

export class Reconciler {
  readonly #options: ReconcilerOptions;
  readonly #ask: Alarm;
  readonly #sweep: Alarm;
  #startedAt = 0;
  #delayMs = FIRST_RETRY_MS;

  constructor(options: ReconcilerOptions) {
    this.#options = options;
    this.#ask = new Alarm(options.state.timers, () => this.#askUnheard());
    this.#sweep = new Alarm(options.state.timers, () => this.#sweepOnce());
  }

  /** A new subscription: nothing that was said before it counts. */
  start(): void {
    const { state } = this.#options;
    this.stop();
    this.#startedAt = state.timers.now();
    this.#delayMs = FIRST_RETRY_MS;
    for (const instance of state.tracker.all()) {
      instance.heardAt = Math.min(instance.heardAt, this.#startedAt - 1);
      if (instance.killSentAt !== null) this.#sendKill(instance);
    }
    this.#askUnheard();
    // Implicit: also what we no longer know of, so that it can be killed.
    this.#options.call({ type: 'RECONCILE', reconcile: { tasks: [] } });
    this.#sweep.set(this.#startedAt + SWEEP_MS);
  }

  stop(): void {
    this.#ask.clear();
    this.#sweep.clear();
  }

  kill(instance: Instance): void {
    if (instance.killSentAt !== null) return;
    this.#sendKill(instance);
  }

  #sendKill(instance: Instance): void {
    instance.killSentAt = this.#options.state.timers.now();
    const { taskId, agentId } = instance;
    this.#options.call({ type: 'KILL', kill: { task_id: { value: taskId }, agent_id: { value: agentId } } });
  }

  #askUnheard(): void {
    const { state, call } = this.#options;
    const unheard = state.tracker.all().filter((instance) => instance.heardAt < this.#startedAt);
    if (unheard.length > 0) {
      call({
        type: 'RECONCILE',
        reconcile: {
          tasks: unheard.map(({ taskId, agentId }) => ({ task_id: { value: taskId }, agent_id: { value: agentId } })),
        },
      });
      // Silence may last until the agents are back with a new master: it is no answer, so ask again, ever more rarely.
      this.#ask.set(state.timers.now() + this.#delayMs);
      this.#delayMs = Math.min(LAST_RETRY_MS, this.#delayMs * 2);
    }
  }

  #sweepOnce(): void {
    const { state, call, onSweep } = this.#options;
    const now = state.timers.now();
    this.#sweep.set(now + SWEEP_MS);
    for (const instance of state.tracker.all()) {
      const { taskId, agentId, killSentAt, condition, heardAt } = instance;
      if (killSentAt !== null && now - killSentAt >= KILL_RETRY_MS && condition !== 'Unreachable')
        this.#sendKill(instance);
      if (condition === 'Provisioned' && now - heardAt >= LAUNCH_SILENCE_MS) {
        instance.heardAt = now;
        const tasks = [{ task_id: { value: taskId }, agent_id: { value: agentId } }];
        call({ type: 'RECONCILE', reconcile: { tasks } });
      }
    }
    if (now - this.#startedAt >= PERIOD_MS) this.start();
    onSweep();
  }
}
