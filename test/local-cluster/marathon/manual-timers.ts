/** A clock that stands still until a test moves it. */
import type { TimerHandle, Timers } from '../../../local-cluster/marathon/timers.ts';

interface Entry {
  readonly at: number;
  readonly callback: () => void;
}

export class ManualTimers implements Timers {
  #now = Date.parse('2026-03-01T12:00:00.000Z');
  readonly #entries = new Set<Entry>();

  now(): number {
    return this.#now;
  }

  setTimeout(callback: () => void, ms: number): TimerHandle {
    const entry: Entry = { at: this.#now + ms, callback };
    this.#entries.add(entry);
    return entry;
  }

  clearTimeout(handle: TimerHandle): void {
    this.#entries.delete(handle as Entry);
  }

  /** Let time pass; each timer rings at its own moment, and promises settle in between. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (;;) {
      await settled();
      const next = [...this.#entries].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.#entries.delete(next);
      this.#now = Math.max(this.#now, next.at);
      next.callback();
    }
    this.#now = end;
    await settled();
  }
}

/** Everything that only waits for promises has happened afterwards. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
