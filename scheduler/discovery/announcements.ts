/** What Marathon's events have announced of late: an app that is deployed may lose its endpoints without surprise. */

/** How long after the event its effects may show. */
const VALID_MS = 60_000;
/** Who deploys more than this in a minute has the losses looked at twice. */
const MOST = 2_000;

export class Announcements {
  /** Until when, by the name of an app, or of a group with a slash behind it (the root is a slash alone). */
  readonly #until = new Map<string, number>();

  app(name: string, now: number): void {
    this.#note(name, now);
  }

  /** All apps of a group: `/team`, or `/` for everything. */
  group(id: string, now: number): void {
    this.#note(id === '/' ? '/' : `${id.replace(/^\/|\/$/g, '')}/`, now);
  }

  isExpected(name: string, now: number): boolean {
    if (this.#until.size === 0) return false;
    const isValid = (key: string): boolean => (this.#until.get(key) ?? 0) > now;
    if (isValid(name) || isValid('/')) return true;
    for (let slash = name.indexOf('/'); slash !== -1; slash = name.indexOf('/', slash + 1)) {
      if (isValid(name.slice(0, slash + 1))) return true;
    }
    return false;
  }

  #note(key: string, now: number): void {
    // Behind all others, so that the first of the map is the oldest.
    this.#until.delete(key);
    this.#until.set(key, now + VALID_MS);
    for (const [oldest, until] of this.#until) {
      if (until > now && this.#until.size <= MOST) break;
      this.#until.delete(oldest);
    }
  }
}
