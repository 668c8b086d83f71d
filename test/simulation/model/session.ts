/**
 * One subscription, as both ends see it: events one way and calls the other, each in order, as over TCP. When it breaks, what
 * was on its way is lost from some point on, and the master may notice later than the scheduler.
 */
import type { CallBody, Event } from '../../../framework/mesos-http-client/messages.ts';
import type { Context } from '../context.ts';

/** What became of a call, as the client tells it. */
export type Outcome = 'accepted' | 'resubscribe' | 'refused' | 'unreachable';

/** A scheduler's end. */
export interface Subscriber {
  hear(session: Session, event: Event): void;
  /** The connection is seen to be broken. */
  lost(session: Session): void;
}

type Answer = (outcome: Outcome) => void;

export class Session {
  readonly subscriber: Subscriber;
  readonly #context: Context;
  readonly #take: (session: Session, call: CallBody) => Outcome;
  /** Nothing the scheduler says gets through after this time, and nothing the master says. */
  #brokenAt = Number.POSITIVE_INFINITY;
  #lastEvent = 0;
  #lastCall = 0;
  readonly #unanswered = new Set<Answer>();

  constructor(context: Context, subscriber: Subscriber, take: (session: Session, call: CallBody) => Outcome) {
    this.#context = context;
    this.subscriber = subscriber;
    this.#take = take;
  }

  get isBroken(): boolean {
    return this.#context.now >= this.#brokenAt;
  }

  /** Master to scheduler. */
  emit(event: Event): void {
    if (this.isBroken) return;
    this.#lastEvent = Math.max(this.#lastEvent, this.#context.now + this.#context.latency());
    this.#context.clock.at(this.#lastEvent, () => {
      if (!this.isBroken) this.subscriber.hear(this, event);
    });
  }

  /** Scheduler to master. */
  call(body: CallBody, answer: Answer): void {
    if (this.isBroken) return answer('unreachable');
    const { clock, rng, faulty, tally } = this.#context;
    this.#unanswered.add(answer);
    this.#lastCall = Math.max(this.#lastCall, this.#context.now + this.#context.latency());
    const at = this.#lastCall;
    // A keep-alive connection that closes under a call: the client says it again, and it may have arrived before.
    const twice = faulty && body.type !== 'ACCEPT' && body.type !== 'TEARDOWN' && rng.chance(0.02);
    clock.at(at, () => {
      if (at >= this.#deaf) return tally.count('network', `${body.type} lost`);
      const outcome = this.#take(this, body);
      if (twice && outcome === 'accepted') {
        tally.count('network', 'call sent twice');
        this.#take(this, body);
      }
      clock.after(this.#context.latency(), () => this.#answer(answer, outcome));
    });
  }

  #deaf = Number.POSITIVE_INFINITY;

  /** What is in the sockets of the scheduler's machine may still arrive for a moment, up to some point. */
  break(): void {
    if (this.isBroken) return;
    const { now, rng } = this.#context;
    this.#brokenAt = now;
    const last = Math.max(now, this.#lastCall);
    this.#deaf = rng.chance(0.5) ? now : rng.between(now, last + 1);
    for (const answer of [...this.#unanswered]) this.#answer(answer, 'unreachable');
    this.#context.clock.after(rng.between(1, this.#context.faulty ? 8_000 : 200), () => this.subscriber.lost(this));
  }

  #answer(answer: Answer, outcome: Outcome): void {
    if (this.#unanswered.delete(answer)) answer(outcome);
  }
}
