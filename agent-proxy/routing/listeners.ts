/** Who wants to hear of something: of most things one, and there are thousands of them, so that one takes no set. */

/** One that listens. The same function may listen twice. */
interface Entry<Change> {
  readonly hear: (change: Change) => void;
}

export class Listeners<Change> {
  private first: Entry<Change> | null = null;
  private others: Set<Entry<Change>> | null = null;

  get isEmpty(): boolean {
    return this.first === null;
  }

  /** Returns how to take it off again, which says whether it was there; nobody else may be left then. */
  add(hear: (change: Change) => void): () => boolean {
    const entry = { hear };
    if (this.first === null) this.first = entry;
    else {
      this.others ??= new Set();
      this.others.add(entry);
    }
    return () => this.remove(entry);
  }

  /** Who is added meanwhile does not hear of it. */
  tell(change: Change): void {
    const { first, others } = this;
    if (first === null) return;
    const entries = others === null ? null : [...others];
    first.hear(change);
    if (entries !== null) for (const { hear } of entries) hear(change);
  }

  private remove(entry: Entry<Change>): boolean {
    const { others } = this;
    if (this.first !== entry) return others?.delete(entry) === true;
    this.first = null;
    if (others === null) return true;
    const [next] = others;
    if (next !== undefined) {
      this.first = next;
      others.delete(next);
    }
    if (others.size === 0) this.others = null;
    return true;
  }
}
