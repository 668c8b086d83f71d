/**
 * Follows one Marathon: the event stream says what is doubtful, the plan says when to ask, one question at a time is
 * asked, and the table says what changed. A failure never clears anything; it is asked again, and then everything.
 */
import type { MarathonApp } from '../../agent-proxy/routing/marathon-endpoints.ts';
import { AppTable } from './app-table.ts';
import { EVENT_FEED_TIMES, EventFeed, type EventFeedTimes } from './event-feed.ts';
import { type Dirty, WATCHED_EVENTS } from './events.ts';
import { FETCH_LIMITS, type FetchLimits, FetchPlan } from './fetch-plan.ts';
import { type MarathonAccess, MarathonClient, REQUEST_MS } from './marathon-client.ts';
import { MarathonReader } from './marathon-reader.ts';
import type { SecondLook } from './second-look.ts';
import { Slices } from './slices.ts';

export interface DiscoveryTimes extends EventFeedTimes {
  /** Between the first answer that lacks many endpoints and the second look. */
  readonly confirmMs: number;
  /** How long one answer may take. */
  readonly requestMs: number;
  /** The table is held against Marathon's answer this often, whatever the events said. */
  readonly auditMs: number;
  /** How often everything is asked for while there is no event stream. */
  readonly blindMs: number;
}

export const DISCOVERY_TIMES: DiscoveryTimes = {
  ...EVENT_FEED_TIMES,
  confirmMs: 3_000,
  requestMs: REQUEST_MS,
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
  /** Names of services that changed or went. */
  changed(names: readonly string[]): void;
  /** Called once: the table is whole. */
  whole(): void;
  readonly secondLook?: SecondLook | undefined;
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
  /** Answers that were not believed at first. */
  readonly held: number;
}

/** Of a list, services are told of in groups with about so many endpoints. */
const BATCH = 500;

export class Discovery {
  readonly #options: DiscoveryOptions;
  readonly #times: DiscoveryTimes;
  readonly #client: MarathonClient;
  readonly #feed: EventFeed;
  readonly #plan: FetchPlan;
  readonly #table: AppTable;
  readonly #reader: MarathonReader;
  readonly #stop = new AbortController();
  readonly #events = new Map<string, number>();
  #counts = { unreadableEvents: 0, lists: 0, singleApps: 0, failures: 0, connections: 0, held: 0 };
  #connected = false;
  #synced = false;
  #failing = 0;
  /** Why the last question had no answer; null: it had one. */
  #reason: string | null = null;
  #timer: NodeJS.Timeout | undefined;
  /** Runs while nothing may be asked: after a failure, or before a second opinion. */
  #holdOff: NodeJS.Timeout | undefined;
  #audit: NodeJS.Timeout | undefined;
  #expiry: NodeJS.Timeout | undefined;
  /** Runs while losses are held. */
  #secondLook: NodeJS.Timeout | undefined;
  /** Runs while there is no event stream. */
  #blind: NodeJS.Timeout | undefined;
  #asking: Promise<void> | null = null;

  constructor(options: DiscoveryOptions) {
    this.#options = options;
    this.#times = options.times ?? DISCOVERY_TIMES;
    this.#plan = new FetchPlan(options.limits ?? FETCH_LIMITS);
    this.#table = new AppTable({ confirmMs: this.#times.confirmMs, secondLook: options.secondLook });
    this.#client = new MarathonClient(options.marathon, { ...options.access, requestMs: this.#times.requestMs });
    this.#reader = new MarathonReader(this.#client, this.#table);
    this.#feed = new EventFeed(
      this.#client,
      {
        attached: () => this.#attached(),
        detached: (reason) => this.#detached(reason),
        dirty: (dirties, type) => {
          const label = WATCHED_EVENTS.includes(type) ? type : 'other';
          this.#events.set(label, (this.#events.get(label) ?? 0) + 1);
          for (const dirty of dirties) this.#doubt(dirty);
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
    clearTimeout(this.#secondLook);
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

  /** Services with an instance on this agent. */
  namesOn(agentId: string): Iterable<string> {
    return this.#table.namesOn(agentId);
  }

  /** Why the last question had no answer; null: it had one. */
  get reason(): string | null {
    return this.#reason;
  }

  /** Why instances of an app, or all of it, are left out, by name. */
  skipped(): ReadonlyMap<string, string> {
    return this.#reader.skipped();
  }

  /** Mesos says that a task has ended: its endpoint goes before Marathon says so too. */
  taskGone(taskId: string, agentId: string): void {
    const name = this.#table.taskGone(taskId, agentId, Date.now());
    if (name === null) return;
    this.#options.changed([name]);
    this.#doubt({ kind: 'app', name });
    this.#schedule();
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
          this.#reason = null;
        },
        (error: unknown) => this.#failed(error),
      )
      .finally(() => {
        this.#asking = null;
        this.#schedule();
      });
  }

  async #askList(): Promise<void> {
    const slices = new Slices();
    const { apps: fresh, tookMs } = await this.#reader.everything(this.#stop.signal);
    this.#counts.lists++;
    this.#plan.listTook(tookMs, Date.now());
    this.#rearmAudit();
    // Judged as a whole, and then told of piece by piece.
    const isSuspicious = this.#table.isSuspicious(fresh, Date.now());
    let held = 0;
    let changed: string[] = [];
    let size = 0;
    for (const name of new Set([...this.#table.names(), ...fresh.keys()])) {
      const applied = this.#table.applyAs(name, fresh.get(name), Date.now(), isSuspicious);
      held += applied.held;
      if (applied.changed) {
        changed.push(name);
        size += 1 + (fresh.get(name)?.instances.length ?? 0);
      }
      if (size >= BATCH) {
        this.#options.changed(changed);
        changed = [];
        size = 0;
      }
      await slices.pause();
    }
    if (changed.length > 0) this.#options.changed(changed);
    if (isSuspicious) this.#tellHeld(held);
    if (!this.#synced) {
      this.#synced = true;
      this.#options.whole();
    }
    this.#watchTimes();
  }

  async #askApps(names: readonly string[]): Promise<void> {
    const slices = new Slices();
    for (const name of names) {
      const answer = await this.#reader.one(name, this.#stop.signal);
      this.#counts.singleApps++;
      if (answer.kind === 'odd') continue;
      const had = this.#table.held;
      const applied = this.#table.apply(name, answer.app, Date.now());
      if (applied.changed) this.#options.changed([name]);
      if (this.#table.held > had) this.#tellHeld(applied.held);
      await slices.pause();
    }
    this.#watchTimes();
  }

  #tellHeld(lost: number): void {
    this.#counts.held++;
    this.#options.logger.warn(
      { lost },
      'Marathon suddenly lists few of its tasks; the old endpoints stay until a second look agrees',
    );
  }

  #doubt(dirty: Dirty): void {
    const now = Date.now();
    if (dirty.kind === 'app' && dirty.isMeant) this.#table.announcements.app(dirty.name, now);
    if (dirty.kind === 'all' && dirty.group !== undefined) this.#table.announcements.group(dirty.group, now);
    this.#plan.doubt(dirty, now);
  }

  /** What was asked for stays doubtful, and while answers fail so does everything else: ask for all, later. */
  #failed(error: unknown): void {
    if (this.#stop.signal.aborted) return;
    this.#counts.failures++;
    this.#failing++;
    const { firstRetryMs, maxRetryMs } = this.#times;
    const ms = Math.min(maxRetryMs, firstRetryMs * 2 ** (this.#failing - 1)) * (0.5 + Math.random() / 2);
    const reason = error instanceof Error ? error.message : String(error);
    this.#reason = reason;
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

  #watchTimes(): void {
    this.#watchExpiry();
    this.#watchHeld();
  }

  #watchExpiry(): void {
    const next = this.#table.nextExpiry();
    clearTimeout(this.#expiry);
    if (next === null) return;
    this.#expiry = setTimeout(
      () => {
        const changed = this.#table.expire(Date.now());
        if (changed.length > 0) this.#options.changed(changed);
        this.#watchExpiry();
      },
      Math.max(10, next - Date.now()),
    );
  }

  /** What is held is asked for again: by then Mesos may know more, or Marathon's second answer decides. */
  #watchHeld(): void {
    const next = this.#table.nextLook();
    clearTimeout(this.#secondLook);
    if (next === null) return;
    this.#secondLook = setTimeout(
      () => {
        for (const name of this.#table.nextLook()?.services ?? []) this.#doubt({ kind: 'app', name });
        this.#schedule();
      },
      Math.max(10, next.at - Date.now()),
    );
  }
}
