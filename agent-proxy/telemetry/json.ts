/**
 * Renders metrics as JSON, as linkerd's `/admin/metrics.json`: one flat object of paths, or objects in objects, of
 * everything or of a subtree; in slices. The flat object of everything is what collectors read again and again, and is
 * written as the scopes come; the rest goes through a tree of segments (json-tree.ts).
 */
import { Slice } from '../timing/slices.ts';
import { FieldReader, quoted } from './json-fields.ts';
import { type MetricsQuery, renderJsonTree } from './json-tree.ts';
import type { ScopeSource } from './metrics-tree.ts';
import type { FigureVisitor } from './recorder.ts';
import type { Distribution } from './stat.ts';

/** Null when there is no such subtree. */
export async function renderJson(
  source: ScopeSource,
  clock: () => number,
  query: MetricsQuery,
): Promise<AsyncGenerator<string> | null> {
  if (query.tree || query.pretty || query.subtree !== '') return renderJsonTree(source, clock, query);
  return renderFlat(source, clock);
}

async function* renderFlat(source: ScopeSource, clock: () => number): AsyncGenerator<string> {
  const writer = new FlatWriter(clock());
  const slice = new Slice(clock);
  yield '{';
  for (const scope of source.read()) {
    writer.enter(scope.path);
    scope.visit(writer);
    if (!slice.isOver) continue;
    yield writer.take();
    await slice.rest();
  }
  yield `${writer.take()}}\n`;
}

class FlatWriter implements FigureVisitor {
  private readonly fields: FieldReader;
  private prefix = '';
  private separator = '';
  private text = '';

  constructor(now: number) {
    this.fields = new FieldReader(now);
  }

  take(): string {
    const { text } = this;
    this.text = '';
    return text;
  }

  enter(path: string): void {
    // The path as it stands in a string, without the closing quote.
    this.prefix = path === '' ? '"' : `${quoted(path).slice(0, -1)}/`;
  }

  counter(name: string, value: number): void {
    this.field(quoted(name).slice(1, -1), value);
  }

  gauge(name: string, value: number): void {
    this.field(quoted(name).slice(1, -1), value);
  }

  stat(name: string, stat: Distribution): void {
    const { names, values } = this.fields.read(stat);
    const shown = quoted(name).slice(1, -1);
    for (let index = 0; index < names.length; index += 1) this.field(`${shown}.${names[index]}`, values[index] ?? 0);
  }

  private field(name: string, value: number): void {
    const rounded = Number.isInteger(value) ? value : Math.round(value * 1_000) / 1_000;
    this.text += `${this.separator}${this.prefix}${name}":${rounded}`;
    this.separator = ',';
  }
}
