/**
 * How a framework in this process (the miniature Marathon) uses the miniature master: the same calls and events as over
 * HTTP, without HTTP. The HTTP scheduler API is a thin layer over the same interface.
 */
import type { CallBody, EventWire, FrameworkId, SubscribeCall } from '../framework/mesos-http-client/messages.ts';

/** Where a master writes the events of one subscription. */
export interface EventSink {
  event(event: EventWire): void;
  /** The stream ended: master failover, framework failed over, torn down. Nothing follows. */
  closed(): void;
}

/** Why a master refused a call: an HTTP status and the text of its body. */
export interface Refusal {
  readonly status: number;
  readonly message: string;
}

export interface SchedulerConnection {
  readonly frameworkId: FrameworkId;
  readonly streamId: string;
  /** Null when accepted (202). */
  call(body: CallBody): Refusal | null;
  /** The scheduler hangs up. */
  close(): void;
}

export interface SchedulerApi {
  /** A connection, on which `SUBSCRIBED` (or `ERROR` and the end) has been or will be written; or a refusal. */
  subscribe(call: SubscribeCall, sink: EventSink): SchedulerConnection | Refusal;
}

/** The leading master, or null while there is none (during a failover). */
export interface LeaderDetector<T> {
  current(): T | null;
  /** Called with each new leader, and at once if there is one. Returns how to stop. */
  watch(listener: (leader: T | null) => void): () => void;
}
