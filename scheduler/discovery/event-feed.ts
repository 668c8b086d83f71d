/**
 * Marathon's event stream, kept open: connects, reads SSE, connects again after an end, an error or too long a silence.
 * It decides nothing about endpoints; it says when a stream is in place and what an event makes doubtful.
 */
import { createParser } from 'eventsource-parser';
import { ATTACHED_EVENT, type Dirty, dirtyBy, WATCHED_EVENTS } from './events.ts';
import { type MarathonClient, MarathonError } from './marathon-client.ts';

export interface EventFeedTimes {
  /** Marathon writes something every 10 s or so; nothing for this long means that the connection is dead. */
  readonly silenceMs: number;
  readonly firstRetryMs: number;
  readonly maxRetryMs: number;
  /** How long to wait for the stream's own first event before the snapshot is fetched without it. */
  readonly attachMs: number;
}

export const EVENT_FEED_TIMES: EventFeedTimes = {
  silenceMs: 60_000,
  firstRetryMs: 100,
  maxRetryMs: 15_000,
  attachMs: 100,
};

export interface EventFeedHooks {
  /** A stream is in place: what happened before it is unknown, so fetch everything. */
  attached(): void;
  detached(reason: string): void;
  dirty(dirties: readonly Dirty[], type: string): void;
  /** An event that could not be read, and was skipped. */
  unreadable(type: string): void;
}

/** An event above this is not one of those that are watched for. */
const MAX_EVENT_CHARS = 16 * 1024 * 1024;

export class EventFeed {
  readonly #client: MarathonClient;
  readonly #hooks: EventFeedHooks;
  readonly #times: EventFeedTimes;
  readonly #random: () => number;
  readonly #stop = new AbortController();
  #running: Promise<void> | null = null;

  constructor(
    client: MarathonClient,
    hooks: EventFeedHooks,
    times = EVENT_FEED_TIMES,
    random: () => number = Math.random,
  ) {
    this.#client = client;
    this.#hooks = hooks;
    this.#times = times;
    this.#random = random;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { firstRetryMs, maxRetryMs } = this.#times;
    let failures = 0;
    while (!this.#stop.signal.aborted) {
      const startedAt = Date.now();
      const reason = await this.#follow();
      if (this.#stop.signal.aborted) return;
      this.#hooks.detached(reason);
      // A stream that lived for a while was good: try again fast.
      failures = Date.now() - startedAt > maxRetryMs ? 0 : failures + 1;
      const ceiling = Math.min(maxRetryMs, firstRetryMs * 2 ** Math.max(0, failures - 1));
      await pause(ceiling * (0.5 + this.#random() / 2), this.#stop.signal);
    }
  }

  /** One connection, from the request to its end. Returns why it ended. */
  async #follow(): Promise<string> {
    const connection = new AbortController();
    const abort = (): void => connection.abort();
    this.#stop.signal.addEventListener('abort', abort, { once: true });
    let silence: NodeJS.Timeout | undefined;
    let attach: NodeJS.Timeout | undefined;
    let silent = false;
    const heard = (): void => {
      clearTimeout(silence);
      silence = setTimeout(() => {
        silent = true;
        connection.abort();
      }, this.#times.silenceMs);
    };
    try {
      heard();
      const body = await this.#client.events(WATCHED_EVENTS, connection.signal);
      heard();
      let attached = false;
      const attachedOnce = (): void => {
        clearTimeout(attach);
        if (!attached && !connection.signal.aborted) this.#hooks.attached();
        attached = true;
      };
      attach = setTimeout(attachedOnce, this.#times.attachMs);
      let events = 0;
      const parser = createParser({
        maxBufferSize: MAX_EVENT_CHARS,
        onEvent: ({ event = '', data }) => {
          // The attached event of this very stream: if the snapshot was asked for without it, that was too early.
          const late = event === ATTACHED_EVENT && attached && events === 0;
          events++;
          attachedOnce();
          if (late) this.#hooks.dirty([{ kind: 'all' }], event);
          const dirties = dirtyBy(event, data);
          if (dirties === null) this.#hooks.unreadable(event);
          else this.#hooks.dirty(dirties, event);
        },
      });
      const decoder = new TextDecoder();
      for await (const chunk of body as AsyncIterable<Buffer>) {
        heard();
        parser.feed(decoder.decode(chunk, { stream: true }));
      }
      return 'Marathon ended the event stream';
    } catch (error) {
      if (silent) return `nothing came on the event stream for ${this.#times.silenceMs} ms`;
      return error instanceof MarathonError || error instanceof Error ? error.message : String(error);
    } finally {
      clearTimeout(silence);
      clearTimeout(attach);
      this.#stop.signal.removeEventListener('abort', abort);
      connection.abort();
    }
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done, { once: true });
    if (signal.aborted) done();
  });
}
