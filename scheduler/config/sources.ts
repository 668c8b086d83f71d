/**
 * Where the options come from: the command line, then the environment, then a file, then the defaults. Each value keeps
 * the name of its place, so that a fault can be found.
 */
import { Command, Option } from 'commander';
import { closest } from '../../agent-proxy/config/closest.ts';
import { readDocument } from '../../agent-proxy/config/document.ts';
import { readText } from './files.ts';
import { flagOf, isOptionName, kebab, type OptionName, optionNames, specOf, variableOf } from './options.ts';

export interface Given {
  /** Text, a list of texts, or (of a file) a block. */
  readonly value: unknown;
  /** `--ports`, `NODEMESH_PORTS`, `/etc/nodemesh.yaml: ports`. */
  readonly place: string;
}

export interface Sources {
  readonly given: ReadonlyMap<OptionName, Given>;
  readonly faults: readonly string[];
}

type Environment = Readonly<Record<string, string | undefined>>;

const CONFIG_VARIABLE = 'NODEMESH_CONFIG';

export function command(): Command {
  const made = new Command('nodemesh scheduler')
    .description(
      'The control plane: a Mesos framework that keeps one proxy on every agent and tells it what runs where.',
    )
    .addOption(new Option('--config <FILE>', `read options from this file, YAML or JSON (env: ${CONFIG_VARIABLE})`))
    .addHelpText('after', '\nThe command line wins over the environment, and that over the file.')
    .allowExcessArguments(false)
    .exitOverride()
    // The composition root writes the one line that an error gets.
    .configureOutput({ writeErr: () => undefined });
  for (const name of optionNames()) {
    const { value, help, fallback, otherwise, repeated, negatable } = specOf(name);
    const without = otherwise ?? fallback;
    const text = `${help} (${without === null ? '' : `default: ${without}; `}env: ${variableOf(name)})`;
    const option = new Option(value === null ? flagOf(name) : `${flagOf(name)} <${value}>`, text);
    if (repeated) option.argParser((each: string, before: string[] | undefined) => [...(before ?? []), each]);
    made.addOption(option);
    if (negatable) made.addOption(new Option(`--no-${kebab(name)}`, `do not ${help}`));
  }
  return made;
}

/** @throws commander's error for an unknown option or `--help`. */
export function readSources(args: readonly string[], env: Environment): Sources {
  const flags = command()
    .parse([...args], { from: 'user' })
    .opts<Record<string, unknown>>();
  const faults: string[] = [];
  const path = typeof flags.config === 'string' ? flags.config : set(env[CONFIG_VARIABLE]);
  const file = path === undefined ? new Map<OptionName, Given>() : readFile(path, faults);
  const given = new Map<OptionName, Given>();
  for (const name of optionNames()) {
    const found = ofFlags(name, flags) ?? ofEnvironment(name, env) ?? file.get(name) ?? fallbackOf(name);
    if (found !== undefined) given.set(name, found);
  }
  return { given, faults };
}

function ofFlags(name: OptionName, flags: Readonly<Record<string, unknown>>): Given | undefined {
  const value = flags[name];
  if (value === undefined) return undefined;
  return { value: typeof value === 'boolean' ? String(value) : value, place: flagOf(name) };
}

function ofEnvironment(name: OptionName, env: Environment): Given | undefined {
  const { alias, repeated } = specOf(name);
  for (const variable of [variableOf(name), ...(alias === undefined ? [] : [alias])]) {
    const text = set(env[variable]);
    if (text === undefined) continue;
    // A constraint may hold any character but this.
    const value = repeated
      ? text
          .split('\n')
          .map((line) => line.trim())
          .filter((line) => line !== '')
      : text;
    return { value, place: variable };
  }
  return undefined;
}

/** Templates of packages set variables that are empty. */
const set = (text: string | undefined): string | undefined => (text === '' ? undefined : text);

function fallbackOf(name: OptionName): Given | undefined {
  const { fallback } = specOf(name);
  return fallback === null ? undefined : { value: fallback, place: flagOf(name) };
}

function readFile(path: string, faults: string[]): Map<OptionName, Given> {
  const given = new Map<OptionName, Given>();
  let text: string;
  try {
    text = readText(path);
  } catch (error) {
    faults.push(`--config: ${error instanceof Error ? error.message : String(error)}`);
    return given;
  }
  const read = readDocument(text);
  if (read.kind === 'bad') {
    faults.push(...read.faults.map((fault) => `${path}: ${fault}`));
    return given;
  }
  if (read.value === null) return given;
  if (typeof read.value !== 'object' || Array.isArray(read.value)) {
    faults.push(`${path}: is not a block of options, as in master: http://10.0.0.1:5050`);
    return given;
  }
  for (const [key, written, value] of flattened(read.value)) {
    const name = key.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
    const place = `${path}: ${written}`;
    if (!isOptionName(name)) {
      const near = closest(kebab(key), optionNames().map(kebab));
      const meant = near === undefined || key.includes('-') ? near : near.replace(/-(.)/g, (_, c) => c.toUpperCase());
      faults.push(`${place}: is no option${meant === undefined ? '' : `; did you mean ${meant}?`}`);
    } else if (given.has(name)) faults.push(`${place}: stands here twice, in both spellings; keep one of the two`);
    else if (value !== null) given.set(name, { value: plain(name, value), place });
  }
  return given;
}

/** Keys, as options and as they were written: `discovery: {scope: bound}` is `discovery-scope`. */
function* flattened(block: object): Generator<[string, string, unknown]> {
  for (const [key, value] of Object.entries(block)) {
    if (key !== 'discovery' || typeof value !== 'object' || value === null || Array.isArray(value)) {
      yield [key, key, value];
      continue;
    }
    for (const [inner, each] of Object.entries(value)) yield [`${key}-${inner}`, `${key}.${inner}`, each];
  }
}

/** What YAML takes for a number or a truth is text to the options; one value of a repeated one is a list of one. */
function plain(name: OptionName, value: unknown): unknown {
  const text = (each: unknown): unknown =>
    typeof each === 'number' || typeof each === 'boolean' ? String(each) : each;
  if (Array.isArray(value)) return name === 'master' ? value.map(text).join(',') : value.map(text);
  return specOf(name).repeated ? [text(value)] : text(value);
}
