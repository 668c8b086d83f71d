/**
 * io.l5d.marathon straight to Marathon: the list of apps is polled from the first name on, the tasks of an app while
 * somebody observes a name that leads to it. What was known once is kept as long as Marathon does not answer.
 */
import { type Activity, type ActivityState, PENDING, type Unsubscribe, Var } from '../routing/activity.ts';
import { leaf, type NameTree, NEG } from '../routing/name-tree.ts';
import type { AddressSet, Namer, NamerLeaf } from '../routing/names.ts';
import type { Path } from '../routing/path.ts';
import { type AppCandidate, appCandidates, appId, atPort } from '../routing/table-names/app-path.ts';
import { Computed } from '../routing/table-names/computed.ts';
import type { InetAddresses } from './inet.ts';
import type { MarathonApi } from './marathon-api.ts';
import { type FollowedApp, followApp } from './marathon-app.ts';
import { type PollInterval, PollLoop } from './poll-loop.ts';
import type { PollReport, PollReports } from './poll-reports.ts';

export interface MarathonNamerOptions {
  readonly prefix: Path;
  readonly api: Pick<MarathonApi, 'appIds' | 'app'>;
  readonly inet: InetAddresses;
  readonly interval: PollInterval;
  readonly useHealthCheck: boolean;
  /** Of several apps whose ids begin a path, which one is meant. linkerd takes the shortest. */
  readonly match: 'longest' | 'shortest';
  readonly reports: PollReports;
}

type Tree = NameTree<NamerLeaf>;

const NOTHING: ActivityState<Tree> = { kind: 'ok', value: NEG };

export class MarathonNamer implements Namer {
  readonly prefix: Path;
  private readonly options: MarathonNamerOptions;
  private readonly ids = new Var<ReadonlySet<string>>(PENDING);
  private stopIds: Unsubscribe | null = null;
  private closed = false;
  /** Apps that somebody observes, by id. */
  private readonly apps = new Map<string, FollowedApp>();
  private readonly idsReport: PollReport;

  constructor(options: MarathonNamerOptions) {
    this.prefix = options.prefix;
    this.options = options;
    this.idsReport = options.reports.report();
  }

  lookup(rest: Path): Activity<Tree> {
    const leafOf = (candidate: AppCandidate, app: AddressSet): Tree => {
      const residual = rest.slice(candidate.depth);
      const bound = { id: appId(this.prefix, candidate), residual, addresses: atPort(app, candidate) };
      return leaf({ kind: 'bound', bound });
    };
    const candidates = appCandidates(rest, this.options.match);
    return candidates.length === 0
      ? { state: NOTHING, observe: () => () => undefined }
      : new MarathonLookup(candidates, { ids: () => this.polledIds(), app: (id) => this.app(id), leafOf });
  }

  /** How many apps are polled. */
  get size(): number {
    return this.apps.size;
  }

  /** For people: what is known, and when Marathon said so. */
  describe(): Readonly<Record<string, unknown>> {
    const { state } = this.ids;
    const list = state.kind === 'ok' ? { state: 'ok', apps: state.value.size } : { state: state.kind };
    return {
      list: { ...list, polls: this.idsReport.describe() },
      apps: Object.fromEntries([...this.apps].map(([id, app]) => [`/${id}`, app.describe()])),
    };
  }

  /** Polls the list of apps no longer. */
  close(): void {
    this.closed = true;
    this.stopIds?.();
  }

  /** Once begun it goes on: an old list would say of a new app that there is none. */
  private polledIds(): Var<ReadonlySet<string>> {
    if (this.stopIds === null && !this.closed) {
      this.stopIds = new PollLoop(this.options.interval, (signal) => this.pollIds(signal)).start();
    }
    return this.ids;
  }

  private app(id: string): AddressSet {
    const known = this.apps.get(id);
    if (known !== undefined) return known.addresses;
    const { api, inet, interval, useHealthCheck, reports } = this.options;
    const app: FollowedApp = followApp({
      ask: (signal) => api.app(id, signal),
      inet,
      interval,
      useHealthCheck,
      report: reports.report(),
      whenObserved: () => {
        this.apps.set(id, app);
        return () => {
          if (this.apps.get(id) === app) this.apps.delete(id);
        };
      },
    });
    return app.addresses;
  }

  private async pollIds(signal: AbortSignal): Promise<void> {
    try {
      const found = await this.idsReport.of(signal, () => this.options.api.appIds(signal));
      const { state } = this.ids;
      const before = state.kind === 'ok' ? state.value : null;
      // linkerd takes an answer of another shape for an empty list. Where there was one, it is kept.
      const ids = found ?? before ?? new Set<string>();
      if (signal.aborted || (before !== null && sameMembers(before, ids))) return;
      this.ids.ok(ids);
    } catch (error) {
      if (!signal.aborted) this.ids.failed(error instanceof Error ? error.message : String(error));
    }
  }
}

interface LookupSources {
  readonly ids: () => Var<ReadonlySet<string>>;
  readonly app: (id: string) => AddressSet;
  readonly leafOf: (candidate: AppCandidate, app: AddressSet) => Tree;
}

interface Followed {
  readonly candidate: AppCandidate;
  readonly app: AddressSet;
  readonly stop: Unsubscribe;
}

/** One path: which app it means now, and whether that has addresses. */
class MarathonLookup implements Activity<Tree> {
  private readonly candidates: readonly AppCandidate[];
  private readonly sources: LookupSources;
  private readonly computed: Computed<Tree>;
  private followed: Followed | null = null;
  private bound: ActivityState<Tree> | null = null;
  private failure: { readonly kind: 'failed'; readonly reason: string } | null = null;
  private readonly refresh = (): void => this.computed.refresh();

  constructor(candidates: readonly AppCandidate[], sources: LookupSources) {
    this.candidates = candidates;
    this.sources = sources;
    this.computed = new Computed<Tree>(
      () => this.compute(),
      () => {
        const stop = sources.ids().observe(this.refresh);
        return () => {
          stop();
          this.follow(null);
        };
      },
    );
  }

  get state(): ActivityState<Tree> {
    return this.computed.isObserved ? this.computed.state : PENDING;
  }

  observe(listener: () => void): Unsubscribe {
    return this.computed.observe(listener);
  }

  private compute(): ActivityState<Tree> {
    const ids = this.sources.ids().state;
    if (ids.kind === 'pending') return PENDING;
    if (ids.kind === 'failed') return this.failed(ids.reason);
    const candidate = this.candidates.find(({ app }) => ids.value.has(app)) ?? null;
    this.follow(candidate);
    if (this.followed === null) return NOTHING;
    const { state } = this.followed.app;
    if (state.kind === 'pending') return PENDING;
    if (state.kind === 'failed') return this.failed(state.reason);
    // Without addresses the name is Neg, so that a dtab's other choice is taken.
    if (state.kind === 'neg' || state.endpoints.length === 0) return NOTHING;
    this.bound ??= { kind: 'ok', value: this.sources.leafOf(this.followed.candidate, this.followed.app) };
    return this.bound;
  }

  /** Keeps an eye on the addresses of this app, and of no other. */
  private follow(candidate: AppCandidate | null): void {
    if (candidate === (this.followed?.candidate ?? null)) return;
    this.followed?.stop();
    this.followed = null;
    this.bound = null;
    if (candidate === null) return;
    const app = this.sources.app(candidate.app);
    this.followed = { candidate, app, stop: app.observe(this.refresh) };
  }

  private failed(reason: string): ActivityState<Tree> {
    if (this.failure?.reason !== reason) this.failure = { kind: 'failed', reason };
    return this.failure;
  }
}

function sameMembers(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  return a.size === b.size && [...a].every((each) => b.has(each));
}
