/** The names that clients asked for of late, by namespace, as the proxies report them. Time is passed in. */

/** How long a name counts after its last request. */
export const ASKED_WITHIN_MS = 60 * 60_000;
/** Clients may ask for any name; those that were asked for longest ago give way. */
const MAX_NAMES = 10_000;
/** A name that is in use is moved to the end of the line once in so long. */
const FRESH_MS = 60_000;

export class AskedNames {
  /** When each was asked for, by namespace and name, the longest ago first (nearly). */
  readonly #asked = new Map<string, number>();

  add(namespace: string, name: string, at: number): void {
    const key = `${namespace} ${name}`;
    const before = this.#asked.get(key);
    if (before !== undefined) {
      if (at - before < FRESH_MS) return;
      this.#asked.delete(key);
    } else if (this.#asked.size >= MAX_NAMES) {
      const [oldest] = this.#asked.keys();
      if (oldest !== undefined) this.#asked.delete(oldest);
    }
    this.#asked.set(key, at);
  }

  /** Names of a namespace that had a request within the last hour. */
  of(namespace: string, now: number): string[] {
    const prefix = `${namespace} `;
    const names: string[] = [];
    for (const [key, at] of this.#asked) {
      if (now - at > ASKED_WITHIN_MS) this.#asked.delete(key);
      else if (key.startsWith(prefix)) names.push(key.slice(prefix.length));
    }
    return names;
  }
}
