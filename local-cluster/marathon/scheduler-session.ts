/**
 * Marathon's subscription with whichever master leads: subscribes, subscribes again with the same framework id when the
 * stream ends or another master leads, and lets nothing of an old stream through.
 */
import {
  type CallBody,
  type Event,
  type EventWire,
  eventSchema,
  type FrameworkId,
  type FrameworkInfo,
} from '../../framework/mesos-http-client/messages.ts';
import type { LeaderDetector, SchedulerApi, SchedulerConnection } from '../scheduler-link.ts';
import type { TimerHandle, Timers } from './timers.ts';

const RETRY_MIN_MS = 100;
const RETRY_MAX_MS = 5_000;

export interface SessionOptions {
  readonly leader: LeaderDetector<SchedulerApi>;
  readonly timers: Timers;
  /** Without its id: the session adds it. */
  readonly frameworkInfo: () => FrameworkInfo;
  readonly onEvent: (event: Event) => void;
  /** The stream that had been subscribed ended. */
  readonly onDisconnected: () => void;
  readonly log: (message: string) => void;
}

/** What an old stream left behind is dropped by its generation; `null` is the end of the stream. */
interface Mail {
  readonly generation: number;
  readonly event: EventWire | null;
}

export class SchedulerSession {
  readonly #options: SessionOptions;
  #frameworkId: FrameworkId | null = null;
  #connection: SchedulerConnection | null = null;
  #subscribed = false;
  /** Grows with every attempt: what comes from an older one is ignored. */
  #generation = 0;
  #retry: TimerHandle = null;
  #retryMs = RETRY_MIN_MS;
  #unwatch: (() => void) | null = null;
  #started = false;
  /** A master in this process may answer within a call: its events wait until the caller is done. */
  #inbox: Mail[] = [];

  constructor(options: SessionOptions) {
    this.#options = options;
  }

  get frameworkId(): FrameworkId | null {
    return this.#frameworkId;
  }

  get connected(): boolean {
    return this.#subscribed;
  }

  start(): void {
    if (this.#started) return;
    // Before `watch`, which may tell of a leader at once.
    this.#started = true;
    this.#unwatch = this.#options.leader.watch(() => {
      this.#drop();
      this.#retryMs = RETRY_MIN_MS;
      this.#subscribe();
    });
  }

  stop(): void {
    this.#started = false;
    this.#unwatch?.();
    this.#unwatch = null;
    this.#drop();
  }

  /** False when there is no subscription: the call is lost, and whoever sent it tries again once subscribed. */
  call(body: CallBody): boolean {
    if (this.#connection === null || !this.#subscribed) return false;
    const refusal = this.#connection.call(body);
    if (refusal === null) return true;
    this.#options.log(`the master refused ${body.type} with ${refusal.status}: ${refusal.message}`);
    return false;
  }

  /** Forget the present stream; nothing more comes from it. */
  #drop(): void {
    this.#options.timers.clearTimeout(this.#retry);
    this.#retry = null;
    this.#generation += 1;
    const connection = this.#connection;
    this.#connection = null;
    const was = this.#subscribed;
    this.#subscribed = false;
    connection?.close();
    if (was) this.#options.onDisconnected();
  }

  #subscribe(): void {
    const api = this.#options.leader.current();
    if (api === null || !this.#started) return;
    this.#generation += 1;
    const generation = this.#generation;
    const id = this.#frameworkId === null ? {} : { id: { value: this.#frameworkId } };
    const answer = api.subscribe(
      {
        type: 'SUBSCRIBE',
        ...(this.#frameworkId === null ? {} : { framework_id: { value: this.#frameworkId } }),
        subscribe: { framework_info: { ...this.#options.frameworkInfo(), ...id } },
      },
      {
        event: (event) => this.#post({ generation, event }),
        closed: () => this.#post({ generation, event: null }),
      },
    );
    if ('status' in answer) {
      this.#options.log(`the master refused SUBSCRIBE with ${answer.status}: ${answer.message}`);
      this.#later();
    } else {
      this.#connection = answer;
    }
  }

  #post(mail: Mail): void {
    if (mail.generation !== this.#generation) return;
    this.#inbox.push(mail);
    if (this.#inbox.length === 1) queueMicrotask(() => this.#read());
  }

  #read(): void {
    // What arrives meanwhile is read in the same go, in order; `length` stays above zero until the end.
    for (let index = 0; index < this.#inbox.length; index += 1) {
      const mail = this.#inbox[index];
      if (mail === undefined || mail.generation !== this.#generation) continue;
      if (mail.event === null) this.#lost();
      else this.#receive(mail.event);
    }
    this.#inbox = [];
  }

  #receive(wire: EventWire): void {
    const parsed = eventSchema.safeParse(wire);
    if (!parsed.success) {
      this.#options.log(`an event of the master was not understood: ${parsed.error.issues[0]?.message ?? ''}`);
      return;
    }
    const event = parsed.data;
    if (event.type === 'SUBSCRIBED') {
      this.#frameworkId = event.subscribed.framework_id.value;
      this.#subscribed = true;
      this.#retryMs = RETRY_MIN_MS;
    } else if (event.type === 'ERROR') {
      this.#options.log(`the master ended the subscription: ${event.error.message}`);
      // A removed framework's tasks are dead and its id can not be used again; in a miniature, begin anew.
      if (/has been removed/i.test(event.error.message)) this.#frameworkId = null;
    }
    this.#options.onEvent(event);
  }

  #lost(): void {
    this.#drop();
    this.#later();
  }

  #later(): void {
    this.#retry = this.#options.timers.setTimeout(() => this.#subscribe(), this.#retryMs);
    this.#retryMs = Math.min(RETRY_MAX_MS, this.#retryMs * 2);
  }
}
