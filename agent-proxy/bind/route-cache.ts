/**
 * Routes by name, bounded: names come from clients, so there is no end to them. What has not been asked for longest makes
 * room, and what nobody asks for is forgotten. Names that lead nowhere have a place of their own, so that a scan for
 * names does not push out those in use.
 *
 * Nor does a scan of names that all lead somewhere: once an eighth of the room is taken, a new name is on trial among a few
 * others until it is asked for again, and is still known by name for a while after that (Johnson and Shasha's 2Q). That
 * keeps the names in use, and those that are asked for once die young, before they are old enough to cost the collector a
 * walk through all memory.
 */
import type { BindCacheScope } from '../telemetry/router-scopes.ts';
import type { Route } from './route.ts';

export interface RouteCacheOptions {
  readonly capacity: number;
  /** A name that was not asked for during this time is forgotten, milliseconds. */
  readonly idleMs: number;
  readonly now: () => number;
  readonly figures: BindCacheScope;
}

/** How many of the oldest entries are looked at for one to forget: a few are enough to find one that is not in use. */
const LOOKED_AT = 16;
/** Of the room for names, what those on trial have; and how much of it has to be taken before there are trials. */
const TRIAL_PART = 1 / 16;
const TAKEN_PART = 1 / 8;

export class RouteCache {
  private readonly options: RouteCacheOptions;
  private readonly bound: Names;
  private readonly unbound: Names;

  constructor(options: RouteCacheOptions) {
    this.options = options;
    this.bound = new Names(options.capacity, options.figures);
    this.unbound = new Names(options.capacity, options.figures);
  }

  get size(): number {
    return this.bound.size + this.unbound.size;
  }

  get(key: string): Route | undefined {
    return this.bound.get(key) ?? this.unbound.get(key);
  }

  /** Keeps a route that was just made. False where there is no room: it is for one request, and closed by its user. */
  add(key: string, route: Route): boolean {
    const { figures } = this.options;
    figures.misses += 1;
    const isKept = (route.isBound ? this.bound : this.unbound).add(key, route);
    if (!isKept) figures.oneshots += 1;
    return isKept;
  }

  *all(): Iterable<Route> {
    for (const names of [this.bound, this.unbound]) for (const [, route] of names.all()) yield route;
  }

  /** Forgets what has been idle for long, and puts each route where it belongs by now. */
  sweep(): void {
    const { now, idleMs, figures } = this.options;
    const before = now() - idleMs;
    for (const names of [this.bound, this.unbound]) {
      for (const [key, route] of names.all()) {
        if (route.inUse > 0 || route.waiting > 0) continue;
        if (route.usedAt < before) {
          names.delete(key);
          route.close();
          figures.expires += 1;
        } else {
          this.settle(key, route, names);
        }
      }
    }
  }

  close(): void {
    this.bound.close();
    this.unbound.close();
  }

  /** A name that was bound or lost since it came. */
  private settle(key: string, route: Route, names: Names): void {
    const home = route.isBound ? this.bound : this.unbound;
    if (home === names || home.isFull) return;
    names.delete(key);
    home.keep(key, route);
  }
}

/** Names of one kind. */
class Names {
  private readonly figures: BindCacheScope;
  private readonly capacity: number;
  private readonly trials: number;
  private readonly kept = new Map<string, Route>();
  private readonly onTrial = new Map<string, Route>();
  /** The last names whose trial ended before they were asked for again. */
  private readonly tried = new Set<string>();

  constructor(capacity: number, figures: BindCacheScope) {
    this.figures = figures;
    this.trials = Math.floor(capacity * TRIAL_PART);
    this.capacity = capacity - this.trials;
  }

  get size(): number {
    return this.kept.size + this.onTrial.size;
  }

  get isFull(): boolean {
    return this.kept.size >= this.capacity;
  }

  get(key: string): Route | undefined {
    return this.kept.get(key) ?? this.askedAgain(key);
  }

  /** False where there is no room. */
  add(key: string, route: Route): boolean {
    const hasRoom = this.trials === 0 || this.kept.size < this.capacity * TAKEN_PART;
    if (hasRoom || this.tried.delete(key)) return this.keep(key, route);
    // Where all of those on trial are in use at once, it is not a scan.
    return this.put(this.onTrial, this.trials, key, route) || this.keep(key, route);
  }

  keep(key: string, route: Route): boolean {
    return this.put(this.kept, this.capacity, key, route);
  }

  *all(): Iterable<[string, Route]> {
    yield* this.kept;
    yield* this.onTrial;
  }

  delete(key: string): void {
    if (!this.kept.delete(key)) this.onTrial.delete(key);
  }

  close(): void {
    for (const [, route] of this.all()) route.close();
    this.kept.clear();
    this.onTrial.clear();
    this.tried.clear();
  }

  private askedAgain(key: string): Route | undefined {
    const route = this.onTrial.get(key);
    // Where all that is kept is in use, it stays on trial.
    if (route !== undefined && this.keep(key, route)) this.onTrial.delete(key);
    return route;
  }

  private put(map: Map<string, Route>, most: number, key: string, route: Route): boolean {
    if (map.size >= most && !this.evict(map)) return false;
    map.set(key, route);
    return true;
  }

  /** Makes room: the least recently used of the oldest few. Those that were used since go to the end of the line. */
  private evict(map: Map<string, Route>): boolean {
    const oldest: [string, Route][] = [];
    for (const entry of map) {
      oldest.push(entry);
      if (oldest.length === LOOKED_AT) break;
    }
    let victim: [string, Route] | null = null;
    for (const entry of oldest) {
      const [, route] = entry;
      if (route.inUse > 0 || route.waiting > 0) continue;
      if (victim === null || route.usedAt < victim[1].usedAt) victim = entry;
    }
    for (const entry of oldest) {
      if (entry === victim) continue;
      map.delete(entry[0]);
      map.set(entry[0], entry[1]);
    }
    if (victim === null) return false;
    const [key, route] = victim;
    map.delete(key);
    route.close();
    this.figures.evicts += 1;
    if (map === this.onTrial) this.remember(key);
    return true;
  }

  private remember(key: string): void {
    this.tried.add(key);
    if (this.tried.size <= this.capacity) return;
    const [oldest] = this.tried;
    if (oldest !== undefined) this.tried.delete(oldest);
  }
}
