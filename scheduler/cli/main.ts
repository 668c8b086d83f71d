/** The commands over the scheduler's API: the tables `nodemesh nodes` and `nodemesh services` here, the others by name. */
import { FROZEN } from '../dashboard/src/model/answers.ts';
import { audit } from './audit.ts';
import { fetchTables, type Tables } from './client.ts';
import { config } from './config.ts';
import { doctor } from './doctor.ts';
import { dtab } from './dtab.ts';
import { exclude, include } from './exclude.ts';
import { freeze, thaw } from './freeze.ts';
import { migrate } from './migrate.ts';
import { bind, delegate } from './names.ts';
import { nodesReport } from './nodes.ts';
import { newCommand, type SchedulerOption, schedulerOption } from './options.ts';
import { permissions } from './permissions.ts';
import { plan } from './plan.ts';
import { type Screen, standardScreen } from './screen.ts';
import { servicesReport } from './services.ts';
import { shift } from './shift.ts';
import { status } from './status.ts';
import { watch } from './watch.ts';
import { why } from './why.ts';

/** What the composition root tells each part. */
export interface MainContext {
  readonly version: string;
  /** The directory of the built files. */
  readonly dist: string;
  /** Arguments after the Node binary that run the same command again. */
  readonly relaunch: readonly string[];
}

interface Options extends SchedulerOption {
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

type OtherCommand = (args: readonly string[], version: string, screen: Screen) => Promise<void>;

const OTHERS: Readonly<Record<string, OtherCommand>> = {
  why,
  plan,
  config,
  freeze,
  thaw,
  exclude,
  include,
  dtab,
  bind,
  delegate,
  shift,
  audit,
  status,
  permissions,
  doctor,
  migrate,
};

/** The words that {@link main} knows. */
export const commandNames = (): readonly string[] => [...Object.keys(OTHERS), ...Object.keys(REPORTS)].sort();

/** `args` starts with the word. Resolves when the command is over. */
export async function main(args: readonly string[], context: MainContext): Promise<void> {
  const [word = '', ...rest] = args;
  const other = Object.hasOwn(OTHERS, word) ? OTHERS[word] : undefined;
  if (other !== undefined) return other(rest, context.version, standardScreen());
  const report = Object.hasOwn(REPORTS, word) ? REPORTS[word] : undefined;
  if (report === undefined) {
    throw new Error(`unknown command '${word}': the commands are ${commandNames().join(', ')}`);
  }
  const command = newCommand(`nodemesh ${word}`, report.summary, context.version)
    .addOption(schedulerOption())
    .option('--json', "print the scheduler's answer as it is, for programs")
    .option('--watch', 'print again every 2 seconds, until Ctrl-C');
  command.addHelpText('after', `\n${report.after}`);
  command.parse(rest, { from: 'user' });
  const options = command.opts<Options>();

  const screen = standardScreen();
  const once = async (signal?: AbortSignal): Promise<string> => {
    const tables = await fetchTables(options.scheduler, signal);
    if (options.json) return `${JSON.stringify(tables.raw[report.path], null, options.watch ? 0 : 2)}\n`;
    const banner = tables.frozen ? `${screen.paint('busy', FROZEN)}\n\n` : '';
    return banner + report.text(tables, screen, Date.now());
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
