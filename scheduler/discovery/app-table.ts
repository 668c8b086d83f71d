/**
 * Marathon's apps as they were last seen, and the rules for believing a new answer: content from REST wins, an answer
 * without news changes nothing, a missing health result does not unseat an instance that was healthy a moment ago, and
 * a list that suddenly lacks most apps is held until a second one agrees. Pure: time is passed in.
 */
import {
  type MarathonApp,
  type MarathonInstance,
  readMarathonApp,
} from '../../agent-proxy/routing/marathon-endpoints.ts';

/**
 * Marathon forgets the results of its own health checks when it restarts. An instance that was healthy keeps its traffic
 * this long while there is no new result.
 */
const RESULT_GRACE_MS = 60_000;
/** A list that loses at least this many apps with instances, and at least half of them, needs a second opinion. */
const SUSPICIOUS_LOSS = 3;

interface Known {
  readonly app: MarathonApp;
  readonly json: string;
  /** Instances that were healthy and have no result now: until when they are believed. By task id. */
  readonly believedUntil: ReadonlyMap<string, number>;
}

export type ListOutcome =
  | { readonly kind: 'applied'; readonly changed: readonly string[] }
  /** Not believed yet: ask again. */
  | { readonly kind: 'held'; readonly lost: number; readonly had: number };

export class AppTable {
  readonly #apps = new Map<string, Known>();
  #suspected = false;

  /** By service name. */
  get(name: string): MarathonApp | undefined {
    return this.#apps.get(name)?.app;
  }

  names(): string[] {
    return [...this.#apps.keys()];
  }

  /** The answer to `GET /v2/apps`. Names of services that are different now, in `changed`. */
  applyList(documents: readonly unknown[], now: number): ListOutcome {
    const fresh = new Map<string, MarathonApp>();
    for (const document of documents) {
      const app = readMarathonApp(document);
      if (app !== null) fresh.set(app.name, app);
    }
    const had = [...this.#apps.values()].filter((known) => known.app.instances.length > 0);
    const lost = had.filter((known) => (fresh.get(known.app.name)?.instances.length ?? 0) === 0).length;
    const suspicious = lost >= SUSPICIOUS_LOSS && lost * 2 >= had.length;
    if (suspicious && !this.#suspected) {
      this.#suspected = true;
      return { kind: 'held', lost, had: had.length };
    }
    this.#suspected = false;
    const changed: string[] = [];
    for (const name of this.#apps.keys()) {
      if (!fresh.has(name)) changed.push(name);
    }
    for (const name of changed) this.#apps.delete(name);
    for (const app of fresh.values()) if (this.#put(app, now)) changed.push(app.name);
    return { kind: 'applied', changed };
  }

  /** The answer to `GET /v2/apps/<id>`; null: it does not exist. True when the service is different now. */
  applyApp(name: string, document: unknown, now: number): boolean {
    if (document === null) return this.#apps.delete(name);
    const app = readMarathonApp(document);
    // An answer about something else, or one that is no app, says nothing about this one.
    if (app === null || app.name !== name) return false;
    return this.#put(app, now);
  }

  /** Ends beliefs whose time is over. Names of services that are different now. */
  expire(now: number): string[] {
    const changed: string[] = [];
    for (const { app, believedUntil } of this.#apps.values()) {
      const over = [...believedUntil.values()].some((until) => until <= now);
      if (over && this.#put(app, now)) changed.push(app.name);
    }
    return changed;
  }

  /** When `expire` has something to do; null when nothing is believed. */
  nextExpiry(): number | null {
    let next: number | null = null;
    for (const { believedUntil } of this.#apps.values()) {
      for (const until of believedUntil.values()) next = next === null ? until : Math.min(next, until);
    }
    return next;
  }

  #put(seen: MarathonApp, now: number): boolean {
    const before = this.#apps.get(seen.name);
    const believedUntil = new Map<string, number>();
    const instances = seen.instances.map((instance): MarathonInstance => {
      if (instance.health !== 'unknown') return instance;
      const until =
        before?.believedUntil.get(instance.taskId) ?? (wasPassing(before, instance) ? now + RESULT_GRACE_MS : 0);
      if (until <= now) return { ...instance, state: 'unhealthy' };
      believedUntil.set(instance.taskId, until);
      return { ...instance, state: 'ready' };
    });
    const app = { ...seen, instances };
    const json = JSON.stringify(app);
    this.#apps.set(seen.name, { app, json, believedUntil });
    return json !== before?.json;
  }
}

function wasPassing(before: Known | undefined, instance: MarathonInstance): boolean {
  return before?.app.instances.some((each) => each.taskId === instance.taskId && each.health === 'passing') ?? false;
}
