/** GETs at a constant rate that enter at each of several places in turn, and what became of those that failed. */
import { Agent, request } from 'node:http';
import type { Failure, Way } from './types.ts';

const TIMEOUT_MS = 10_000;
const TICK_MS = 5;

export interface Entry {
  readonly url: string;
  readonly ip: string | null;
}

export interface LoadOptions {
  readonly way: Way;
  readonly rps: number;
  readonly host: string;
  now(): number;
  /** Asked for each request: nodes come and go. */
  entries(): readonly Entry[];
  failed(failure: Failure): void;
}

export class Load {
  sent = 0;
  succeeded = 0;
  readonly #options: LoadOptions;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 256 });
  readonly #open = new Set<Promise<void>>();
  readonly #begunAt: number;
  readonly #timer: NodeJS.Timeout;

  constructor(options: LoadOptions) {
    this.#options = options;
    this.#begunAt = options.now();
    this.#timer = setInterval(() => this.#catchUp(), TICK_MS);
  }

  /** Sends no more, and waits for the answers that are still out. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.#open);
    this.#agent.destroy();
  }

  #catchUp(): void {
    const { rps, now, entries } = this.#options;
    const due = Math.floor(((now() - this.#begunAt) / 1000) * rps);
    while (this.sent < due) {
      const places = entries();
      const entry = places[this.sent % places.length];
      if (entry === undefined) return;
      this.sent += 1;
      const exchange = this.#exchange(entry);
      this.#open.add(exchange);
      void exchange.finally(() => this.#open.delete(exchange));
    }
  }

  async #exchange(entry: Entry): Promise<void> {
    const { way, now, failed } = this.#options;
    const from = now();
    const what = await this.#get(entry.url);
    if (what === null) this.succeeded += 1;
    else failed({ way, ip: entry.ip, from, to: now(), what });
  }

  /** What went wrong, or null. */
  #get(url: string): Promise<string | null> {
    return new Promise((resolve) => {
      const outgoing = request(
        url,
        { agent: this.#agent, headers: { host: this.#options.host }, timeout: TIMEOUT_MS },
        (response) => {
          const { statusCode, headers } = response;
          response.on('error', (error) => resolve(`the answer broke off: ${error.message}`));
          response.on('end', () => {
            if (statusCode === 200) resolve(null);
            else resolve(`${statusCode} ${reasonOf(headers['l5d-err'])}`);
          });
          response.resume();
        },
      );
      outgoing.on('timeout', () => outgoing.destroy(new Error(`no answer within ${TIMEOUT_MS} ms`)));
      outgoing.on('error', (error) => resolve(error.message));
      outgoing.end();
    });
  }
}

/** Only proxies give a reason. */
function reasonOf(error: string | string[] | undefined): string {
  if (error === undefined) return 'of the app';
  const text = String(error);
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
