/** The page docs/package-options.md: the options of the DC/OS package, from its config.json and its template. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../../dcos-package/build/set-up.mjs';
import { flagOf, isOptionName } from '../../scheduler/config/options.ts';
import type { ConfigSchema, OptionSchema } from '../dcos-package/catalog.ts';
import { code, table } from './table.ts';

const INTRODUCTION = `# Options of the DC/OS package

<!-- Made from dcos-package/universe/config.json and marathon.json.mustache by npm run docs. Do not edit. -->

What \`dcos package install nodemesh --options=FILE\` takes, and the form in the catalog shows: JSON, a block a group. What is not written has
its default. How to install is in [its own page](install-on-dcos.md); most options are handed to the scheduler as they are, so that
[its options](scheduler-options.md) say more.

\`\`\`json
{
  "service": { "log_level": "debug" },
  "proxies": { "workers": 2, "cpus": 2, "edge_port": 80 }
}
\`\`\`

Texts may not hold quotes, backslashes or line ends: the template writes them into JSON as they are. A \`linkerd.yaml\` comes in base64.
`;

const HEAD = ['option', 'default', 'what it may be', 'what', 'of the scheduler'];

export function packageOptionsPage(): string {
  const directory = join(ROOT, 'dcos-package', 'universe');
  const { properties } = JSON.parse(readFileSync(join(directory, 'config.json'), 'utf8')) as ConfigSchema;
  const template = readFileSync(join(directory, 'marathon.json.mustache'), 'utf8');
  const sections = Object.entries(properties).map(([group, { description, properties: options }]) => {
    const rows = Object.entries(options).map(([name, option]) => [
      code(`${group}.${name}`),
      defaultOf(option),
      boundsOf(option),
      proseOf(option.description),
      schedulerOptions(template, `${group}.${name}`),
    ]);
    return `## ${group}\n\n${proseOf(description)}\n\n${table(HEAD, rows)}`;
  });
  return [INTRODUCTION, ...sections].join('\n');
}

function defaultOf({ default: value }: OptionSchema): string {
  if (value === '') return 'empty';
  if (value === '@BASE_URL@') return 'where the package is from';
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.map((each) => code(String(each))).join(', ');
  return code(String(value));
}

function boundsOf({ type, enum: words, minimum, maximum, items }: OptionSchema): string {
  if (words !== undefined) return words.map((word) => code(String(word))).join(', ');
  if (type === 'boolean') return '`true`, `false`';
  if (type === 'string') return 'text';
  if (items !== undefined) return 'a list of texts';
  return `${type === 'integer' ? 'a whole number' : 'a number'}, ${minimum} to ${maximum}`;
}

/** Angle brackets are no HTML. */
function proseOf(text: string): string {
  return text.replace(/\S*<\w+>\S*[^\s.,:]/g, code);
}

/** Those whose variable in the template is made of the option. */
function schedulerOptions(template: string, option: string): string {
  // A section that only says whether a variable is there stands on the line before it.
  const flat = template.replace(/(\{\{#[\w.]+\}\})\n\s*("NODEMESH_)/g, '$1 $2');
  const lines = flat.split('\n').filter((line) => new RegExp(`[{#^]${option.replace('.', '\\.')}}`).test(line));
  const flags = lines.flatMap((line) => {
    const words = /"NODEMESH_(\w+)"/.exec(line)?.[1]?.toLowerCase().split('_') ?? [];
    const name = words.map((word, index) => (index === 0 ? word : word[0]?.toUpperCase() + word.slice(1))).join('');
    return isOptionName(name) ? [code(flagOf(name))] : [];
  });
  return flags.length === 0 ? '–' : flags.join(', ');
}
