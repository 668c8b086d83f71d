/**
 * A logical name and what it leads to: all that requests by this name share is put together here when the name is bound,
 * so that a request to a known name costs one look-up. Kept up to date for as long as it is observed.
 */
import type { Refusal } from '../balance/picker.ts';
import { RetryBudget } from '../resilience/budget.ts';
import type { ClassifierKind, RetryParams } from '../resilience/params.ts';
import type { RetryPolicy } from '../resilience/retries.ts';
import type { Activity, Unsubscribe } from '../routing/activity.ts';
import { Choices } from '../routing/choices.ts';
import type { BoundTree } from '../routing/evaluation.ts';
import { mapLeaves } from '../routing/name-tree.ts';
import type { BoundName } from '../routing/names.ts';
import { showPath } from '../routing/path.ts';
import { PairScope, type ScopeHome, ServiceScope } from '../telemetry/name-scopes.ts';
import type { BoundClient } from './bound-client.ts';
import type { Clients } from './clients.ts';

/** One of the clients that a name leads to, and the header lines that say so. */
export interface Branch {
  readonly client: BoundClient;
  readonly pair: PairScope;
  /** `l5d-dst-service`, `l5d-dst-client` and, where there is one, `l5d-dst-residual`, each with its CR LF. */
  readonly lines: string;
}

/** What holds for the requests by a name. */
export interface RouteParams {
  readonly classifier: ClassifierKind;
  readonly totalTimeoutMs: number;
  readonly retries: RetryParams;
}

/** What routes with the same parameters share. */
export interface RouteOptions extends RouteParams {
  readonly router: string;
  readonly clients: Clients;
  readonly scopes: ScopeHome;
  /**
   * The parameters of a name that leads to this client only, where the labels of its app say anything of them; else null.
   * Left out where there are no labels.
   */
  readonly labelled?: (logical: string, client: BoundClient) => RouteParams | null;
  readonly isFirstHop: boolean;
  readonly nodes: () => number;
  readonly now: () => number;
}

/**
 * - `pending`: the name is not bound yet.
 * - `bound`: requests go to one of its branches, by weight.
 * - `none`: it leads nowhere.
 */
type State =
  | { readonly kind: 'pending' }
  | { readonly kind: 'bound'; readonly choices: Choices<Branch> }
  | { readonly kind: 'none'; readonly refusal: Refusal };

const PENDING: State = { kind: 'pending' };

export class Route {
  // What each request looks at stands together, at the beginning: with thousands of names each is cold in the caches.
  /** Requests on their way: a name in use is not forgotten. */
  inUse = 0;
  /** Its branch, where there is just one, as for most names: so that a request looks no further. */
  private sole: Branch | null = null;
  private isOneshot = false;
  /** In which window of the reports it was told last that the name is asked for. */
  toldIn = 0;
  private current: State = PENDING;
  readonly logical: string;
  /** When a request came last, in whole milliseconds: those stand in the object itself. */
  usedAt: number;
  // These four follow the labels of the app that the name leads to; whoever serves a request reads them.
  totalTimeoutMs: number;
  budget: RetryBudget;
  classifier: ClassifierKind;
  retries: RetryPolicy;
  readonly scope: ServiceScope;
  private readonly tree: Activity<BoundTree>;
  private readonly options: RouteOptions;
  private readonly stop: Unsubscribe;
  /** Null where nobody waits, as most of the time. */
  private waiters: Set<() => void> | null;
  private params: RouteParams;
  private scopesAdded: boolean;

  /** `logical` is `/svc/web`. */
  constructor(logical: string, tree: Activity<BoundTree>, options: RouteOptions) {
    const { router, retries, nodes, now } = options;
    this.logical = logical;
    this.usedAt = Math.floor(now());
    this.totalTimeoutMs = options.totalTimeoutMs;
    this.budget = new RetryBudget(now(), nodes, retries.budget);
    this.classifier = options.classifier;
    this.options = options;
    this.retries = this.policyOf(retries);
    this.scope = new ServiceScope(router, logical, {
      budget: () => this.budget.balance(now()),
      pending: () => this.inUse - this.waiting,
    });
    this.tree = tree;
    this.params = options;
    this.waiters = null;
    this.scopesAdded = false;
    this.stop = tree.observe(() => this.changed());
    this.changed();
  }

  get isPending(): boolean {
    return this.sole === null && this.current.kind === 'pending';
  }

  get isBound(): boolean {
    return this.current.kind === 'bound';
  }

  /** A branch for one attempt; null where there is none: {@link refusal} says why. */
  draw(random: () => number): Branch | null {
    if (this.sole !== null) return this.sole;
    return this.current.kind === 'bound' ? this.current.choices.pick(random) : null;
  }

  /** All that it leads to. */
  get branches(): readonly Branch[] {
    return this.current.kind === 'bound' ? this.current.choices.leaves : [];
  }

  /** Why no branch was drawn. */
  get refusal(): Refusal {
    if (this.current.kind === 'none') return this.current.refusal;
    return { code: 'no-endpoint', detail: `${this.logical} is bound to nothing ($)` };
  }

  /** Calls back once, when the name is bound or leads nowhere. Returns how to stop that. */
  wait(listener: () => void): Unsubscribe {
    this.waiters ??= new Set();
    this.waiters.add(listener);
    return () => this.waiters?.delete(listener);
  }

  get waiting(): number {
    return this.waiters?.size ?? 0;
  }

  /** It is for one request only: there was no place for it among the others. */
  closeWhenUnused(): void {
    this.isOneshot = true;
  }

  /** Nobody follows it after all: closes it where it was for one request only. */
  notFollowed(): void {
    if (this.isOneshot && this.inUse === 0) this.close();
  }

  /** A request goes by this name. */
  taken(now: number): void {
    this.usedAt = Math.floor(now);
    this.inUse += 1;
  }

  /** A request of it is over. */
  unused(): void {
    this.inUse -= 1;
    this.notFollowed();
  }

  /** Nobody asks for it any more. */
  close(): void {
    this.stop();
    this.release(this.branches, []);
    this.become(PENDING);
    if (this.scopesAdded) this.options.scopes.remove(this.scope);
  }

  /** Clients that it leads to have been replaced, or the labels of their app say something else. */
  refresh(): void {
    this.changed();
  }

  private changed(): void {
    const before = this.branches;
    const { state } = this.tree;
    if (state.kind === 'pending') return;
    this.become(
      state.kind === 'failed'
        ? { kind: 'none', refusal: { code: 'unbound', detail: `${this.logical}: ${state.reason}` } }
        : this.bound(state.value),
    );
    this.release(before, this.branches);
    this.follow(this.labelled() ?? this.options);
    if (this.current.kind === 'bound' && !this.scopesAdded) {
      this.scopesAdded = true;
      this.options.scopes.add(this.scope);
    }
    const listeners = this.waiters ?? [];
    this.waiters = null;
    for (const listener of listeners) listener();
  }

  private become(state: State): void {
    this.current = state;
    this.sole = state.kind === 'bound' ? state.choices.only : null;
  }

  /** What the labels of an app say, where all requests go to that app. */
  private labelled(): RouteParams | null {
    const { labelled } = this.options;
    const [first, ...others] = this.branches;
    if (labelled === undefined || first === undefined) return null;
    return others.every(({ client }) => client === first.client) ? labelled(this.logical, first.client) : null;
  }

  private follow(params: RouteParams): void {
    if (params === this.params) return;
    const { retries, classifier, totalTimeoutMs } = params;
    const isSameBudget = JSON.stringify(retries.budget) === JSON.stringify(this.params.retries.budget);
    this.params = params;
    this.classifier = classifier;
    this.totalTimeoutMs = totalTimeoutMs;
    if (!isSameBudget) this.budget = new RetryBudget(this.options.now(), this.options.nodes, retries.budget);
    this.retries = this.policyOf(retries);
  }

  private policyOf({ maxRetries, backoff }: RetryParams): RetryPolicy {
    return { isFirstHop: this.options.isFirstHop, maxRetries, backoff, budget: this.budget };
  }

  private bound(tree: BoundTree): State {
    switch (tree.kind) {
      case 'neg':
      case 'fail':
        return { kind: 'none', refusal: { code: 'unknown-name', detail: this.nothing() } };
      case 'empty':
        return { kind: 'none', refusal: { code: 'no-endpoint', detail: `${this.logical} is bound to nothing ($)` } };
      default:
        return {
          kind: 'bound',
          choices: new Choices(mapLeaves(tree, (bound) => ({ kind: 'leaf', value: this.branch(bound) }))),
        };
    }
  }

  private nothing(): string {
    return `looked up ${this.logical} in the dtab of router ${this.options.router}`;
  }

  private branch(bound: BoundName): Branch {
    const { clients, scopes } = this.options;
    const client = clients.hold(bound);
    let lines = `l5d-dst-service: ${this.logical}\r\nl5d-dst-client: ${client.id}\r\n`;
    if (bound.residual.length > 0) lines += `l5d-dst-residual: ${showPath(bound.residual)}\r\n`;
    lines = inOnePiece(lines);
    // What stays as it was keeps its figures.
    const known = this.branches.find((branch) => branch.client === client && branch.lines === lines);
    if (known !== undefined) return known;
    const pair = new PairScope(client.scope, this.scope, this.options.now);
    scopes.add(pair);
    return { client, pair, lines };
  }

  private release(before: readonly Branch[], after: readonly Branch[]): void {
    const { clients, scopes } = this.options;
    for (const branch of before) {
      clients.release(branch.client);
      if (after.includes(branch)) continue;
      branch.pair.close();
      scopes.remove(branch.pair);
    }
  }
}

/**
 * The same text as one run of characters. V8 keeps what was put together as a tree of its parts, and walks it each time that it
 * is written.
 */
function inOnePiece(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1');
}
