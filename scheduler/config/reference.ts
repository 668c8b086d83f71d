/** The page docs/scheduler-options.md, from the table of options. Pure. */
import { flagOf, GROUPS, kebab, type OptionName, optionNames, specOf, variableOf } from './options.ts';

const INTRODUCTION = `# Options of the scheduler

<!-- Made from the table of options (scheduler/config/options.ts) by scheduler/config/reference.ts. Do not edit. -->

\`nodemesh scheduler\` takes each option from the command line, else from the environment, else from a file, else its default. Mistakes are
told all at once, one line each with its place, and exit code 2.

- \`--config FILE\` (\`NODEMESH_CONFIG\`) names the file, YAML or JSON: a block with the names of the options without \`--\`, as they are
  (\`log-level\`) or in camel case (\`logLevel\`). A key that is no option is a mistake.
- A variable that is empty counts as not set. A variable of a repeated option has one value a line.
- Times are \`500ms\`, \`30s\`, \`10m\`, \`1h\`; memory and disk are megabytes.
- In a file \`ports\` may be a block (\`ports: {out: 4140}\`), and repeated options are lists.

\`\`\`yaml
master: zk://10.0.0.1:2181,10.0.0.2:2181,10.0.0.3:2181/mesos
marathon: http://marathon.mesos:8080
state: file:/var/lib/nodemesh
constraint: ["@public:IS:false", "rack:LIKE:r[1-3]"]
ports: { out: 4140, in: 4141, admin: 9990, edge: 80 }
\`\`\`
`;

const HEAD = ['option', 'variable', 'default', 'what'];

export function optionsReference(): string {
  const sections = GROUPS.map((group) => {
    const rows = optionNames()
      .filter((name) => specOf(name).group === group)
      .map(rowOf);
    return `## ${group}\n\n${table([HEAD, ...rows])}`;
  });
  return [INTRODUCTION, ...sections].join('\n');
}

function rowOf(name: OptionName): string[] {
  const { value, help, fallback, otherwise, needed, repeated, alias, negatable } = specOf(name);
  const flag = value === null ? flagOf(name) : `${flagOf(name)} ${value.toUpperCase()}`;
  const also = negatable ? `, ${code(`--no-${kebab(name)}`)}` : '';
  const variables = [variableOf(name), ...(alias === undefined ? [] : [alias])].map(code).join(', ');
  const without = needed ? 'needed' : (otherwise ?? (fallback === null ? '–' : code(fallback)));
  return [code(flag) + also, variables, without, `${help}${repeated ? '; may be repeated' : ''}`];
}

function code(text: string): string {
  return `\`${text}\``;
}

function table(rows: readonly (readonly string[])[]): string {
  const escaped = rows.map((row) => row.map((cell) => cell.replaceAll('|', '\\|')));
  const widths = HEAD.map((_, column) => Math.max(...escaped.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  const [head = [], ...body] = escaped;
  return `${[line(head), line(widths.map((width) => '-'.repeat(width))), ...body.map(line)].join('\n')}\n`;
}
