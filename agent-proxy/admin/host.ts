/** What the admin server shows and does: the one interface between it and the proxy. */
import type { Announce } from '../control/contract.ts';
import type { MetricsQuery } from '../telemetry/json-tree.ts';
import type { RecentRow } from '../telemetry/recent-requests.ts';
import type { AccessGuard } from './authorization.ts';

export interface AdminHost {
  readonly guard: AccessGuard;

  /** One sentence where the proxy is not ready, else null. */
  notReady(): string | null;
  /** Name, version, process id, uptime and the like. */
  serverInfo(): Readonly<Record<string, string | number>>;
  /** The configuration as it runs. Secrets are masked by the server. */
  config(): unknown;
  shutdown(): void;

  /** Each piece is good until the next is asked for. */
  prometheus(): AsyncIterable<Uint8Array>;
  /** Null when there is no such subtree. */
  metricsJson(query: MetricsQuery): Promise<AsyncIterable<string> | null>;
  /** Null where no telemeter keeps them. The last one first. */
  recentRequests(): readonly RecentRow[] | Promise<readonly RecentRow[]> | null;

  /** The services and agents that a scheduler told of, as JSON. */
  table(): AsyncIterable<string>;
  /** The names that namers can list, sorted. */
  boundNames(): Promise<readonly string[]>;
  /** How a name is rewritten. The signal says that nobody waits for the answer any more. */
  delegate(question: DelegateQuestion, signal: AbortSignal): Promise<DelegateAnswer>;
  /** Each client by its name, with plain JSON: endpoints, their load, whether they are marked dead. Read in slices. */
  clientState(): Iterable<readonly [string, unknown]> | AsyncIterable<readonly [string, unknown]>;
  /** What a namer last heard, as plain JSON, by its prefix (`io.l5d.marathon`); null where there is no such namer. */
  namerState(prefix: string): unknown;
  /** The same of an interpreter, by what names it (`default`, a router's label); null where there is no such one. */
  interpreterState(name: string): unknown;

  readonly logging: Logging;
  /** Whether the sender of an announcement knows what only our scheduler does. Null where that is not asked: the guard decides. */
  isOurScheduler: ((authorization: string | undefined, body: string) => boolean) | null;
  /** A scheduler says where it is. Null without one. */
  announce: ((announce: Announce) => { accepted: true } | { accepted: false; highest: number }) | null;
}

export interface DelegateQuestion {
  /** The label of a router, which linkerd's callers give as `namespace`; null: the first router. */
  readonly router: string | null;
  readonly path: string;
  /** Stands before the router's own; may be empty. */
  readonly dtab: string;
}

/** 400: path or dtab cannot be read; 404: no such router; 501: its interpreter cannot say. */
export type DelegateAnswer =
  | { readonly kind: 'tree'; readonly tree: unknown }
  | { readonly kind: 'refused'; readonly status: 400 | 404 | 501 | 503; readonly why: string };

export interface Logging {
  list(): readonly { readonly logger: string; readonly level: string }[];
  /** Returns one sentence where there is no such logger or level, else null. */
  set(logger: string, level: string): string | null;
}
