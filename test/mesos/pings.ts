/** Asks proxies all the time whether they are there, while something happens that they are not to notice. */
import { setTimeout as sleep } from 'node:timers/promises';
import { send } from '../fixtures/http.ts';

const PAUSE_MS = 100;
const TIMEOUT_MS = 5_000;

/** A proxy did not answer at `from`, nor at `to`, nor in between. Milliseconds. */
export interface Silence {
  readonly url: string;
  readonly from: number;
  readonly to: number;
  readonly why: string;
}

export class Pings {
  readonly #silences: Silence[] = [];
  readonly #ended: Promise<unknown>;
  #isOver = false;

  constructor(urls: readonly string[]) {
    this.#ended = Promise.all(urls.map((url) => this.#ask(url)));
  }

  /** What went wrong meanwhile. */
  async stop(): Promise<readonly Silence[]> {
    this.#isOver = true;
    await this.#ended;
    return this.#silences;
  }

  async #ask(url: string): Promise<void> {
    let last: number | null = null;
    while (!this.#isOver) {
      const at = performance.now();
      const why = await ping(url);
      if (why === null) last = null;
      else if (last === null) last = this.#silences.push({ url, from: at, to: at, why }) - 1;
      else this.#silences.splice(last, 1, { url, from: this.#silences[last]?.from ?? at, to: at, why });
      await sleep(PAUSE_MS);
    }
  }
}

/** Proxies that were silent at the same time, two of them; null: there was never more than one. Pure. */
export function silentTogether(silences: readonly Silence[]): readonly [string, string] | null {
  for (const [index, one] of silences.entries()) {
    const other = silences.slice(index + 1).find(({ url, from, to }) => {
      return url !== one.url && from <= one.to && one.from <= to;
    });
    if (other !== undefined) return [one.url, other.url];
  }
  return null;
}

/** Null when it answers as it should. */
export async function ping(url: string): Promise<string | null> {
  try {
    const { status } = await send(url, { timeoutMs: TIMEOUT_MS });
    return status === 200 ? null : `GET ${url} was answered ${status}`;
  } catch (error) {
    return `GET ${url} failed: ${error instanceof Error ? error.message : String(error)}`;
  }
}
