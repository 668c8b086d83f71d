/**
 * The command line and the environment of `nodemesh proxy`, and what they ask for. The only place that reads the
 * environment.
 */
import { isIP } from 'node:net';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { ENV } from '../control/contract.ts';
import { INCOMING, type ListenerSpec, OUTGOING, type ProxySpec } from './spec.ts';

/** A mistake on the command line or in the environment: one sentence, exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly exitCode = 2;
}

export const USAGE = [
  'Usage: nodemesh proxy [CONFIG] [options]',
  '',
  'The proxy of one node. Under a scheduler it needs no CONFIG; alone, CONFIG (YAML or JSON, - for standard input)',
  'says what to route.',
  '',
  '  --node-ip IP      the address to listen on under a scheduler',
  '  --ports LIST      out=4140,in=4141,admin=9990: any of them, the others keep their defaults',
  '  --data-dir DIR    where the last table is kept (default: proxy-state in the Mesos sandbox or here)',
  '  --access-log      one line on standard output for each request',
  '  -h, --help        this text',
  '',
  'Environment, set by the scheduler for the proxies that it starts:',
  `  ${ENV.schedulers}    URLs of the scheduler, separated by commas; set, the proxy runs under it`,
  `  ${ENV.agentId}      the Mesos agent of this node (needed under a scheduler)`,
  `  ${ENV.taskId}       the proxy's own Mesos task (needed under a scheduler)`,
  `  ${ENV.nodeIp}       the address to listen on, where --node-ip is not given`,
  `  ${ENV.clusterKey}   the key that scheduler and proxies show each other off loopback`,
  '  MESOS_SANDBOX          where proxy-state is, where --data-dir is not given',
].join('\n');

const DEFAULT_PORTS = { out: 4140, in: 4141, admin: 9990 } as const;
type PortName = keyof typeof DEFAULT_PORTS;

export type Command =
  | { readonly kind: 'help' }
  | { readonly kind: 'worker' }
  | { readonly kind: 'run'; readonly spec: ProxySpec };

type Environment = Readonly<Record<string, string | undefined>>;

export async function parseCommand(args: readonly string[], env: Environment, version: string): Promise<Command> {
  const { values, positionals } = parse(args);
  if (values.help === true) return { kind: 'help' };
  if (values.worker === true) return { kind: 'worker' };
  if (positionals.length > 1) throw new UsageError(`one CONFIG at most, and there are ${positionals.length}`);
  const [file] = positionals;
  const ports = parsePorts(values.ports ?? '');
  const nodeIp = values['node-ip'] ?? env[ENV.nodeIp];
  if (nodeIp !== undefined && isIP(nodeIp) === 0) throw new UsageError(`--node-ip '${nodeIp}' is not an IP address`);
  const dataDir = resolve(values['data-dir'] ?? join(env['MESOS_SANDBOX'] ?? '.', 'proxy-state'));
  const common = { version, dataDir, accessLog: values['access-log'] === true };
  const schedulers = env[ENV.schedulers];
  if (schedulers !== undefined && schedulers !== '') {
    if (file !== undefined) {
      throw new UsageError(`CONFIG is for a proxy without a scheduler, and ${ENV.schedulers} is set; leave one out`);
    }
    return { kind: 'run', spec: { ...common, ...meshSpec(nodeIp, ports, env, schedulers) } };
  }
  if (file === undefined) {
    throw new UsageError(`needs a CONFIG file, or a scheduler (${ENV.schedulers}); see nodemesh proxy --help`);
  }
  if (values.ports !== undefined || values['node-ip'] !== undefined) {
    throw new UsageError(`--ports and --node-ip are for a proxy under a scheduler; ${file} says where to listen`);
  }
  // Loaded only where there is a file: a worker under a scheduler starts without the YAML reader.
  const { loadConfig } = await import('./load.ts');
  const config = loadConfig(file);
  const listeners: ListenerSpec[] = [{ ...config.admin, serves: { kind: 'admin' } }];
  for (const { label, servers } of config.routers) {
    for (const server of servers) listeners.push({ ...server, serves: { kind: 'router', label } });
  }
  const routers = config.routers.map(({ label, dtab }) => ({ label, dtab }));
  const clusterKey = env[ENV.clusterKey] ?? null;
  return { kind: 'run', spec: { ...common, listeners, mode: { kind: 'static', routers, clusterKey } } };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        'node-ip': { type: 'string' },
        ports: { type: 'string' },
        'data-dir': { type: 'string' },
        'access-log': { type: 'boolean' },
        worker: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    const sentence = error instanceof Error ? error.message : String(error);
    throw new UsageError(sentence.split(/\. |\n/)[0] ?? sentence);
  }
}

function meshSpec(
  nodeIp: string | undefined,
  ports: Record<PortName, number>,
  env: Environment,
  schedulers: string,
): Pick<ProxySpec, 'listeners' | 'mode'> {
  if (nodeIp === undefined) throw new UsageError(`under a scheduler --node-ip (or ${ENV.nodeIp}) is needed`);
  return {
    listeners: [
      { ip: nodeIp, port: ports.admin, serves: { kind: 'admin' } },
      { ip: nodeIp, port: ports.out, serves: { kind: 'router', label: OUTGOING } },
      { ip: nodeIp, port: ports.in, serves: { kind: 'router', label: INCOMING } },
    ],
    mode: {
      kind: 'mesh',
      agentId: needed(env, ENV.agentId),
      taskId: needed(env, ENV.taskId),
      nodeIp,
      schedulers: schedulers.split(',').flatMap((text) => schedulerUrl(text.trim())),
      clusterKey: env[ENV.clusterKey] ?? null,
    },
  };
}

function needed(env: Environment, name: string): string {
  const value = env[name];
  if (value === undefined || value === '') throw new UsageError(`${ENV.schedulers} is set, so ${name} is needed too`);
  return value;
}

function schedulerUrl(text: string): string[] {
  if (text === '') return [];
  if (!URL.canParse(text) || new URL(text).protocol !== 'http:') {
    throw new UsageError(`${ENV.schedulers}: '${text}' is not a URL of the form http://host:port`);
  }
  return [text.replace(/\/+$/, '')];
}

function parsePorts(text: string): Record<PortName, number> {
  const ports: Record<PortName, number> = { ...DEFAULT_PORTS };
  for (const part of text.split(',').filter((piece) => piece !== '')) {
    const [name = '', value = '', ...more] = part.split('=');
    if (!Object.hasOwn(DEFAULT_PORTS, name) || more.length > 0) {
      throw new UsageError(`--ports: '${part}' is not one of out=PORT, in=PORT, admin=PORT`);
    }
    if (!/^\d{1,5}$/.test(value) || Number(value) > 65_535) {
      throw new UsageError(`--ports: '${value}' is not a port (0 to 65535)`);
    }
    ports[name as PortName] = Number(value);
  }
  const used = Object.values(ports).filter((port) => port !== 0);
  if (new Set(used).size < used.length) throw new UsageError('--ports: two of the ports are the same');
  return ports;
}
