/** The routes of a router: finds the one of a request's name, and makes it where it is not there yet. */
import { pathOfKey } from '../identify/identifier.ts';
import type { Interpreter } from '../routing/binding.ts';
import { type Dtab, EMPTY_DTAB } from '../routing/dtab.ts';
import { type Path, parsePath, showPath } from '../routing/path.ts';
import type { RequestDtab } from './request-dtab.ts';
import { Route, type RouteOptions } from './route.ts';
import type { RouteCache } from './route-cache.ts';

export interface RoutesOptions {
  readonly interpreter: Interpreter;
  readonly base: Dtab;
  /** What identifiers put before names: `/svc`. */
  readonly prefix: Path;
  readonly cache: RouteCache;
  /**
   * A host name in the one spelling that names and figures know it by; null where each spelling is a name of its own.
   */
  readonly canonical: ((host: string) => string) | null;
  /** What a route needs besides its name. */
  readonly optionsFor: (name: Path) => RouteOptions;
}

/** Not in a name, since a head with a NUL is refused; and twice, not between two of its segments. */
const BEFORE_DTAB = '\0\0';
/** Before the key of a bound name: no identifier's key begins so. */
const BOUND = '\0#';

export class Routes {
  private readonly options: RoutesOptions;

  constructor(options: RoutesOptions) {
    this.options = options;
  }

  /** The route of an identifier's key, under the request's own dtab. */
  route(written: string, { text, dtab }: Extract<RequestDtab, { kind: 'dtab' }>): Route {
    const { cache, prefix, canonical } = this.options;
    const key = canonical === null ? written : canonical(written);
    const full = text === null ? key : key + BEFORE_DTAB + text;
    return cache.get(full) ?? this.make(full, prefix.concat(pathOfKey(key)), dtab);
  }

  /** The route of a bound name, as a peer says it; null where that is no name. */
  bound(id: string): Route | null {
    const key = BOUND + id;
    const known = this.options.cache.get(key);
    if (known !== undefined) return known;
    const path = parsePath(id);
    return path === null ? null : this.make(key, path, EMPTY_DTAB);
  }

  private make(key: string, path: Path, dtab: Dtab): Route {
    const { interpreter, base, cache, optionsFor } = this.options;
    const route = new Route(showPath(path), interpreter.bind(base, dtab, path), optionsFor(path));
    if (!cache.add(key, route)) route.closeWhenUnused();
    return route;
  }
}
