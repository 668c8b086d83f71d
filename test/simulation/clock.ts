/** Virtual time: what is to happen when, the earliest first; things of one moment in the order in which they were set. */
interface Entry {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

export class Clock {
  /** Milliseconds since the epoch. */
  now = 1_700_000_000_000;
  readonly #heap: Entry[] = [];
  #order = 0;

  at(time: number, run: () => void): void {
    this.#order += 1;
    this.#push({ at: Math.max(time, this.now), order: this.#order, run });
  }

  after(ms: number, run: () => void): void {
    this.at(this.now + ms, run);
  }

  /** Does the next thing. False: there is none before `end`, and it is `end` now. */
  next(end: number): boolean {
    const first = this.#heap[0];
    if (first === undefined || first.at > end) {
      this.now = end;
      return false;
    }
    const last = this.#heap.pop();
    if (last !== undefined && this.#heap.length > 0) this.#sink(last);
    this.now = first.at;
    first.run();
    return true;
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(entry);
    while (at > 0) {
      const up = (at - 1) >> 1;
      const parent = heap[up];
      if (parent === undefined || isBefore(parent, entry)) break;
      heap[at] = parent;
      at = up;
    }
    heap[at] = entry;
  }

  #sink(entry: Entry): void {
    const heap = this.#heap;
    let at = 0;
    for (;;) {
      let least = 2 * at + 1;
      let child = heap[least];
      const right = heap[least + 1];
      if (right !== undefined && child !== undefined && isBefore(right, child)) {
        least += 1;
        child = right;
      }
      if (child === undefined || isBefore(entry, child)) break;
      heap[at] = child;
      at = least;
    }
    heap[at] = entry;
  }
}

const isBefore = (a: Entry, b: Entry): boolean => a.at < b.at || (a.at === b.at && a.order < b.order);
