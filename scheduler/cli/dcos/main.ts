/**
 * nodemesh as a plugin of the DC/OS CLI, which runs `dcos-nodemesh nodemesh status …` for `dcos nodemesh status …`: what it
 * asks of a plugin, and all commands over the scheduler's API through Admin Router.
 */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { commandNames, type MainContext, main as runCommand } from '../main.ts';
import { standardScreen } from '../screen.ts';
import { alongWay, type Way } from '../way.ts';
import { AdminRouterWay } from './admin-router-way.ts';
import { findCluster, type Surroundings } from './cluster.ts';

/** One line, for `dcos --help`. */
export const INFO = 'Look at and steer the nodemesh service mesh';

/** What `dcos config set nodemesh.service_name NAME` is checked by. */
const CONFIG_SCHEMA = {
  $schema: 'http://json-schema.org/schema#',
  type: 'object',
  properties: {
    service_name: {
      type: 'string',
      title: 'Service name',
      description: 'The name that the nodemesh service was installed under',
      default: 'nodemesh',
    },
  },
  additionalProperties: false,
  required: [],
};

/** For what is asked of no cluster: the options of a command, and the like. */
const NOWHERE: Way = {
  scheduler: new URL('https://dcos.invalid/'),
  before: 'dcos ',
  advice: '',
  send: () => Promise.reject(new Error('nothing is asked for')),
};

class PluginUsage extends Error {
  readonly exitCode = 2;
}

/** `args` begins with the name of the module. Resolves when the command is over. */
export async function main(args: readonly string[], context: MainContext): Promise<void> {
  const screen = standardScreen();
  const [module, ...rest] = args;
  if (module === undefined || module.startsWith('-')) {
    throw new PluginUsage(
      'this is a plugin of the DC/OS CLI, which says first which module it wants: dcos nodemesh status',
    );
  }
  const { words, name, help } = ownOptions(rest);
  const [word] = words;
  if (word === '--info') return screen.write(`${INFO}\n`);
  if (word === '--config-schema') return screen.write(`${JSON.stringify(CONFIG_SCHEMA, null, 2)}\n`);
  if (word === '--version') return screen.write(`${context.version}\n`);
  if (word === undefined || word === 'help' || (help && words.length === 1)) return screen.write(pluginUsage(module));
  if (!commandNames().includes(word)) {
    throw new PluginUsage(`unknown command '${word}'; dcos ${module} has ${commandNames().join(', ')}`);
  }
  // It asks nobody, and has a --name of its own that means the same.
  const told = word === 'permissions' && name !== null ? [...words, '--name', name] : words;
  if (help || word === 'permissions') return alongWay(NOWHERE, () => runCommand(told, context));
  const cluster = findCluster(module, surroundings());
  const way = new AdminRouterWay({
    cluster,
    service: serviceName(name ?? cluster.serviceName ?? module),
    waiting: (text) => screen.complain(text),
    now: () => performance.now(),
  });
  try {
    await alongWay(way, () => runCommand(words, context));
  } finally {
    await way.close();
  }
}

interface OwnOptions {
  readonly words: readonly string[];
  readonly name: string | null;
  readonly help: boolean;
}

/** `--name NAME` as each SDK service has it; `-v` is the DC/OS CLI's, and there is nothing more to say. */
function ownOptions(args: readonly string[]): OwnOptions {
  const words: string[] = [];
  let name: string | null = null;
  for (let index = 0; index < args.length; index += 1) {
    const arg = args[index] ?? '';
    if (arg === '--') {
      words.push(...args.slice(index));
      break;
    }
    if (arg === '--name') {
      index += 1;
      name = args[index] ?? '';
    } else if (arg.startsWith('--name=')) name = arg.slice('--name='.length);
    else if (arg !== '-v' && arg !== '--verbose') words.push(arg);
  }
  const isHelp = (word: string): boolean => word === '--help' || word === '-h';
  return { words, name, help: words[0] === 'help' || words.slice(0, indexOrAll(words, '--')).some(isHelp) };
}

function indexOrAll(words: readonly string[], word: string): number {
  const index = words.indexOf(word);
  return index < 0 ? words.length : index;
}

function serviceName(text: string): string {
  const name = text.replace(/^\/+|\/+$/g, '');
  if (/^[A-Za-z0-9][\w.-]*(?:\/[A-Za-z0-9][\w.-]*)*$/.test(name)) return name;
  throw new PluginUsage(`'${text}' is not the name of a service: --name nodemesh, or --name team/nodemesh`);
}

/** What `--help` prints. */
export function pluginUsage(module: string): string {
  return [
    `Usage: dcos ${module} [--name SERVICE] <command> [options]`,
    '',
    `${INFO}.`,
    '',
    `Commands: ${commandNames().join(', ')}`,
    '',
    'Options:',
    '  --name SERVICE     the name that the service was installed under (default: nodemesh.service_name of dcos config, or nodemesh)',
    '  --info             one line about this plugin',
    '  --config-schema    what dcos config takes for it',
    '  --version          the version of this plugin',
    '',
    `dcos ${module} <command> --help tells the options of a command.`,
    '',
  ].join('\n');
}

const SHOW_TIMEOUT_MS = 10_000;

function surroundings(): Surroundings {
  const { env } = process;
  return {
    env,
    home: homedir(),
    read: (path) => orNull(() => readFileSync(path, 'utf8')),
    list: (path) => orNull(() => readdirSync(path)) ?? [],
    show: (key) => {
      const program = env['DCOS_CLI_EXECUTABLE_PATH'] ?? 'dcos';
      const stdio = ['ignore', 'pipe', 'ignore'] satisfies ['ignore', 'pipe', 'ignore'];
      const said = orNull(() =>
        execFileSync(program, ['config', 'show', key], { encoding: 'utf8', timeout: SHOW_TIMEOUT_MS, stdio }),
      );
      return said === null || said.trim() === '' ? null : said.trim();
    },
  };
}

/** Files that are not there, a program that is not there: then there is nothing of it. */
function orNull<T>(read: () => T): T | null {
  try {
    return read();
  } catch {
    return null;
  }
}
