/**
 * Routes by name, bounded: names come from clients, so there is no end to them. What has not been asked for longest makes
 * room, and what nobody asks for is forgotten. Names that lead nowhere have a place of their own, so that a scan for
 * names does not push out those in use.
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

export class RouteCache {
  private readonly options: RouteCacheOptions;
  private readonly bound = new Map<string, Route>();
  private readonly unbound = new Map<string, Route>();

  constructor(options: RouteCacheOptions) {
    this.options = options;
  }

  get size(): number {
    return this.bound.size + this.unbound.size;
  }

  get(key: string): Route | undefined {
    return this.bound.get(key) ?? this.unbound.get(key);
  }

  routes(): Iterable<Route> {
    return this.bound.values();
  }

  /** Keeps a route that was just made. False where there is no room: it is for one request, and closed by its user. */
  add(key: string, route: Route): boolean {
    const { figures, capacity } = this.options;
    figures.misses += 1;
    const map = route.isBound ? this.bound : this.unbound;
    if (map.size >= capacity && !this.evict(map)) {
      figures.oneshots += 1;
      return false;
    }
    map.set(key, route);
    return true;
  }

  /** Forgets what has been idle for long, and puts each route where it belongs by now. */
  sweep(): void {
    const { now, idleMs, figures } = this.options;
    const before = now() - idleMs;
    for (const map of [this.bound, this.unbound]) {
      for (const [key, route] of map) {
        if (route.inUse > 0 || route.waiting > 0) continue;
        if (route.usedAt < before) {
          map.delete(key);
          route.close();
          figures.expires += 1;
        } else {
          this.settle(key, route, map);
        }
      }
    }
  }

  close(): void {
    for (const map of [this.bound, this.unbound]) {
      for (const route of map.values()) route.close();
      map.clear();
    }
  }

  /** A name that was bound or lost since it came. */
  private settle(key: string, route: Route, map: Map<string, Route>): void {
    const home = route.isBound ? this.bound : this.unbound;
    if (home === map || home.size >= this.options.capacity) return;
    map.delete(key);
    home.set(key, route);
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
    map.delete(victim[0]);
    victim[1].close();
    this.options.figures.evicts += 1;
    return true;
  }
}
