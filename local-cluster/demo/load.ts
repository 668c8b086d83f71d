/** The demo's own gentle traffic: requests for `web` that enter the mesh at every node in turn, at a constant rate. */
import { Agent, request } from 'node:http';

const MAX_OUTSTANDING = 200;
const TIMEOUT_MS = 5_000;
/** Requests are sent in ticks: at a high rate several in one. */
const SHORTEST_TICK_MS = 10;
/** A process that was stalled does not make up for it with a burst. */
const MAX_BURST = 20;

export interface DemoLoadOptions {
  /** Requests a second, over all entries together. */
  readonly rps: number;
  /** Base URLs of the nodes' outgoing routers. */
  readonly entries: readonly string[];
  /** The name that is asked for; default `web`. */
  readonly name?: string;
}

export interface DemoLoadStats {
  readonly sent: number;
  /** Answered 200. */
  readonly succeeded: number;
  /** Answered otherwise, or not at all. */
  readonly failed: number;
  /** Not sent, because too many were outstanding. */
  readonly skipped: number;
  readonly outstanding: number;
  /** One sentence about the latest failure. */
  readonly lastFailure: string | null;
}

export class DemoLoad {
  readonly #rps: number;
  readonly #name: string;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: MAX_OUTSTANDING, maxFreeSockets: 32 });
  #entries: readonly string[];
  #turn = 0;
  #timer: NodeJS.Timeout | null = null;
  #due = 0;
  #lastTick = 0;
  #sent = 0;
  #succeeded = 0;
  #failed = 0;
  #skipped = 0;
  #outstanding = 0;
  #lastFailure: string | null = null;

  constructor({ rps, entries, name = 'web' }: DemoLoadOptions) {
    this.#rps = rps;
    this.#entries = [...entries];
    this.#name = name;
  }

  /** Where requests enter from now on. */
  setEntries(entries: readonly string[]): void {
    this.#entries = [...entries];
  }

  start(): void {
    if (this.#timer !== null || this.#rps <= 0) return;
    this.#lastTick = performance.now();
    this.#due = 0;
    this.#timer = setInterval(() => this.#tick(), Math.max(SHORTEST_TICK_MS, 1000 / this.#rps)).unref();
  }

  /** No more requests; those under way end by themselves or with their connection. */
  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    this.#agent.destroy();
  }

  stats(): DemoLoadStats {
    return {
      sent: this.#sent,
      succeeded: this.#succeeded,
      failed: this.#failed,
      skipped: this.#skipped,
      outstanding: this.#outstanding,
      lastFailure: this.#lastFailure,
    };
  }

  #tick(): void {
    const now = performance.now();
    this.#due = Math.min(MAX_BURST, this.#due + ((now - this.#lastTick) * this.#rps) / 1000);
    this.#lastTick = now;
    for (; this.#due >= 1; this.#due -= 1) this.#next();
  }

  #next(): void {
    const entry = this.#entries[this.#turn % this.#entries.length];
    if (entry === undefined) return;
    this.#turn = (this.#turn + 1) % this.#entries.length;
    if (this.#outstanding >= MAX_OUTSTANDING) {
      this.#skipped += 1;
      return;
    }
    this.#sent += 1;
    this.#outstanding += 1;
    const settle = (failure: string | null) => {
      this.#outstanding -= 1;
      if (failure === null) {
        this.#succeeded += 1;
      } else {
        this.#failed += 1;
        this.#lastFailure = `${entry}: ${failure}`;
      }
    };
    get(entry, this.#name, this.#agent).then(
      (status) => settle(status === 200 ? null : `answered ${status}`),
      (error: unknown) => settle(error instanceof Error ? error.message : String(error)),
    );
  }
}

/** The status of the answer, after its body has come in; rejects when there is none in time. */
async function get(entry: string, name: string, agent: Agent): Promise<number> {
  const target = new URL('/', entry);
  return await new Promise<number>((resolve, reject) => {
    const outgoing = request(target, { agent, headers: { host: name } }, (incoming) => {
      incoming.on('error', fail);
      incoming.on('end', () => {
        clearTimeout(timer);
        resolve(incoming.statusCode ?? 0);
      });
      incoming.resume();
    });
    const fail = (error: Error) => {
      clearTimeout(timer);
      reject(error);
    };
    const timer = setTimeout(
      () => outgoing.destroy(new Error(`no answer within ${TIMEOUT_MS} ms`)),
      TIMEOUT_MS,
    ).unref();
    outgoing.on('error', fail);
    outgoing.end();
  });
}
