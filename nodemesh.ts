/**
 * The composition root: the `nodemesh` command. It finds the part that a word names, loads that part alone, and turns
 * what it throws into lines and an exit code. No part imports this file; the reference of the command line is made from its table.
 */
import { realpathSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

const OLDEST_NODE = [20, 19] as const;

interface MainContext {
  readonly version: string;
  /** The directory of the built files. */
  readonly dist: string;
  /** Arguments after the Node binary that run the same command again. */
  readonly relaunch: readonly string[];
}

interface Part {
  main(args: readonly string[], context: MainContext): Promise<void>;
}

interface Command {
  readonly summary: string;
  /** What the part's `main` gets to see in front of the command's own words. */
  readonly prefix: readonly string[];
  load(): Promise<Part>;
}

/** What asks a scheduler, or tells it something: words of one part. */
const ASKING: Readonly<Record<string, string>> = {
  status: 'say how the whole mesh is, on one screen',
  nodes: 'list the nodes and the state of their proxies',
  services: 'list the services and their instances',
  why: 'say how the proxy of a node is, and why it is not healthy',
  plan: 'show what the scheduler is doing, and steer it',
  config: 'show the configuration of the proxies, and roll out another one that is turned back where it does harm',
  dtab: 'show and change how names are routed: the namespaces of dtabs, and the way back',
  bind: 'say which instances a name leads to',
  delegate: 'show step by step how a name is rewritten',
  shift: "send an app's requests elsewhere, step by step, and back by itself where that does harm",
  audit: 'list who changed what',
  doctor: 'say what is wrong around the mesh (Mesos, Marathon, ZooKeeper, names, clocks …), and what to do',
  freeze: 'stop every change that the mesh makes by itself, but repair',
  thaw: 'end a freeze',
  exclude: 'take the proxy of a node away, and launch none there',
  include: 'have a proxy on the node again',
  migrate: 'say what a site with linkerd and namerd becomes here; takeover: go over to it node by node, and back',
  permissions: 'print what to grant on Enterprise DC/OS, as commands',
};

// Loaded when they are needed: a proxy starts without the code of the scheduler, and so on.
export const COMMANDS: Readonly<Record<string, Command>> = {
  local: {
    summary: 'run a whole mesh on this machine: Mesos and Marathon in miniature, proxies, a demo',
    prefix: [],
    load: () => import('./local-cluster/main.ts'),
  },
  scheduler: {
    summary: 'the control plane: a Mesos framework that keeps one proxy on every agent',
    prefix: [],
    load: () => import('./scheduler/main.ts'),
  },
  proxy: { summary: 'the proxy of one node', prefix: [], load: () => import('./agent-proxy/main.ts') },
  ...Object.fromEntries(Object.entries(ASKING).map(([word, summary]) => [word, asking(word, summary)])),
  'dcos-plugin': {
    summary: 'what the DC/OS CLI runs for dcos nodemesh …',
    prefix: [],
    load: () => import('./scheduler/cli/dcos/main.ts'),
  },
};

function asking(word: string, summary: string): Command {
  return { summary, prefix: [word], load: () => import('./scheduler/cli/main.ts') };
}

function usage(): string {
  const names = Object.keys(COMMANDS);
  const width = Math.max(...names.map((name) => name.length));
  const rows = names.map((name) => `  ${name.padEnd(width)}  ${COMMANDS[name]?.summary ?? ''}`);
  return [
    'Usage: nodemesh <command> [options]',
    '',
    'A service mesh for Apache Mesos, Marathon and DC/OS.',
    '',
    'Commands:',
    ...rows,
    '',
    'nodemesh <command> --help tells the options of a command; nodemesh --version the version.',
  ].join('\n');
}

/** One line, whatever was thrown: an error's message without its first line's prefix, and never a stack trace. */
function sentenceOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text
    .replace(/^error: /, '')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .join('; ');
}

/** A configuration has as many lines as it has faults, and each names its file; anything else is one line. */
function linesOf(error: unknown): readonly string[] {
  if (error instanceof Error && 'lines' in error && Array.isArray(error.lines)) return error.lines.map(String);
  return [`nodemesh: ${sentenceOf(error)}`];
}

/** Usage errors are 2, everything else 1, unless the error says so itself. */
function exitCodeOf(error: unknown): number {
  if (!(error instanceof Error)) return 1;
  if ('code' in error && typeof error.code === 'string' && error.code.startsWith('commander.')) {
    return 'exitCode' in error && error.exitCode === 0 ? 0 : 2;
  }
  return 'exitCode' in error && typeof error.exitCode === 'number' ? error.exitCode : 1;
}

async function run(argv: readonly string[], dist: string, script: string): Promise<number> {
  const version = process.env['NODEMESH_VERSION'] ?? '0.0.0';
  const [word, ...rest] = argv;
  if (word === undefined || word === '--help' || word === '-h' || word === 'help') {
    process.stdout.write(`${usage()}\n`);
    return word === undefined ? 2 : 0;
  }
  if (word === '--version' || word === '-V') {
    process.stdout.write(`${version}\n`);
    return 0;
  }
  const command = Object.hasOwn(COMMANDS, word) ? COMMANDS[word] : undefined;
  if (command === undefined) {
    const known = Object.keys(COMMANDS).join(', ');
    process.stderr.write(`nodemesh: unknown command '${word}'; the commands are ${known}\n`);
    return 2;
  }
  try {
    const part = await command.load();
    await part.main([...command.prefix, ...rest], { version, dist, relaunch: [script, word] });
    return 0;
  } catch (error) {
    const code = exitCodeOf(error);
    // Commander has already written help, and it throws to say so.
    if (code !== 0) for (const line of linesOf(error)) process.stderr.write(`${line}\n`);
    return code;
  }
}

async function start(script: string): Promise<void> {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major < OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor < OLDEST_NODE[1])) {
    process.stderr.write(
      `nodemesh: needs Node.js ${OLDEST_NODE.join('.')} or newer, and this is ${process.version}; install a newer one\n`,
    );
    process.exitCode = 1;
    return;
  }
  // A broken pipe (`nodemesh nodes | head`) is the reader's wish, not an error.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
  const code = await run(process.argv.slice(2), dirname(script), script);
  process.exitCode = code;
}

const script = fileURLToPath(import.meta.url);
// Only as the program that was started: the reference reads the table above.
const [, started] = process.argv;
if (started !== undefined && realpathSync(started) === script) await start(script);
