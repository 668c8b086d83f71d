/**
 * The reference of the configuration, `docs/configuration.md`, from the schema: every key with its type, its default and
 * what it means, what has no effect, and what is not supported yet. Pure.
 */
import { branchesOf, itemsOf, kindOf, propertiesOf, type SchemaNode, schemaTree } from './schema-tree.ts';

const INTRODUCTION = `# Configuration

<!-- Made from the schema (agent-proxy/config/schema/) by agent-proxy/config/reference.ts. Do not edit. -->

\`nodemesh proxy CONFIG\` reads linkerd 1.x's \`linkerd.yaml\`, as YAML or JSON (\`-\`: from standard input).

- A fault ends the program with exit code 1 and one line a fault, which names its place in the file. All faults are told at once.
- What linkerd has and nodemesh does not yet is refused by name. A key that has no effect here is accepted with a warning.
- Our own keys stand under \`nodemesh:\` inside the block that they extend.
- Where a default of ours differs from linkerd's, both are named. \`nodemesh: {linkerdCompat: true}\` in a router chooses linkerd's.
- \`null\` as a limit or a time means none. For any other key it is as if the key were not there.
- The entries of \`client.configs\` and \`service.configs\` whose prefix matches a name are laid over each other in the order
  written: what an entry does not say is as before. \`hostConnectionPool\`, \`clientSession\`, \`socketOptions\`, \`retries\` and
  \`nodemesh\` are overridden key by key, all others as a whole.
- Files, directories and hosts that are named may be missing at the start; they are looked for again.
`;

interface Section {
  readonly place: string;
  readonly body: string;
}

export function configurationReference(): string {
  const writer = new ReferenceWriter();
  writer.section(schemaTree(), '');
  return `${[INTRODUCTION, ...writer.sections.map(({ place, body }) => `## ${titleOf(place)}\n\n${body}`)].join('\n')}`;
}

class ReferenceWriter {
  /** In the order in which a reader meets them. */
  readonly sections: Section[] = [];
  /** Blocks that stand in several places are described once. */
  private readonly placeOfBody = new Map<string, string>();

  /** Writes the section of a block, if it is new, and returns the place where it stands. */
  section(node: SchemaNode, place: string): string {
    const index = this.sections.length;
    const body = this.body(node, place);
    const known = this.placeOfBody.get(body);
    if (known !== undefined) {
      this.sections.splice(index);
      return known;
    }
    this.placeOfBody.set(body, place);
    this.sections.splice(index, 0, { place, body });
    return place;
  }

  private body(node: SchemaNode, place: string): string {
    const branches = branchesOf(node);
    const parts = branches.map((branch) => this.branch(branch, place, node.fallbackKind));
    const notYet = node.kindsNotYet ?? [];
    if (notYet.length > 0) parts.push(`Not supported yet: ${notYet.map(code).join(', ')}.\n`);
    return parts.join('\n');
  }

  private branch(branch: SchemaNode, place: string, fallbackKind: string | undefined): string {
    const kind = kindOf(branch);
    const rows = propertiesOf(branch).flatMap(([key, child]) =>
      key === 'kind' ? [] : [this.row(branch, key, child, place)],
    );
    const table = rows.length === 0 ? '' : `${tableOf(rows)}\n`;
    if (kind === undefined || kind === 'http') return table;
    const meaning = propertiesOf(branch).find(([key]) => key === 'kind')?.[1].description ?? '';
    const heading = `\`kind: ${kind}\`${kind === fallbackKind ? ' (default)' : ''}${meaning === '' ? '' : ` – ${meaning}`}`;
    return table === '' ? `${heading}\n` : `${heading}\n\n${table}`;
  }

  private row(branch: SchemaNode, key: string, child: SchemaNode, place: string): string[] {
    const own = place === '' ? key : `${place}.${key}`;
    return [code(key), this.value(child, own), defaultOf(branch, key, child), child.description ?? ''];
  }

  private value(node: SchemaNode, place: string): string {
    if (node.noEffect !== undefined || node.notYet !== undefined) return '–';
    if (node.shownAs !== undefined && node.anyOf === undefined) return node.shownAs;
    const items = itemsOf(node);
    if (items !== null) return `list: ${this.value(items, `${place}[]`)}`;
    const branches = branchesOf(node);
    const isNullable = (node.anyOf ?? []).some(({ type }) => type === 'null');
    if (branches.some((branch) => propertiesOf(branch).length > 0)) {
      const title = titleOf(this.section(node, place));
      return `[block](#${slugOf(title)})`;
    }
    const [only] = branches;
    const shown = only === undefined || only === node ? scalarOf(node) : this.value(only, place);
    return isNullable ? `${shown}, or \`null\`` : shown;
  }
}

/** Columns are padded, so that the formatter leaves them as they are. */
function tableOf(rows: readonly (readonly string[])[]): string {
  const cells = [['key', 'value', 'default', 'meaning'], ...rows].map((row) =>
    row.map((cell) => cell.replaceAll('|', '\\|')),
  );
  const widths = COLUMNS.map((column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  const lines = [...cells.slice(0, 1), widths.map((width) => '-'.repeat(width)), ...cells.slice(1)];
  return lines
    .map((row) => `| ${COLUMNS.map((column) => (row[column] ?? '').padEnd(widths[column] ?? 0)).join(' | ')} |`)
    .join('\n');
}

const COLUMNS = [0, 1, 2, 3] as const;

function scalarOf(node: SchemaNode): string {
  if (node.enum !== undefined) return node.enum.map((value) => code(String(value))).join(', ');
  if (node.const !== undefined) return code(String(node.const));
  return typeof node.type === 'string' ? (SCALARS[node.type] ?? node.type) : 'any';
}

const SCALARS: Readonly<Record<string, string>> = { string: 'text', boolean: 'true or false' };

function defaultOf(branch: SchemaNode, key: string, child: SchemaNode): string {
  if (branch.required?.includes(key) === true) return 'needed';
  if (child.fallback === undefined) return '–';
  const ours = code(JSON.stringify(child.fallback));
  const theirs = child.linkerdFallback === undefined ? ours : code(JSON.stringify(child.linkerdFallback));
  return ours === theirs ? ours : `${ours}; linkerd ${theirs}`;
}

function titleOf(place: string): string {
  return place === '' ? 'The top level' : `\`${place}\``;
}

/** The anchor that GitHub makes of a heading. */
function slugOf(title: string): string {
  return title
    .toLowerCase()
    .replace(/[^a-z0-9 _-]/g, '')
    .replaceAll(' ', '-');
}

function code(text: string): string {
  return `\`${text}\``;
}
