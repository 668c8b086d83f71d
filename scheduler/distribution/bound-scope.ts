/** The scope `bound`: the table without endpoints for everybody, and endpoints for those who use them. */
import { Distributor } from './distributor.ts';
import type { Feed } from './feed.ts';
import { Fills } from './fills.ts';
import { OutlineFeed } from './outline-feed.ts';

export class BoundScope {
  readonly distributor: Distributor;
  readonly fills: Fills;
  readonly feed: Feed;

  /** `whole` has nothing yet; its commits are followed from now on. */
  constructor(whole: Feed, now: () => number) {
    const outline = new OutlineFeed(whole);
    this.feed = outline.feed;
    this.distributor = new Distributor(outline.feed, now);
    this.fills = new Fills(whole);
    whole.watchedBy((deltas) => {
      this.fills.follow(deltas);
      this.distributor.committed(outline.follow(deltas));
    });
  }

  /** From now on the table holds the truth. */
  open(): void {
    this.fills.open();
    this.distributor.open();
  }

  stop(): void {
    this.fills.stop();
    this.distributor.stop();
  }
}
