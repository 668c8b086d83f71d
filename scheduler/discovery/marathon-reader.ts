/**
 * Marathon's answers as apps: all apps and pods, or the one of a name, whichever it is. What cannot be read is left out
 * with its reason, and costs the others nothing.
 */
import { type MarathonApp, readMarathonApp } from '../../agent-proxy/routing/marathon-endpoints.ts';
import type { AppTable } from './app-table.ts';
import { type MarathonClient, MarathonError } from './marathon-client.ts';
import type { PodSpec, PodStatus } from './pod-document.ts';
import { missingSpecs, readPod, readPodSpec, readPodStatus } from './pods.ts';

export type OneAnswer =
  /** Undefined: there is neither an app nor a pod of this name. */
  | { readonly kind: 'read'; readonly app: MarathonApp | undefined }
  /** It says nothing that can be read: what was known stays. */
  | { readonly kind: 'odd' };

export interface Everything {
  /** By name. What is absent does not exist. */
  readonly apps: ReadonlyMap<string, MarathonApp>;
  /** How long it took Marathon to answer, without the time that reading it took. */
  readonly tookMs: number;
}

/** Documents without a usable name that are told of. */
const MOST_NAMELESS = 20;
const ODD = 'Marathon answers for it with something that is no app of this name; what was known of it stays';
const NAMELESS = 'it has no id that can be read';

export class MarathonReader {
  readonly #client: MarathonClient;
  readonly #table: Pick<AppTable, 'get' | 'apps'>;
  /** Why an app as a whole is left out, by its name. */
  readonly #odd = new Map<string, string>();
  /** Definitions of pods that have changed since, by path; those that instances need. */
  #specs = new Map<string, PodSpec>();

  constructor(client: MarathonClient, table: Pick<AppTable, 'get' | 'apps'>) {
    this.#client = client;
    this.#table = table;
  }

  /** All apps and pods. @throws {MarathonError} */
  async everything(signal: AbortSignal): Promise<Everything> {
    const startedAt = performance.now();
    let readingMs = 0;
    const read = (document: unknown): MarathonApp | null => {
      const before = performance.now();
      const app = this.#app(document);
      readingMs += performance.now() - before;
      return app;
    };
    const fresh = new Map<string, MarathonApp>();
    const odd = new Map<string, string>();
    const take = (app: MarathonApp | null): void => {
      if (app !== null) {
        fresh.set(app.name, app);
        return;
      }
      // Of a document with an id everything else may be odd.
      if (odd.size < MOST_NAMELESS) odd.set(`(without a name, ${odd.size + 1})`, NAMELESS);
    };
    for await (const document of this.#client.apps(signal)) take(read(document));
    const specs = new Map<string, PodSpec>();
    const pods = this.#client.pods(signal);
    let next = await pods.next();
    for (; next.done !== true; next = await pods.next()) {
      const pod = readPodStatus(next.value);
      take(pod === null ? null : await this.#pod(pod, specs, signal));
    }
    // A Marathon without pods has never had any: something else has answered.
    if (!next.value) this.#refuseLossOfPods();
    this.#specs = specs;
    this.#odd.clear();
    for (const [name, reason] of odd) this.#odd.set(name, reason);
    return { apps: fresh, tookMs: performance.now() - startedAt - readingMs };
  }

  /** @throws {MarathonError} */
  async one(name: string, signal: AbortSignal): Promise<OneAnswer> {
    const isPod = this.#table.get(name)?.kind === 'pod';
    // An event does not say which of the two it is about.
    const answer = isPod
      ? ((await this.#onePod(name, signal)) ?? (await this.#oneApp(name, signal)))
      : ((await this.#oneApp(name, signal)) ?? (await this.#onePod(name, signal)));
    if (answer?.kind === 'odd') this.#odd.set(name, ODD);
    else this.#odd.delete(name);
    return answer ?? { kind: 'read', app: undefined };
  }

  /** Why an app, or some of its instances, are left out, by name. */
  skipped(): ReadonlyMap<string, string> {
    const reasons = new Map<string, string>();
    for (const { name, leftOut } of this.#table.apps()) {
      const [first] = leftOut;
      if (first === undefined) continue;
      const others = leftOut.length === 1 ? '' : `, and ${leftOut.length - 1} more are left out`;
      reasons.set(name, `task ${first.taskId} ${first.reason}${others}`);
    }
    for (const [name, reason] of this.#odd) reasons.set(name, reason);
    return reasons;
  }

  async #oneApp(name: string, signal: AbortSignal): Promise<OneAnswer | null> {
    const document = await this.#client.app(name, signal);
    return document === null ? null : ofName(name, this.#app(document));
  }

  async #onePod(name: string, signal: AbortSignal): Promise<OneAnswer | null> {
    const document = await this.#client.pod(name, signal);
    if (document === null) return null;
    const pod = readPodStatus(document);
    return ofName(name, pod === null ? null : await this.#pod(pod, this.#specs, signal));
  }

  #app(document: unknown): MarathonApp | null {
    const name = nameIn(document);
    const known = name === null ? undefined : this.#table.get(name);
    return readMarathonApp(document, (taskId) => known?.instances.find((instance) => instance.taskId === taskId));
  }

  async #pod(pod: PodStatus, specs: Map<string, PodSpec>, signal: AbortSignal): Promise<MarathonApp> {
    for (const reference of missingSpecs(pod)) {
      if (specs.has(reference)) continue;
      const spec = this.#specs.get(reference) ?? (await this.#spec(reference, signal));
      if (spec !== null) specs.set(reference, spec);
    }
    const known = this.#table.get(pod.id.replace(/^\//, ''));
    return readPod(pod, specs, (id) => known?.instances.find((instance) => instance.taskId === id));
  }

  /** Null where it cannot be had: that is a matter of this pod, and stops no other. */
  async #spec(reference: string, signal: AbortSignal): Promise<PodSpec | null> {
    try {
      return readPodSpec(await this.#client.podSpec(reference, signal));
    } catch (error) {
      if (signal.aborted || !(error instanceof MarathonError)) throw error;
      return null;
    }
  }

  #refuseLossOfPods(): void {
    for (const { kind, name } of this.#table.apps()) {
      if (kind === 'pod')
        throw new Error(`Marathon answered 404 to the question for pods, and has had the pod ${name}`);
    }
  }
}

/** An answer about something else says nothing about this one. */
function ofName(name: string, app: MarathonApp | null): OneAnswer {
  return app === null || app.name !== name ? { kind: 'odd' } : { kind: 'read', app };
}

function nameIn(document: unknown): string | null {
  const id: unknown = typeof document === 'object' && document !== null ? Reflect.get(document, 'id') : undefined;
  return typeof id === 'string' ? id.replace(/^\//, '').slice(0, 200) || null : null;
}
