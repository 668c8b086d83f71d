/** Answers the questions of the worker that leads, a piece at a time, whenever it asks on. */
import type { Answers, Channel, FromFollower, FromLeader, Question } from './messages.ts';
import { inPieces } from './pieces.ts';

/** Items of one piece: a scope of metrics, a client or a request takes one or two kB. */
const ITEMS_A_PIECE = 25;
/** Answers that were begun and are not over, of readers that may have gone away. */
const MOST_ANSWERS = 16;

/** Where answers come from. Lists in lists, as they are made without holding the loop. */
export type Sources = {
  readonly [Asked in Question]: () => AsyncIterable<readonly Answers[Asked][]> | Iterable<readonly Answers[Asked][]>;
};

type Pieces = AsyncIterator<readonly unknown[]>;

export class Answering {
  private readonly channel: Channel<FromFollower, FromLeader>;
  private readonly sources: Sources;
  private readonly begun = new Map<number, Pieces>();

  constructor(channel: Channel<FromFollower, FromLeader>, sources: Sources) {
    this.channel = channel;
    this.sources = sources;
  }

  async ask(from: number, id: number, question: Question): Promise<void> {
    const [oldest] = this.begun.keys();
    if (oldest !== undefined && this.begun.size >= MOST_ANSWERS) this.begun.delete(oldest);
    this.begun.set(id, inPieces<unknown>(this.sources[question](), ITEMS_A_PIECE));
    await this.more(from, id);
  }

  async more(from: number, id: number): Promise<void> {
    const pieces = this.begun.get(id);
    if (pieces === undefined) return;
    const { done, value } = await pieces.next();
    const isLast = done === true;
    // One that cannot be sent now was asked for by somebody who gives up soon.
    const isSent = this.channel.send(from, { kind: 'piece', id, items: isLast ? [] : value, isLast });
    if (isLast || !isSent) this.begun.delete(id);
  }
}
