/**
 * The tree of metrics, with linkerd's names: `rt/<router>/server/<ip>/<port>/requests` and so on. A scope is a node that
 * holds figures; the tree is walked in slices when somebody reads it. The number of scopes is bounded.
 */
import type { FigureVisitor } from './recorder.ts';

export type Labels = Readonly<Record<string, string>>;

export interface MetricScope {
  /** Where the scope is in the tree, without a leading slash: `rt/outgoing/service/svc/web`. */
  readonly path: string;
  /** The Prometheus name of the scope, segments joined by a colon and without what became a label: `rt:service`. */
  readonly name: string;
  readonly labels: Labels;
  visit(visitor: FigureVisitor): void;
}

/** Whatever can be rendered: the tree of this process, or that of several. */
export interface ScopeSource {
  /** Each scope in turn. Between two scopes the reader may let the loop go on. */
  read(): Iterable<MetricScope>;
}

const MAX_SCOPES = 20_000;

export class MetricsTree implements ScopeSource {
  private readonly scopes = new Map<string, MetricScope>();
  /** Scopes that were not added because the tree is full. */
  overflow = 0;

  /** Adds a scope; one of the same path is replaced. False when the tree is full. */
  add(scope: MetricScope): boolean {
    if (this.scopes.size >= MAX_SCOPES && !this.scopes.has(scope.path)) {
      this.overflow += 1;
      return false;
    }
    this.scopes.set(scope.path, scope);
    return true;
  }

  /** Removes a scope, unless another has taken its path. */
  remove(scope: MetricScope): void {
    if (this.scopes.get(scope.path) === scope) this.scopes.delete(scope.path);
  }

  read(): IterableIterator<MetricScope> {
    return this.scopes.values();
  }
}
