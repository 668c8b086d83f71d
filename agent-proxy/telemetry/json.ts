/**
 * Renders the metrics tree as JSON, as linkerd's `/admin/metrics.json`: one flat object of paths, or objects in objects,
 * of everything or of a subtree; in slices, after each of which the loop gets its turn.
 */
import { setImmediate } from 'node:timers/promises';
import { type Figure, figuresOf, type MetricScope, type MetricsTree } from './metrics-tree.ts';

const QUANTILES = [
  ['max', 1],
  ['min', 0],
  ['p50', 0.5],
  ['p90', 0.9],
  ['p95', 0.95],
  ['p99', 0.99],
  ['p9990', 0.999],
  ['p9999', 0.9999],
] as const;
/** Scopes rendered, and scopes sorted in, in one turn of the loop. */
const SCOPES_A_SLICE = 20;
const SCOPES_A_SORTING = 500;

export interface MetricsQuery {
  /** Only what is below this path (`rt/outgoing/client`), with names that begin there; empty for everything. */
  readonly subtree: string;
  /** Objects in objects instead of one of paths. */
  readonly tree: boolean;
  /** A line for each figure, in the order of the alphabet. */
  readonly pretty: boolean;
}

/** A segment of a path: what is there, and what is below. */
interface Node {
  readonly children: Map<string, Node>;
  scope: MetricScope | null;
  figure: Figure | null;
}

/** Null when there is no such subtree. */
export async function renderJson(
  tree: MetricsTree,
  now: () => number,
  query: MetricsQuery,
): Promise<AsyncGenerator<string> | null> {
  const segments = query.subtree.split('/').filter((segment) => segment !== '');
  const root = await sorted(tree);
  const node = resolve(root, segments);
  if (node === null) return null;
  const writer = new Writer(query.pretty, now);
  return slices(writer, query.tree ? writer.nested(node, 1) : writer.flat(node));
}

/** All scopes by their segments; their figures are not read yet. */
async function sorted(tree: MetricsTree): Promise<Node> {
  const root = emptyNode();
  let scopes = 0;
  for (const scope of tree.read()) {
    descend(root, scope.path).scope = scope;
    scopes += 1;
    if (scopes % SCOPES_A_SORTING === 0) await setImmediate();
  }
  return root;
}

function emptyNode(): Node {
  return { children: new Map(), scope: null, figure: null };
}

function descend(from: Node, path: string): Node {
  let node = from;
  if (path === '') return node;
  for (const segment of path.split('/')) {
    let child = node.children.get(segment);
    if (child === undefined) {
      child = emptyNode();
      node.children.set(segment, child);
    }
    node = child;
  }
  return node;
}

function resolve(root: Node, segments: readonly string[]): Node | null {
  let node = root;
  for (const segment of segments) {
    unfold(node);
    const child = node.children.get(segment);
    if (child === undefined) return null;
    node = child;
  }
  return node;
}

/** Puts the figures of a node's scope where they belong; says whether there was one. */
function unfold(node: Node): boolean {
  const { scope } = node;
  if (scope === null) return false;
  node.scope = null;
  for (const figure of figuresOf(scope)) descend(node, figure.name).figure = figure;
  return true;
}

async function* slices(writer: Writer, steps: Iterable<void>): AsyncGenerator<string> {
  let scopes = 0;
  for (const _ of steps) {
    scopes += 1;
    if (scopes % SCOPES_A_SLICE !== 0) continue;
    yield writer.take();
    await setImmediate();
  }
  yield `${writer.take()}\n`;
}

/** Collects text; its generators yield after each scope, and drop what is written. */
class Writer {
  private readonly pretty: boolean;
  private readonly now: () => number;
  private text = '';

  constructor(pretty: boolean, now: () => number) {
    this.pretty = pretty;
    this.now = now;
  }

  take(): string {
    const { text } = this;
    this.text = '';
    return text;
  }

  *nested(node: Node, depth: number): Generator<void> {
    const wasScope = unfold(node);
    let isFirst = true;
    const key = (name: string): void => {
      this.key(name, isFirst, depth);
      isFirst = false;
    };
    this.text += '{';
    if (node.figure !== null) {
      for (const [name, value] of this.fields(node.figure, node.figure.kind)) {
        key(name);
        this.text += value;
      }
    }
    for (const [name, child] of this.childrenOf(node)) {
      key(name);
      yield* this.nested(child, depth + 1);
    }
    this.close(isFirst, depth);
    node.children.clear();
    if (wasScope) yield;
  }

  *flat(node: Node): Generator<void> {
    this.text += '{';
    const isEmpty = yield* this.flatBelow(node, '', true);
    this.close(isEmpty, 1);
  }

  /** Returns whether nothing was written yet. */
  private *flatBelow(node: Node, path: string, isFirst: boolean): Generator<void, boolean> {
    const wasScope = unfold(node);
    let first = isFirst;
    if (node.figure !== null) {
      for (const [name, value] of this.fields(node.figure, path)) {
        this.key(name, first, 1);
        this.text += value;
        first = false;
      }
    }
    for (const [name, child] of this.childrenOf(node)) {
      first = yield* this.flatBelow(child, path === '' ? name : `${path}/${name}`, first);
    }
    node.children.clear();
    if (wasScope) yield;
    return first;
  }

  private childrenOf({ children }: Node): Iterable<[string, Node]> {
    return this.pretty ? [...children].sort(([a], [b]) => (a < b ? -1 : 1)) : children;
  }

  /** The fields of a figure. A distribution without values has none: absent rather than NaN. */
  private fields(figure: Figure, name: string): [string, number][] {
    if (figure.kind !== 'stat') return [[name, round(figure.value)]];
    const { stat } = figure;
    if (stat.count === 0) return [];
    const fields: [string, number][] = [[`${name}.count`, stat.count]];
    for (const [quantile, fraction] of QUANTILES) {
      const value = stat.quantile(fraction, this.now());
      if (value !== null) fields.push([`${name}.${quantile}`, round(value)]);
    }
    fields.push([`${name}.sum`, round(stat.sum)], [`${name}.avg`, round(stat.sum / stat.count)]);
    return fields;
  }

  private key(name: string, isFirst: boolean, depth: number): void {
    const line = this.pretty ? `\n${'  '.repeat(depth)}` : '';
    this.text += `${isFirst ? '' : ','}${line}${JSON.stringify(name)}:${this.pretty ? ' ' : ''}`;
  }

  private close(isEmpty: boolean, depth: number): void {
    this.text += this.pretty && !isEmpty ? `\n${'  '.repeat(depth - 1)}}` : '}';
  }
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
