/**
 * Questions from the worker that leads to one that follows. The answer comes piece by piece, each when it is asked for, so
 * that nothing piles up on the way; one that does not come in time is given up.
 */
import type { Answers, Channel, FromFollower, FromLeader, Question } from './messages.ts';

/** How long each piece is waited for. */
export const ANSWER_MS = 500;
/** Questions at a time; answers have as many pieces as tables can have entries. */
const MOST_QUESTIONS = 64;
const MOST_PIECES = 10_000;

interface Open {
  readonly to: number;
  readonly pieces: (readonly unknown[])[];
  readonly timer: NodeJS.Timeout;
  readonly done: (pieces: (readonly unknown[])[] | null) => void;
}

export class Asking {
  /** Questions that were not answered in time, or at all. */
  unanswered = 0;
  private readonly channel: Channel<FromLeader, FromFollower>;
  private readonly open = new Map<number, Open>();
  private lastId = 0;

  constructor(channel: Channel<FromLeader, FromFollower>) {
    this.channel = channel;
  }

  /** The pieces of the whole answer, or null where it did not come. Never rejects. */
  ask<Asked extends Question>(to: number, question: Asked): Promise<readonly (readonly Answers[Asked][])[] | null> {
    const id = this.lastId + 1;
    this.lastId = id;
    return new Promise((resolve) => {
      const done = (pieces: (readonly unknown[])[] | null): void => {
        if (pieces === null) this.unanswered += 1;
        // Both ends are this same program: the pieces are what was asked for.
        resolve(pieces as readonly (readonly Answers[Asked][])[] | null);
      };
      if (this.open.size >= MOST_QUESTIONS || !this.channel.send(to, { kind: 'ask', id, question })) {
        done(null);
        return;
      }
      const timer = setTimeout(() => this.close(id, null), ANSWER_MS);
      this.open.set(id, { to, pieces: [], timer, done });
    });
  }

  heard({ id, items, isLast }: Extract<FromFollower, { kind: 'piece' }>): void {
    const open = this.open.get(id);
    if (open === undefined) return;
    const { to, pieces, timer } = open;
    pieces.push(items);
    timer.refresh();
    if (isLast) this.close(id, pieces);
    else if (pieces.length >= MOST_PIECES || !this.channel.send(to, { kind: 'more', id })) this.close(id, null);
  }

  private close(id: number, pieces: (readonly unknown[])[] | null): void {
    const open = this.open.get(id);
    if (open === undefined) return;
    this.open.delete(id);
    clearTimeout(open.timer);
    open.done(pieces);
  }
}
