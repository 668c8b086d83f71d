/**
 * A Marathon's apps and pods as they were last seen, and the rules for believing a new answer: content from REST wins, an
 * answer without news changes nothing, a missing health result does not unseat an instance that was healthy a moment ago,
 * and a loss of too many endpoints at once is held until a second look agrees. Whatever happens to one app costs the work
 * for one app. Pure: time is passed in.
 */
import type { MarathonApp, MarathonInstance } from '../../agent-proxy/routing/marathon-endpoints.ts';
import { AgentIndex } from './agent-index.ts';
import { Announcements } from './announcements.ts';
import { type Beliefs, NO_BELIEFS, withBeliefs } from './beliefs.ts';
import { HeldLosses } from './held-losses.ts';
import { LossGuard } from './loss-guard.ts';
import { NO_SECOND_LOOK, type SecondLook } from './second-look.ts';

/** Tasks that Mesos has said to be gone before Marathon did; more than these are in no answer any more. */
const MAX_GONE = 10_000;

interface Known {
  /** As Marathon showed it last. */
  readonly seen: MarathonApp;
  /** Instances that it does not show any more, and that are kept. */
  readonly kept: readonly MarathonInstance[];
  /** What is true as far as we know. */
  readonly app: MarathonApp;
  readonly json: string;
  readonly beliefs: Beliefs;
}

/** What became of an answer about one app. */
export interface Applied {
  readonly changed: boolean;
  /** So many of its endpoints are kept, though the answer lacks them. */
  readonly held: number;
}

export interface AppTableOptions {
  /** Between an answer that lacks too many endpoints and Marathon's second answer that is believed. */
  readonly confirmMs: number;
  readonly secondLook?: SecondLook | undefined;
}

export class AppTable {
  readonly announcements = new Announcements();
  readonly #apps = new Map<string, Known>();
  readonly #agents = new AgentIndex();
  readonly #guard = new LossGuard();
  readonly #held: HeldLosses;
  /** When a belief about one of its instances ends, by name: only of apps that have one. */
  readonly #expiries = new Map<string, number>();
  readonly #gone = new Set<string>();
  /** All endpoints. */
  #size = 0;

  constructor({ confirmMs, secondLook = NO_SECOND_LOOK }: AppTableOptions) {
    this.#held = new HeldLosses(confirmMs, secondLook);
  }

  /** By service name. */
  get(name: string): MarathonApp | undefined {
    return this.#apps.get(name)?.app;
  }

  names(): string[] {
    return [...this.#apps.keys()];
  }

  *apps(): IterableIterator<MarathonApp> {
    for (const { app } of this.#apps.values()) yield app;
  }

  /** Services that have an instance on this agent. */
  namesOn(agentId: string): Iterable<string> {
    return this.#agents.servicesOn(agentId);
  }

  /** How many endpoints are there only because nobody has confirmed that they are not. */
  get held(): number {
    return this.#held.size;
  }

  /** When to look again at what is held, and at which apps. */
  nextLook(): { readonly at: number; readonly services: readonly string[] } | null {
    return this.#held.nextLook();
  }

  /** Whether these answers together lack more than can be believed. What is absent in `fresh` does not exist. */
  isSuspicious(fresh: ReadonlyMap<string, MarathonApp>, now: number): boolean {
    let lost = 0;
    for (const name of this.#apps.keys()) lost += this.#surprises(name, fresh.get(name), now);
    return this.#guard.isTooMany(lost, this.#size, now);
  }

  /** The answer about one app, or undefined where there is none of this name any more. */
  apply(name: string, fresh: MarathonApp | undefined, now: number): Applied {
    const lost = this.#surprises(name, fresh, now);
    return this.applyAs(name, fresh, now, this.#guard.isTooMany(lost, this.#size, now));
  }

  /** The same where it is known already whether its losses are believed. */
  applyAs(name: string, fresh: MarathonApp | undefined, now: number, isSuspicious: boolean): Applied {
    const before = this.#apps.get(name);
    const lost = this.#surprises(name, fresh, now);
    const kept = missing(before, fresh).filter((instance) => {
      const wasHeld = this.#held.has(instance.taskId);
      if (!wasHeld && (!isSuspicious || lost === 0)) return false;
      if (this.#isExplained(before, fresh, name, now)) return false;
      return this.#held.keep(name, instance, now);
    });
    if (!isSuspicious) this.#guard.note(lost, now);
    const stays = new Set(kept.map(({ taskId }) => taskId));
    for (const { taskId } of before?.kept ?? []) if (!stays.has(taskId)) this.#held.release(taskId);
    if (this.#gone.size > 0) this.#forgetGone(before, fresh);
    const seen = fresh ?? (kept.length > 0 && before !== undefined ? { ...before.seen, instances: [] } : undefined);
    if (seen === undefined) return { changed: this.#remove(name), held: 0 };
    return { changed: this.#put(name, seen, kept, now), held: kept.length };
  }

  /**
   * Mesos says that a task has ended. Its instance goes at once, and does not come back with an answer of Marathon that is
   * older than that. The service that is different now.
   */
  taskGone(taskId: string, agentId: string, now: number): string | null {
    for (const name of this.#agents.servicesOn(agentId)) {
      const known = this.#apps.get(name);
      const instance = known?.app.instances.find((each) => isTask(each, taskId));
      if (known === undefined || instance === undefined) continue;
      this.#gone.add(instance.taskId);
      for (const oldest of this.#gone) {
        if (this.#gone.size <= MAX_GONE) break;
        this.#gone.delete(oldest);
      }
      this.#held.release(instance.taskId);
      const kept = known.kept.filter((each) => each !== instance);
      return this.#put(name, known.seen, kept, now) ? name : null;
    }
    return null;
  }

  /** Ends beliefs whose time is over. Names of services that are different now. */
  expire(now: number): string[] {
    const over = [...this.#expiries].filter(([, at]) => at <= now).map(([name]) => name);
    return over.filter((name) => {
      const known = this.#apps.get(name);
      return known !== undefined && this.#put(name, known.seen, known.kept, now);
    });
  }

  /** When `expire` has something to do; null when nothing is believed. */
  nextExpiry(): number | null {
    let next: number | null = null;
    for (const at of this.#expiries.values()) next = next === null ? at : Math.min(next, at);
    return next;
  }

  /** How many endpoints of an app this answer takes away that nobody has announced. */
  #surprises(name: string, fresh: MarathonApp | undefined, now: number): number {
    const before = this.#apps.get(name);
    const lost = missing(before, fresh).filter(
      (instance) => instance.state !== 'draining' && !this.#held.has(instance.taskId),
    );
    if (lost.length === 0 || this.#isExplained(before, fresh, name, now)) return 0;
    const known = idsOf(before?.app.instances);
    const gained = (fresh?.instances ?? []).filter(({ taskId }) => !known.has(taskId)).length;
    const net = lost.length - gained;
    return net <= 0 ? 0 : Math.min(net, lost.filter((instance) => this.#held.isGone(instance) !== 'gone').length);
  }

  /** A deployment is under way, was announced, or has been: the definition is another one. */
  #isExplained(before: Known | undefined, fresh: MarathonApp | undefined, name: string, now: number): boolean {
    if (before?.seen.deploying || fresh?.deploying) return true;
    if (fresh !== undefined && fresh.version !== before?.seen.version) return true;
    return this.announcements.isExpected(name, now);
  }

  #put(name: string, seen: MarathonApp, kept: readonly MarathonInstance[], now: number): boolean {
    const before = this.#apps.get(name);
    const listed = seen.instances.filter(({ taskId }) => !this.#gone.has(taskId));
    const { instances, beliefs } = withBeliefs(listed, before?.app.instances ?? [], before?.beliefs ?? NO_BELIEFS, now);
    const all = withoutReplaced(instances, seen.wanted).concat(kept);
    all.sort((a, b) => (a.taskId < b.taskId ? -1 : 1));
    const app = { ...seen, instances: all };
    // What nobody is told of makes no change.
    const json = JSON.stringify([app.labels, app.instances]);
    this.#apps.set(name, { seen, kept, app, json, beliefs });
    this.#agents.set(name, all);
    this.#size += all.length - (before?.app.instances.length ?? 0);
    if (beliefs.nextEnd === null) this.#expiries.delete(name);
    else this.#expiries.set(name, beliefs.nextEnd);
    return json !== before?.json;
  }

  /** What Marathon shows no more need not be left out of its answers any longer. */
  #forgetGone(before: Known | undefined, fresh: MarathonApp | undefined): void {
    const listed = idsOf(fresh?.instances);
    for (const { taskId } of before?.seen.instances ?? []) if (!listed.has(taskId)) this.#gone.delete(taskId);
  }

  #remove(name: string): boolean {
    this.#size -= this.#apps.get(name)?.app.instances.length ?? 0;
    this.#agents.set(name, []);
    this.#expiries.delete(name);
    return this.#apps.delete(name);
  }
}

/** Instances that were known and are not in the answer; one of which it says that it has ended is no surprise. */
function missing(before: Known | undefined, fresh: MarathonApp | undefined): MarathonInstance[] {
  if (before === undefined || before.app.instances.length === 0) return [];
  const listed = idsOf(fresh?.instances);
  return before.app.instances.filter(({ taskId }) => !listed.has(taskId) && !fresh?.ended.has(taskId));
}

function idsOf(instances: readonly MarathonInstance[] = []): ReadonlySet<string> {
  return new Set(instances.map(({ taskId }) => taskId));
}

/** One that Mesos has lost sight of is not needed when Marathon has put another in its place. */
function withoutReplaced(instances: readonly MarathonInstance[], wanted: number | null): MarathonInstance[] {
  const ready = instances.filter(({ state }) => state === 'ready').length;
  const isReplaced = wanted !== null && ready >= Math.max(1, wanted);
  return instances.filter(({ state }) => !isReplaced || state !== 'suspect');
}

/** A pod's instance ends with any of its tasks, whose ids begin with its own. */
function isTask(instance: MarathonInstance, taskId: string): boolean {
  return taskId === instance.taskId || taskId === instance.mesosTaskId || taskId.startsWith(`${instance.taskId}.`);
}
