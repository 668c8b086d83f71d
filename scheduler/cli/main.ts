/** The commands over the scheduler's API: `nodemesh nodes`, `nodemesh services`. */
import { Command, InvalidArgumentError, Option } from 'commander';
import { fetchTables, type Tables } from './client.ts';
import { nodesReport } from './nodes.ts';
import { type Screen, standardScreen } from './screen.ts';
import { servicesReport } from './services.ts';
import { watch } from './watch.ts';

/** What the composition root tells each part. */
export interface MainContext {
  readonly version: string;
  /** The directory of the built files. */
  readonly dist: string;
  /** Arguments after the Node binary that run the same command again. */
  readonly relaunch: readonly string[];
}

interface Options {
  readonly scheduler: URL;
  readonly json?: true;
  readonly watch?: true;
}

interface Report {
  readonly summary: string;
  /** The path of the answer that `--json` prints. */
  readonly path: 'v1/nodes' | 'v1/services';
  readonly after: string;
  text(tables: Tables, screen: Screen, now: number): string;
}

const TRAFFIC_HELP = 'The figures of traffic cover the last 10 seconds or so, as callers saw it.';

const REPORTS: Readonly<Record<string, Report>> = {
  nodes: {
    summary: 'List the nodes and the state of the proxy on each.',
    path: 'v1/nodes',
    after: `${TRAFFIC_HELP}\nThe exit code is 0 also when nodes are unhealthy: ask --json for their states.`,
    text: nodesReport,
  },
  services: {
    summary: 'List the services, how many of their instances take traffic, and how their callers fare.',
    path: 'v1/services',
    after: `${TRAFFIC_HELP}\nThe instances of each service are in the answer of --json.`,
    text: servicesReport,
  },
};

const DEFAULT_SCHEDULER = 'http://127.0.0.1:4180';

/** `args` starts with the word: `nodes` or `services`. Resolves when the command is over. */
export async function main(args: readonly string[], context: MainContext): Promise<void> {
  const [word = '', ...rest] = args;
  const report = Object.hasOwn(REPORTS, word) ? REPORTS[word] : undefined;
  if (report === undefined) throw new Error(`unknown command '${word}': the commands are nodes and services`);
  const command = new Command(`nodemesh ${word}`)
    .exitOverride()
    // Whoever started this prints the error, once.
    .configureOutput({ writeErr: () => undefined })
    .description(report.summary)
    .version(context.version)
    .addOption(
      new Option('--scheduler <url>', 'the address of the scheduler')
        .env('NODEMESH_SCHEDULER')
        .default(new URL(DEFAULT_SCHEDULER), DEFAULT_SCHEDULER)
        .argParser(parseUrl),
    )
    .option('--json', "print the scheduler's answer as it is, for programs")
    .option('--watch', 'print again every 2 seconds, until Ctrl-C')
    .allowExcessArguments(false);
  command.addHelpText('after', `\n${report.after}`);
  command.parse(rest, { from: 'user' });
  const options = command.opts<Options>();

  const screen = standardScreen();
  const once = async (signal?: AbortSignal): Promise<string> => {
    const tables = await fetchTables(options.scheduler, signal);
    if (options.json) return `${JSON.stringify(tables.raw[report.path], null, options.watch ? 0 : 2)}\n`;
    return report.text(tables, screen, Date.now());
  };
  if (options.watch) await untilInterrupted((stop) => watch(once, screen, options.json === true, stop));
  else screen.write(await once());
}

/** Ctrl-C is how a watch ends, and no failure; so does a terminal that is closed. */
async function untilInterrupted(work: (stop: AbortSignal) => Promise<void>): Promise<void> {
  const stop = new AbortController();
  const onSignal = () => stop.abort();
  process.once('SIGINT', onSignal);
  process.once('SIGTERM', onSignal);
  process.once('SIGHUP', onSignal);
  try {
    await work(stop.signal);
  } finally {
    process.removeListener('SIGINT', onSignal);
    process.removeListener('SIGTERM', onSignal);
    process.removeListener('SIGHUP', onSignal);
  }
}

/** An address with or without a path: behind DC/OS' Admin Router it ends with `/service/nodemesh/`. */
function parseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !['http:', 'https:'].includes(url.protocol)) {
    throw new InvalidArgumentError(`Give an http or https URL, such as ${DEFAULT_SCHEDULER}.`);
  }
  return url;
}
