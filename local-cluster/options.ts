/** The options of `nodemesh local`: from words to a checked record, with one clear line for what is wrong. */
import { isIPv4 } from 'node:net';
import { Command, InvalidArgumentError, Option } from 'commander';

export interface LocalOptions {
  readonly agents: number;
  readonly publicAgents: number;
  readonly demo: boolean;
  /** Requests a second of the demo's own traffic; 0 is off. */
  readonly load: number;
  readonly scheduler: boolean;
  /** The first three octets of the agents' addresses. */
  readonly agentNet: string;
  readonly controlIp: string;
  /** Null: a temporary directory, removed at exit. */
  readonly state: string | null;
  readonly json: boolean;
  readonly agentPingTimeoutMs: number;
}

/** One /24 holds .1 to .254, and agents that join later need room too. */
const MOST_AGENTS = 200;
const MOST_LOAD = 5000;

function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= least && value <= most)) {
      throw new InvalidArgumentError(`It must be a whole number from ${least} to ${most}.`);
    }
    return value;
  };
}

function ipv4(text: string): string {
  if (!isIPv4(text)) throw new InvalidArgumentError('It must be an IPv4 address of this machine, such as 127.0.0.1.');
  return text;
}

function network(text: string): string {
  if (!isIPv4(`${text}.1`)) {
    throw new InvalidArgumentError('It must be the first three octets of a /24, such as 127.0.1.');
  }
  return text;
}

/** `3`, `3s`, `3secs` or `500ms`, as Mesos' own flags are written. Milliseconds. */
function duration(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|secs)?$/.exec(text);
  const milliseconds = match === null ? Number.NaN : Number(match[1]) * (match[2] === 'ms' ? 1 : 1000);
  if (!(milliseconds >= 200 && milliseconds <= 3_600_000)) {
    throw new InvalidArgumentError('It must be a time from 200ms to 3600s, such as 3s.');
  }
  return milliseconds;
}

/** @throws commander's CommanderError for words that it does not understand, and for `--help`. */
export function parseLocalOptions(args: readonly string[]): LocalOptions {
  const command = new Command('nodemesh local')
    .description('Run a whole mesh on this machine: Mesos and Marathon in miniature, one proxy an agent, a demo.')
    .option('--agents <n>', 'private agents', wholeNumber(0, MOST_AGENTS), 3)
    .option('--public-agents <n>', 'public agents (role slave_public)', wholeNumber(0, MOST_AGENTS), 1)
    .option('--demo', 'run the demo application on Marathon (default)')
    .option('--no-demo', 'an empty Marathon')
    .option('--load <rps>', "the demo's own traffic, requests a second; 0 is off", wholeNumber(0, MOST_LOAD), 20)
    .option('--no-scheduler', 'master, agents and Marathon only')
    .option('--agent-net <net>', "a /24 for the agents' addresses", network, '127.0.1')
    .option('--control-ip <ip>', 'address of master, Marathon and scheduler', ipv4, '127.0.0.1')
    .option('--state <dir>', 'keep state, sandboxes and logs here (default: temporary, removed at exit)')
    .addOption(
      new Option('--agent-ping-timeout <time>', 'when a cut agent counts as unreachable')
        .argParser(duration)
        .default(3000, '3s'),
    )
    .option('--json', 'one line of JSON on standard output when ready', false)
    .allowExcessArguments(false)
    .exitOverride()
    .configureOutput({ writeErr: () => undefined });
  command.parse([...args], { from: 'user' });
  const options = command.opts<{
    agents: number;
    publicAgents: number;
    demo?: boolean;
    load: number;
    scheduler: boolean;
    agentNet: string;
    controlIp: string;
    state?: string;
    agentPingTimeout: number;
    json: boolean;
  }>();
  if (options.agents + options.publicAgents > MOST_AGENTS) {
    command.error(`error: --agents and --public-agents are together more than ${MOST_AGENTS}`);
  }
  return {
    agents: options.agents,
    publicAgents: options.publicAgents,
    demo: options.demo ?? true,
    load: options.load,
    scheduler: options.scheduler,
    agentNet: options.agentNet,
    controlIp: options.controlIp,
    state: options.state ?? null,
    json: options.json,
    agentPingTimeoutMs: options.agentPingTimeout,
  };
}
