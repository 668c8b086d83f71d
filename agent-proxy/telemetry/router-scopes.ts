/** The scopes that a process or a router has a few of, besides its listeners and its names. */

import { type Gauges, gaugeScope } from './gauge-scope.ts';
import type { Labels, MetricScope } from './metrics-tree.ts';
import type { FigureVisitor } from './recorder.ts';

/** A cache of bindings: of paths (with what resolves them), or of clients. */
export class BindCacheScope implements MetricScope {
  readonly path: string;
  readonly name: string;
  readonly labels: Labels;
  /** Names that were not in the cache. */
  misses = 0;
  /** Entries that made room for another; and those that nobody had used for long. */
  evicts = 0;
  expires = 0;
  /** Names that were bound for one request, because the cache was full of names in use. */
  oneshots = 0;

  constructor(router: string, cache: 'path' | 'client') {
    this.path = `rt/${router}/bindcache/${cache}`;
    this.name = `rt:bindcache:${cache}`;
    this.labels = { rt: router };
  }

  visit(visitor: FigureVisitor): void {
    visitor.counter('misses', this.misses);
    visitor.counter('evicts', this.evicts);
    visitor.counter('expires', this.expires);
    visitor.counter('oneshots', this.oneshots);
  }
}

/** Figures of a router's interpreter: `rt/<router>/interpreter`. */
export function interpreterScope(router: string, read: () => Gauges): MetricScope {
  return gaugeScope(`rt/${router}/interpreter`, 'rt:interpreter', { rt: router }, read);
}

/** Figures of a namer, by its prefix below `/#`: `namer/#/io.l5d.marathon`. */
export function namerScope(prefix: string, read: () => Gauges): MetricScope {
  const path = `namer/#/${prefix.replace(/^\//, '')}`;
  return gaugeScope(path, path.replace(/\//g, ':'), {}, read);
}
