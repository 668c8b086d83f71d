/** `nodemesh migrate takeover`: from linkerd to nodemesh node by node, and back. It may be stopped at any point. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { nextBack } from '../migrate/takeover/back.ts';
import { type ForwardOptions, nextForward } from '../migrate/takeover/forward.ts';
import type { Move } from '../migrate/takeover/view.ts';
import { type LoginOptions, loginOf, Remote } from './marathon.ts';
import { type SchedulerOption, schedulerOption, type TokenOption, tokenOf, tokenOption } from './options.ts';
import { UnknownName } from './outcome.ts';
import type { Screen } from './screen.ts';
import { runTakeover, type TakeoverWorld } from './takeover-run.ts';
import { takeoverWorld } from './takeover-world.ts';
import { parseUrl } from './urls.ts';

const AFTER = `
On each node linkerd's task is removed with its instance, the scheduler launches a
proxy on the ports that are free then, and once that is healthy for the window, its
listeners answer and its requests fare no worse than elsewhere, the next node is
begun. Whatever stops it, run it again: it goes on from what it finds.

  nodemesh migrate takeover --marathon URL --app /linkerd --most 1    # a canary
  nodemesh migrate give-back NODE --marathon URL --app /linkerd      # back to linkerd`;

interface Common extends SchedulerOption, TokenOption, LoginOptions {
  readonly marathon: URL;
  readonly app: string;
  readonly nodeTimeout: number;
  readonly poll: number;
}

interface Options extends Common {
  readonly window: number;
  readonly most?: number;
  readonly patience: number;
  readonly maxFailures: number;
  readonly dryRun?: true;
}

/** `takeover` and `give-back`, as words of the command. */
export function addTakeover(command: Command, screen: Screen): void {
  const forward = command
    .command('takeover')
    .description('Go from linkerd to nodemesh, node by node')
    .argument('[node...]', 'these nodes alone: hostnames or agent ids')
    .addOption(timeOption('--window <time>', 'a proxy is healthy for so long before the next node', '10s'))
    .option('--most <n>', 'begin so many nodes at most', count)
    .addOption(
      new Option('--max-failures <share>', 'so many more requests may fail than elsewhere')
        .argParser(share)
        .default(0.05, '5%'),
    )
    .addOption(
      timeOption('--patience <time>', 'an instance of linkerd without a place is given up after so long', '15s'),
    )
    .option('--dry-run', 'say what would be done next, and do nothing')
    .addHelpText('after', AFTER);
  common(forward).action((names: string[], options: Options) =>
    untilSignal(options, screen, (world) => goForward(world, names, options, screen)),
  );
  const back = command
    .command('give-back')
    .description('Give nodes back to linkerd')
    .argument('<node...>', 'hostnames or agent ids');
  common(back).action((names: string[], options: Options) =>
    untilSignal(options, screen, (world) => goBack(world, names, options, screen)),
  );
}

/** A signal ends it where it is, which is as good as any other place. */
async function untilSignal(
  options: Options,
  screen: Screen,
  work: (world: TakeoverWorld) => Promise<void>,
): Promise<void> {
  const stop = new AbortController();
  const onSignal = (): void => stop.abort(new Error('stopped by a signal. Run it again to go on from here'));
  process.once('SIGINT', onSignal);
  process.once('SIGTERM', onSignal);
  try {
    await work(worldOf(options, screen, stop.signal));
  } finally {
    process.removeListener('SIGINT', onSignal);
    process.removeListener('SIGTERM', onSignal);
  }
}

function common(command: Command): Command {
  return command
    .allowExcessArguments(false)
    .requiredOption('--marathon <url>', 'the Marathon that runs linkerd', parseUrl)
    .requiredOption('--app <id>', 'the id of linkerd in Marathon')
    .addOption(timeOption('--node-timeout <time>', 'what does not come about in so long stops it', '5m'))
    .addOption(timeOption('--poll <time>', 'how often to look', '1s'))
    .option('--marathon-credential-file <file>', 'file with user:password for Marathon')
    .addOption(schedulerOption())
    .addOption(tokenOption());
}

function worldOf(options: Options, screen: Screen, stop: AbortSignal): TakeoverWorld {
  const places = {
    marathon: new Remote('Marathon', options.marathon, loginOf(options)),
    ...{ app: options.app, scheduler: options.scheduler, token: tokenOf(options), margin: options.maxFailures ?? 0 },
  };
  return takeoverWorld(places, {
    say: (line) => screen.write(`${line}\n`),
    pause: () => pause(options.poll, stop),
  });
}

async function goForward(
  world: TakeoverWorld,
  names: readonly string[],
  options: Options,
  screen: Screen,
): Promise<void> {
  const only = names.length === 0 ? null : new Set(await agentsOf(world, names));
  const { windowMs, patienceMs } = { windowMs: options.window, patienceMs: options.patience };
  const decide = (checked: ReadonlySet<string>, begun: number): ForwardOptions => {
    const most = options.most === undefined ? null : Math.max(0, options.most - begun);
    return { only, most, checked, windowMs, patienceMs };
  };
  if (options.dryRun) {
    const { app, nodes } = await world.look();
    screen.write(`${preview(nextForward({ app, nodes, placelessForMs: 0 }, decide(new Set(), 0)))}\n`);
    return;
  }
  const { taken, left } = await runTakeover(world, {
    decide: (view, checked, begun) => nextForward(view, decide(checked, begun)),
    timeoutMs: options.nodeTimeout + windowMs,
    checkMs: Math.max(options.window, 3 * options.poll),
  });
  for (const { hostname, why } of left) screen.write(`${hostname}: left with linkerd: ${why}\n`);
  const rest =
    left.length === 0
      ? `No node has linkerd any more: ${options.app} can be deleted.`
      : `${left.length} left with linkerd.`;
  screen.write(`nodemesh has ${taken} nodes. ${rest}\n`);
}

async function goBack(world: TakeoverWorld, names: readonly string[], options: Options, screen: Screen): Promise<void> {
  const agents = await agentsOf(world, names);
  await runTakeover(world, {
    decide: (view) => nextBack(view, agents),
    timeoutMs: options.nodeTimeout,
    checkMs: 0,
  });
  screen.write(`linkerd has ${names.join(', ')} again. nodemesh migrate takeover takes them over anew.\n`);
}

async function agentsOf(world: TakeoverWorld, names: readonly string[]): Promise<string[]> {
  const { nodes } = await world.look();
  return names.map((name) => {
    const found = nodes.find(({ agentId, hostname }) => agentId === name || hostname === name);
    if (found === undefined) throw new UnknownName(`there is no node ${name}; nodemesh nodes lists them`);
    return found.agentId;
  });
}

function preview(move: Move): string {
  switch (move.kind) {
    case 'done':
      return `Nothing is left to do: nodemesh has ${move.taken} nodes, ${move.left.length} are left with linkerd.`;
    case 'wait':
      return `It would wait: ${move.node?.hostname ?? 'linkerd'}: ${move.what}`;
    case 'scale':
      return `linkerd would be scaled to ${move.instances} instances: ${move.why}`;
    case 'scale-down':
      return `${move.node.hostname} would be next: linkerd's task ${move.taskId} goes, and ${move.instances} instances are left.`;
    case 'include':
      return `${move.node.hostname} would be next: the scheduler may launch a proxy there again.`;
    case 'exclude':
    case 'check':
      return `${move.node.hostname} would be looked at first.`;
  }
}

function pause(ms: number, stop: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (stop.aborted) {
      reject(stop.reason);
      return;
    }
    const onAbort = (): void => {
      clearTimeout(timer);
      reject(stop.reason);
    };
    const timer = setTimeout(() => {
      stop.removeEventListener('abort', onAbort);
      resolve();
    }, ms);
    stop.addEventListener('abort', onAbort, { once: true });
  });
}

const timeOption = (flags: string, what: string, fallback: string): Option =>
  new Option(flags, what).argParser(time).default(time(fallback), fallback);

function time(text: string): number {
  const [, value, unit = 's'] = /^(\d{1,6}(?:\.\d+)?)(ms|s|m|h)$/.exec(text) ?? [];
  if (value === undefined) throw new InvalidArgumentError('Give a time, such as 500ms, 30s or 5m.');
  return Number(value) * ({ ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }[unit] ?? 1_000);
}

function count(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new InvalidArgumentError('Give a whole number from 1 on.');
  return Number(text);
}

function share(text: string): number {
  const [, value] = /^(\d{1,2}(?:\.\d+)?)%$/.exec(text) ?? [];
  if (value === undefined) throw new InvalidArgumentError('Give a share, such as 5%.');
  return Number(value) / 100;
}
