/** A worker's place among the workers of its proxy, and its way to the others. */
import type { FromWorker, ToWorker, WorkerStart } from '../supervisor/messages.ts';
import type { Channel, FromFollower, FromLeader } from './messages.ts';

export interface Crew {
  readonly index: number;
  readonly count: number;
  /** It goes on with what an earlier worker has begun. */
  readonly takesOver: boolean;
  readonly place: Place;
}

export type Place =
  | { readonly kind: 'alone' }
  | { readonly kind: 'leader'; readonly channel: Channel<FromLeader, FromFollower> }
  | { readonly kind: 'follower'; readonly channel: Channel<FromFollower, FromLeader> };

/** A proxy of one worker: nobody to talk to, and no cost. */
export const ALONE: Crew = { index: 0, count: 1, takesOver: false, place: { kind: 'alone' } };

export function crewOf({ index, count, takesOver }: WorkerStart): Crew {
  const place: Place =
    count === 1
      ? ALONE.place
      : index === 0
        ? { kind: 'leader', channel: new SupervisorChannel() }
        : { kind: 'follower', channel: new SupervisorChannel() };
  return { index, count, takesOver, place };
}

/** Messages that were not handed to the kernel yet. */
const MOST_PENDING = 32;

/** By way of the supervisor. Both ends are this same program, so that what is heard has the type that was sent. */
class SupervisorChannel<Sent, Heard> implements Channel<Sent, Heard> {
  private pending = 0;

  send(to: number, body: Sent): boolean {
    if (this.pending >= MOST_PENDING || !process.connected || process.send === undefined) return false;
    this.pending += 1;
    const message: FromWorker = { type: 'pass', to, body };
    process.send(message, undefined, undefined, () => {
      this.pending -= 1;
    });
    return true;
  }

  onMessage(listener: (message: Heard, from: number) => void): void {
    process.on('message', (message: ToWorker) => {
      if (message.type === 'passed') listener(message.body as Heard, message.from);
    });
  }
}
