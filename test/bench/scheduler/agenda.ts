/** What is going to happen in virtual time, earliest first; of the same moment, in the order in which it was planned. */
export class Agenda<T> {
  readonly #heap: { readonly at: number; readonly order: number; readonly what: T }[] = [];
  #order = 0;

  plan(at: number, what: T): void {
    this.#heap.push({ at, order: this.#order, what });
    this.#order += 1;
    let index = this.#heap.length - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!this.#isBefore(index, parent)) return;
      this.#swap(index, parent);
      index = parent;
    }
  }

  /** The next thing that happens until `end`, or null. */
  next(end: number): { readonly at: number; readonly what: T } | null {
    const first = this.#heap[0];
    if (first === undefined || first.at > end) return null;
    const last = this.#heap.pop();
    if (last !== undefined && this.#heap.length > 0) {
      this.#heap[0] = last;
      this.#sink();
    }
    return first;
  }

  #sink(): void {
    let index = 0;
    for (;;) {
      let least = index;
      if (this.#isBefore(2 * index + 1, least)) least = 2 * index + 1;
      if (this.#isBefore(2 * index + 2, least)) least = 2 * index + 2;
      if (least === index) return;
      this.#swap(index, least);
      index = least;
    }
  }

  #isBefore(one: number, other: number): boolean {
    const [a, b] = [this.#heap[one], this.#heap[other]];
    if (a === undefined || b === undefined) return false;
    return a.at < b.at || (a.at === b.at && a.order < b.order);
  }

  #swap(one: number, other: number): void {
    const [a, b] = [this.#heap[one], this.#heap[other]];
    if (a === undefined || b === undefined) return;
    this.#heap[one] = b;
    this.#heap[other] = a;
  }
}
