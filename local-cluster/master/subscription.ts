/**
 * One stream of events to one subscriber. Events are handed over in order, but never from inside the call that caused
 * them: a subscriber in this process may call the master back without finding it half way through a change.
 */
import type { Clock } from './clock.ts';

export interface Sink<E> {
  event(event: E): void;
  /** The master ended the stream. */
  closed(): void;
}

export class Subscription<E> {
  readonly streamId: string;
  readonly #sink: Sink<E>;
  #open = true;
  /** The subscriber has gone: nothing is handed over any more, not even what was under way. */
  #gone = false;
  #stopHeartbeat: (() => void) | null = null;

  constructor(streamId: string, sink: Sink<E>) {
    this.streamId = streamId;
    this.#sink = sink;
  }

  get open(): boolean {
    return this.#open;
  }

  send(event: E): void {
    if (this.#open) this.#deliver(() => this.#sink.event(event));
  }

  /** Sends `heartbeat` now and then every `ms`, until the stream ends. */
  beat(clock: Clock, ms: number, heartbeat: E): void {
    this.send(heartbeat);
    this.#stopHeartbeat = clock.after(ms, () => this.beat(clock, ms, heartbeat));
  }

  /** The master ends the stream, after what it has sent. */
  end(): void {
    if (!this.#open) return;
    this.#stop();
    this.#deliver(() => this.#sink.closed());
  }

  /** The subscriber hung up. False if the stream had ended before. */
  hangUp(): boolean {
    const wasOpen = this.#open;
    this.#gone = true;
    this.#stop();
    return wasOpen;
  }

  #stop(): void {
    this.#open = false;
    this.#stopHeartbeat?.();
  }

  #deliver(hand: () => void): void {
    queueMicrotask(() => {
      if (!this.#gone) hand();
    });
  }
}
