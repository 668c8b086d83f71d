/**
 * Follows Marathon: the event stream says what is doubtful, the plan says when to ask, one question at a time is asked,
 * and the table says what changed. A failure never clears anything; it is asked again, and then everything.
 */
import { setImmediate as immediate } from 'node:timers/promises';
import type { MarathonApp } from '../../agent-proxy/routing/marathon-endpoints.ts';
import { AppTable } from './app-table.ts';
import { EVENT_FEED_TIMES, EventFeed, type EventFeedTimes } from './event-feed.ts';
import { WATCHED_EVENTS } from './events.ts';
import { FETCH_LIMITS, type FetchLimits, FetchPlan } from './fetch-plan.ts';
import { type MarathonAccess, MarathonClient } from './marathon-client.ts';

export interface DiscoveryTimes extends EventFeedTimes {
  /** Between the first list that lacks most apps and the second opinion. */
  readonly confirmMs: number;
  /** The table is held against Marathon's answer this often, whatever the events said. */
  readonly auditMs: number;
  /** How often everything is asked for while there is no event stream. */
  readonly blindMs: number;
}

export const DISCOVERY_TIMES: DiscoveryTimes = {
  ...EVENT_FEED_TIMES,
  confirmMs: 1_000,
  auditMs: 300_000,
  blindMs: 10_000,
};

export interface DiscoveryLogger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

export interface DiscoveryOptions {
  readonly marathon: string;
  readonly access?: MarathonAccess;
  readonly logger: DiscoveryLogger;
  /** Names of services that changed or went. The first call says that the table is complete, even with no names. */
  changed(names: readonly string[]): void;
  readonly times?: DiscoveryTimes;
  readonly limits?: FetchLimits;
}

export interface DiscoveryCounters {
  /** By type. */
  readonly events: Readonly<Record<string, number>>;
  readonly unreadableEvents: number;
  readonly lists: number;
  readonly singleApps: number;
  readonly failures: number;
  readonly connections: number;
  /** Lists that were not believed at first. */
  readonly held: number;
}

export class Discovery {
  readonly #options: DiscoveryOptions;
  readonly #times: DiscoveryTimes;
  readonly #client: MarathonClient;
  readonly #feed: EventFeed;
  readonly #plan: FetchPlan;
  readonly #table = new AppTable();
  readonly #stop = new AbortController();
  readonly #events = new Map<string, number>();
  #counts = { unreadableEvents: 0, lists: 0, singleApps: 0, failures: 0, connections: 0, held: 0 };
  #connected = false;
  #synced = false;
  #failing = 0;
  #timer: NodeJS.Timeout | undefined;
  /** Runs while nothing may be asked: after a failure, or before a second opinion. */
  #holdOff: NodeJS.Timeout | undefined;
  #audit: NodeJS.Timeout | undefined;
  #expiry: NodeJS.Timeout | undefined;
  /** Runs while there is no event stream. */
  #blind: NodeJS.Timeout | undefined;
  #asking: Promise<void> | null = null;

  constructor(options: DiscoveryOptions) {
    this.#options = options;
    this.#times = options.times ?? DISCOVERY_TIMES;
    this.#plan = new FetchPlan(options.limits ?? FETCH_LIMITS);
    this.#client = new MarathonClient(options.marathon, options.access);
    this.#feed = new EventFeed(
      this.#client,
      {
        attached: () => this.#attached(),
        detached: (reason) => this.#detached(reason),
        dirty: (dirties, type) => {
          const label = WATCHED_EVENTS.includes(type) ? type : 'other';
          this.#events.set(label, (this.#events.get(label) ?? 0) + 1);
          for (const dirty of dirties) this.#plan.doubt(dirty, Date.now());
          if (dirties.length > 0) this.#schedule();
        },
        unreadable: (type) => {
          this.#counts.unreadableEvents++;
          options.logger.warn({ type }, 'an event of Marathon could not be read and was skipped');
          // It may have been about anything.
          this.#plan.doubt({ kind: 'all' }, Date.now());
          this.#schedule();
        },
      },
      this.#times,
    );
  }

  start(): void {
    this.#feed.start();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    for (const timer of [this.#timer, this.#holdOff, this.#audit, this.#expiry, this.#blind]) clearTimeout(timer);
    await this.#feed.stop();
    await this.#asking;
    await this.#client.close();
  }

  /** The event stream is in place. */
  get connected(): boolean {
    return this.#connected;
  }

  /** A list was applied: the table is whole (it may be old while not connected). */
  get synced(): boolean {
    return this.#synced;
  }

  app(name: string): MarathonApp | undefined {
    return this.#table.get(name);
  }

  names(): string[] {
    return this.#table.names();
  }

  counters(): DiscoveryCounters {
    return { ...this.#counts, events: Object.fromEntries(this.#events) };
  }

  #attached(): void {
    this.#counts.connections++;
    this.#connected = true;
    this.#options.logger.info({}, 'the event stream of Marathon is in place');
    clearTimeout(this.#blind);
    this.#blind = undefined;
    // Marathon is back: no need to wait out a failure.
    this.#endHoldOff();
    this.#plan.demandList(Date.now());
    this.#schedule();
  }

  #detached(reason: string): void {
    this.#connected = false;
    this.#options.logger.warn({ reason }, 'the event stream of Marathon is down; the endpoints stay as they are');
    this.#askWhileBlind();
  }

  /**
   * Something between here and Marathon may let answers through and no streams. Without events there are lists, now and
   * then: the only time at which anything is polled.
   */
  #askWhileBlind(): void {
    if (this.#blind !== undefined || this.#stop.signal.aborted) return;
    this.#blind = setTimeout(
      () => {
        this.#blind = undefined;
        if (this.#connected) return;
        this.#plan.demandList(Date.now());
        this.#schedule();
        this.#askWhileBlind();
      },
      this.#synced ? this.#times.blindMs : this.#times.firstRetryMs,
    );
  }

  /** Looks at the plan, unless a question is under way: its end looks again. */
  #schedule(): void {
    if (this.#asking !== null || this.#holdOff !== undefined || this.#stop.signal.aborted) return;
    clearTimeout(this.#timer);
    const step = this.#plan.next(Date.now());
    switch (step.kind) {
      case 'idle':
        return;
      case 'wait':
        this.#timer = setTimeout(() => this.#schedule(), step.ms);
        return;
      case 'list':
        this.#ask(() => this.#askList());
        return;
      case 'apps':
        this.#ask(() => this.#askApps(step.names));
        return;
    }
  }

  #ask(question: () => Promise<void>): void {
    this.#asking = question()
      .then(
        () => {
          this.#failing = 0;
        },
        (error: unknown) => this.#failed(error),
      )
      .finally(() => {
        this.#asking = null;
        this.#schedule();
      });
  }

  async #askList(): Promise<void> {
    const startedAt = Date.now();
    const documents = await this.#client.apps(this.#stop.signal);
    this.#counts.lists++;
    this.#plan.listTook(Date.now() - startedAt, Date.now());
    const outcome = this.#table.applyList(documents, Date.now());
    this.#rearmAudit();
    if (outcome.kind === 'held') {
      this.#counts.held++;
      const { lost, had } = outcome;
      this.#options.logger.warn(
        { lost, had },
        'Marathon suddenly lists few of its apps; the old endpoints stay until it says so again',
      );
      this.#later(this.#times.confirmMs);
      return;
    }
    const first = !this.#synced;
    this.#synced = true;
    if (first || outcome.changed.length > 0) this.#options.changed(outcome.changed);
    this.#watchExpiry();
  }

  async #askApps(names: readonly string[]): Promise<void> {
    for (const name of names) {
      const document = await this.#client.app(name, this.#stop.signal);
      this.#counts.singleApps++;
      if (this.#table.applyApp(name, document, Date.now())) this.#options.changed([name]);
      await immediate();
    }
    this.#watchExpiry();
  }

  /** What was asked for stays doubtful, and while answers fail so does everything else: ask for all, later. */
  #failed(error: unknown): void {
    if (this.#stop.signal.aborted) return;
    this.#counts.failures++;
    this.#failing++;
    const { firstRetryMs, maxRetryMs } = this.#times;
    const ms = Math.min(maxRetryMs, firstRetryMs * 2 ** (this.#failing - 1)) * (0.5 + Math.random() / 2);
    const reason = error instanceof Error ? error.message : String(error);
    this.#options.logger.warn(
      { reason, retryInMs: Math.round(ms) },
      'Marathon could not be asked; the endpoints stay as they are',
    );
    this.#later(ms);
  }

  #later(ms: number): void {
    this.#endHoldOff();
    this.#holdOff = setTimeout(() => {
      this.#holdOff = undefined;
      this.#plan.demandList(Date.now());
      this.#schedule();
    }, ms);
  }

  #endHoldOff(): void {
    clearTimeout(this.#holdOff);
    this.#holdOff = undefined;
  }

  #rearmAudit(): void {
    clearTimeout(this.#audit);
    this.#audit = setTimeout(
      () => {
        // While the stream is down its return brings a list anyway.
        if (this.#connected) this.#plan.demandList(Date.now());
        this.#rearmAudit();
        this.#schedule();
      },
      this.#times.auditMs * (0.9 + Math.random() / 5),
    );
  }

  #watchExpiry(): void {
    const next = this.#table.nextExpiry();
    if (next === null || this.#expiry !== undefined) return;
    this.#expiry = setTimeout(
      () => {
        this.#expiry = undefined;
        const changed = this.#table.expire(Date.now());
        if (changed.length > 0) this.#options.changed(changed);
        this.#watchExpiry();
      },
      Math.max(10, next - Date.now()),
    );
  }
}
