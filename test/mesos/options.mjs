/** The command line of `npm run test:mesos`. */
import { parseArgs } from 'node:util';
import { SetUpError } from '../../dcos-package/build/progress.mjs';

export const USAGE = [
  'Usage: npm run test:mesos -- --master HOST:PORT|zk://… [options] [-- options of the scheduler]',
  '',
  'End-to-end stories with a scheduler of its own against a Mesos cluster that is already running, without Marathon.',
  'The last line of standard output is JSON; exit code 1 when a story failed.',
  '',
  '  --master WHERE          a master, several with commas, or zk://h1,h2/mesos',
  '  --ports LIST            of the proxies, out=…,in=…,admin=… (default: three that all agents have free)',
  '  --agents N              wait for so many agents (default: those that are registered)',
  '  --archive FILE          of the proxy, made by npm run package:proxy; host-node for the build and the Node.js of',
  '                          the agents (default: it is made, with a Node.js in it)',
  '  --agent-stop CMD        ends an agent, as by kill -9; {ip} and {agent} (its id) are filled in',
  '  --agent-start CMD       starts it again',
  '  --master-kill CMD       ends the leading master; {ip} and {port} are filled in; another takes over, or the same',
  '                          one is started again, by the command or by whatever looks after it',
  '  --proxy-kill CMD        ends the proxy on {ip} (its task is {task}), where agents are on other machines',
  '  --listen-ip IP          where agents reach this machine (default: its address towards them)',
  '  --stories A,B           only these, in their order; uninstall always comes last',
  '  --patience SECONDS      for what depends on the timeouts of the cluster (default 240)',
  '  --verbose               the log of the scheduler on standard error',
  '  --help                  this text',
  '',
  'What comes after a second -- is for the scheduler: --principal p --secret-file f, --role r, --user u, …',
].join('\n');

/**
 * @param {readonly string[]} words
 * @returns {import('./types.ts').Options | null} null: help is wanted
 * @throws a SetUpError with exit code 2 for what is not understood
 */
export function parseOptions(words) {
  const end = words.indexOf('--');
  const values = valuesOf(end === -1 ? words : words.slice(0, end));
  if (values.help) return null;
  if (values.master === undefined) throw new SetUpError('--master is missing; see npm run test:mesos -- --help', 2);
  return {
    master: values.master,
    ports: values.ports === undefined ? null : portsOf(values.ports),
    agents: values.agents === undefined ? null : count('--agents', values.agents),
    archive: values.archive ?? null,
    commands: {
      agentStop: values['agent-stop'] ?? null,
      agentStart: values['agent-start'] ?? null,
      masterKill: values['master-kill'] ?? null,
      proxyKill: values['proxy-kill'] ?? null,
    },
    listenIp: values['listen-ip'] ?? null,
    stories: values.stories?.split(',') ?? null,
    patienceMs: count('--patience', values.patience ?? '240') * 1000,
    verbose: values.verbose === true,
    words: end === -1 ? [] : words.slice(end + 1),
  };
}

/** @param {readonly string[]} words */
function valuesOf(words) {
  try {
    const { values } = parseArgs({
      args: [...words],
      options: {
        master: { type: 'string' },
        ports: { type: 'string' },
        agents: { type: 'string' },
        archive: { type: 'string' },
        'agent-stop': { type: 'string' },
        'agent-start': { type: 'string' },
        'master-kill': { type: 'string' },
        'proxy-kill': { type: 'string' },
        'listen-ip': { type: 'string' },
        stories: { type: 'string' },
        patience: { type: 'string' },
        verbose: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    });
    return values;
  } catch (error) {
    throw new SetUpError(
      `${error instanceof Error ? error.message : String(error)}; see npm run test:mesos -- --help`,
      2,
    );
  }
}

/**
 * @param {string} name
 * @param {string} text
 */
function count(name, text) {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw new SetUpError(`${name} ${text} is not a whole number from 1 on; see npm run test:mesos -- --help`, 2);
}

/** @param {string} text */
function portsOf(text) {
  const found = new Map(text.split(',').map((part) => /** @type {[string, string]} */ (part.split('=', 2))));
  const [out, incoming, admin] = ['out', 'in', 'admin'].map((name) => Number(found.get(name) ?? Number.NaN));
  if (found.size === 3 && out && incoming && admin) return { out, in: incoming, admin };
  throw new SetUpError(`--ports ${text} is not out=…,in=…,admin=…; see npm run test:mesos -- --help`, 2);
}
