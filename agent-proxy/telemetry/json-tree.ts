/**
 * Renders metrics as JSON by their place in the tree: objects in objects, lines in the order of the alphabet, a subtree.
 * Scopes are sorted in by their segments first; their figures are read when it is their turn, and dropped when written.
 */
import { Slice } from '../timing/slices.ts';
import { FieldReader, quoted } from './json-fields.ts';
import type { MetricScope, ScopeSource } from './metrics-tree.ts';
import type { Distribution } from './stat.ts';

export interface MetricsQuery {
  /** Only what is below this path (`rt/outgoing/client`), with names that begin there; empty for everything. */
  readonly subtree: string;
  /** Objects in objects instead of one of paths. */
  readonly tree: boolean;
  /** A line for each figure, in the order of the alphabet. */
  readonly pretty: boolean;
}

/** One figure as it is read. */
type Figure =
  | { readonly kind: 'counter' | 'gauge'; readonly value: number }
  | { readonly kind: 'stat'; readonly stat: Distribution };

/** A segment of a path: what is there, and what is below. */
interface Node {
  /** Null where there is nothing below: most nodes are figures. */
  children: Map<string, Node> | null;
  scope: MetricScope | null;
  figure: Figure | null;
}

const NO_CHILDREN: readonly [string, Node][] = [];

/** Null when there is no such subtree. */
export async function renderJsonTree(
  source: ScopeSource,
  clock: () => number,
  query: MetricsQuery,
): Promise<AsyncGenerator<string> | null> {
  const segments = query.subtree.split('/').filter((segment) => segment !== '');
  const root = await sorted(source, new Slice(clock));
  const node = resolve(root, segments);
  if (node === null) return null;
  const writer = new Writer(query.pretty, clock());
  return slices(writer, query.tree ? writer.nested(node, 1) : writer.flat(node), new Slice(clock));
}

/** All scopes by their segments; their figures are not read yet. */
async function sorted(source: ScopeSource, slice: Slice): Promise<Node> {
  const root = emptyNode();
  for (const scope of source.read()) {
    descend(root, scope.path).scope = scope;
    if (!slice.isOver) continue;
    await slice.rest();
  }
  return root;
}

async function* slices(writer: Writer, steps: Iterable<void>, slice: Slice): AsyncGenerator<string> {
  for (const _ of steps) {
    if (!slice.isOver) continue;
    yield writer.take();
    await slice.rest();
  }
  yield `${writer.take()}\n`;
}

function emptyNode(): Node {
  return { children: null, scope: null, figure: null };
}

function descend(from: Node, path: string): Node {
  let node = from;
  if (path === '') return node;
  for (const segment of path.split('/')) {
    node.children ??= new Map();
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
    const child = node.children?.get(segment);
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
  const put = (name: string, figure: Figure): void => {
    descend(node, name).figure = figure;
  };
  scope.visit({
    counter: (name, value) => put(name, { kind: 'counter', value }),
    gauge: (name, value) => put(name, { kind: 'gauge', value }),
    stat: (name, stat) => put(name, { kind: 'stat', stat }),
  });
  return true;
}

/** Collects text; its generators yield after each scope, and drop what is written. */
class Writer {
  private readonly pretty: boolean;
  private readonly reader: FieldReader;
  private text = '';

  constructor(pretty: boolean, now: number) {
    this.pretty = pretty;
    this.reader = new FieldReader(now);
  }

  take(): string {
    const { text } = this;
    this.text = '';
    return text;
  }

  *nested(node: Node, depth: number): Generator<void> {
    const wasScope = unfold(node);
    this.text += '{';
    let isFirst = this.figure(node.figure, node.figure?.kind ?? '', true, depth);
    for (const [name, child] of this.childrenOf(node)) {
      this.key(name, isFirst, depth);
      isFirst = false;
      yield* this.nested(child, depth + 1);
    }
    this.close(isFirst, depth);
    node.children = null;
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
    let first = this.figure(node.figure, path, isFirst, 1);
    for (const [name, child] of this.childrenOf(node)) {
      first = yield* this.flatBelow(child, path === '' ? name : `${path}/${name}`, first);
    }
    node.children = null;
    if (wasScope) yield;
    return first;
  }

  private childrenOf({ children }: Node): Iterable<[string, Node]> {
    if (children === null) return NO_CHILDREN;
    return this.pretty ? [...children].sort(([a], [b]) => (a < b ? -1 : 1)) : children;
  }

  /** Returns whether nothing was written yet. */
  private figure(figure: Figure | null, name: string, isFirst: boolean, depth: number): boolean {
    if (figure === null) return isFirst;
    if (figure.kind !== 'stat') {
      this.field(name, figure.value, isFirst, depth);
      return false;
    }
    const { names, values } = this.reader.read(figure.stat);
    for (let index = 0; index < names.length; index += 1) {
      this.field(`${name}.${names[index]}`, values[index] ?? 0, isFirst && index === 0, depth);
    }
    return isFirst && names.length === 0;
  }

  private field(name: string, value: number, isFirst: boolean, depth: number): void {
    this.key(name, isFirst, depth);
    this.text += Math.round(value * 1_000) / 1_000;
  }

  private key(name: string, isFirst: boolean, depth: number): void {
    const line = this.pretty ? `\n${'  '.repeat(depth)}` : '';
    this.text += `${isFirst ? '' : ','}${line}${quoted(name)}:${this.pretty ? ' ' : ''}`;
  }

  private close(isEmpty: boolean, depth: number): void {
    this.text += this.pretty && !isEmpty ? `\n${'  '.repeat(depth - 1)}}` : '}';
  }
}
