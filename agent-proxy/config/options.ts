/**
 * The command line and the environment of `nodemesh proxy`, and what they ask for. The only place that reads the
 * environment.
 */
import { isIP } from 'node:net';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { newEnrolment } from '../control/enrolment.ts';
import { ENV } from '../control/environment.ts';
import type { WantedCode } from '../supervisor/code-fetch.ts';
import { allottedCpus } from './cpus.ts';
import type { ProxyConfig } from './load.ts';
import { MESH_ADMIN, MESH_IP, meshRouters } from './mesh-config.ts';
import { maxConnections, openFileLimit } from './open-files.ts';
import type { RouterConfig } from './schema/linkerd.ts';
import type { ListenerSpec, MeshListen, ProxySpec } from './spec.ts';

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
  'SIGHUP has CONFIG read again, and drops no connection. SIGTERM lets requests finish; a second one does not.',
  '',
  '  --validate        only checks CONFIG: says what is wrong with it, and exits',
  '  --workers N       processes that serve (default 1); auto for one on each CPU that the cgroup allots',
  '  --node-ip IP      the address of this node: to listen on under a scheduler, else to know what is local',
  '  --bind WHERE      under a scheduler: node (default) to listen on --node-ip alone, config to listen as the',
  '                    configuration says: on every address, where it says nothing',
  '  --ports LIST      out=4140,in=4141,admin=9990: any of them, the others keep their defaults; edge=PORT for an',
  '                    edge router too, which serves the apps that are exposed by labels to anybody',
  '  --data-dir DIR    where the last table is kept (default: proxy-state in the Mesos sandbox or here)',
  '  --access-log      one line on standard output for each request',
  '  -h, --help        this text',
  '',
  'Environment, set by the scheduler for the proxies that it starts:',
  `  ${ENV.schedulers}    URLs of the scheduler, separated by commas; set, the proxy runs under it`,
  `  ${ENV.agentId}      the Mesos agent of this node (needed under a scheduler)`,
  `  ${ENV.taskId}       the proxy's own Mesos task (needed under a scheduler)`,
  `  ${ENV.nodeIp}       the address to listen on, where --node-ip is not given`,
  `  ${ENV.innerIp}      on a public agent: where all but its edge and control endpoint listens`,
  `  ${ENV.token}         with it the proxy enrols at the scheduler, once`,
  `  ${ENV.clusterKey}   without a token: the key that scheduler and proxies show each other off loopback`,
  '  DCOS_SERVICE_ACCOUNT_CREDENTIAL, MARATHON_HTTP_AUTH_CREDENTIAL',
  '                         what namer io.l5d.marathon logs in with, as for linkerd',
  '  MESOS_SANDBOX          where proxy-state is, where --data-dir is not given',
].join('\n');

const DEFAULT_PORTS = { out: 4140, in: 4141, admin: 9990, edge: null } as const;
type PortName = keyof typeof DEFAULT_PORTS;
/** Null: there is none. */
type Ports = Record<Exclude<PortName, 'edge'>, number> & { edge: number | null };

export type Command =
  | { readonly kind: 'help' }
  /** Internal: a worker, started by its supervisor. */
  | { readonly kind: 'worker' }
  /** Internal: checks a file for its supervisor. */
  | { readonly kind: 'check' | 'check-mesh'; readonly file: string }
  /** Internal: fetches the code of an upgrade for its supervisor. */
  | { readonly kind: 'fetch-code'; readonly wanted: WantedCode; readonly directory: string }
  | { readonly kind: 'validate'; readonly file: string }
  | { readonly kind: 'run'; readonly workers: number; readonly source: Source };

/** Where the specification of the proxy comes from. */
export type Source =
  | { readonly kind: 'scheduler'; readonly spec: ProxySpec }
  /** Most of it from a file, that is yet to be read. */
  | { readonly kind: 'file'; readonly file: string; readonly common: CommonSpec };

type FromConfig = Pick<ProxySpec, 'listeners' | 'admin' | 'routers' | 'namers' | 'telemetry'>;
/** What the command line and the environment say, whatever the configuration is. */
export type CommonSpec = Omit<ProxySpec, keyof FromConfig | 'mesh'>;

type Environment = Readonly<Record<string, string | undefined>>;

/** Throws a {@link UsageError}. */
export function parseCommand(args: readonly string[], env: Environment, version: string): Command {
  const { values, positionals } = parse(args);
  if (values.help === true) return { kind: 'help' };
  if (values.worker === true) return { kind: 'worker' };
  if (positionals.length > 1) throw new UsageError(`one CONFIG at most, and there are ${positionals.length}`);
  const [file] = positionals;
  if (file !== undefined && values.check === true) return { kind: 'check', file };
  if (file !== undefined && values['check-mesh'] === true) return { kind: 'check-mesh', file };
  const wanted = values['fetch-code'];
  if (file !== undefined && wanted !== undefined) {
    return { kind: 'fetch-code', wanted: JSON.parse(wanted), directory: file };
  }
  if (values.validate === true) {
    if (file === undefined) throw new UsageError('--validate needs a CONFIG file');
    return { kind: 'validate', file };
  }
  const nodeIp = values['node-ip'] ?? env[ENV.nodeIp];
  if (nodeIp !== undefined && isIP(nodeIp) === 0) throw new UsageError(`--node-ip '${nodeIp}' is not an IP address`);
  const common: CommonSpec = {
    version,
    dataDir: resolve(values['data-dir'] ?? join(env['MESOS_SANDBOX'] ?? '.', 'proxy-state')),
    accessLog: values['access-log'] === true,
    nodeIp: nodeIp ?? null,
    clusterKey: env[ENV.clusterKey] ?? null,
    enrolment: enrolmentOf(env),
    credentials: credentialsOf(env),
    maxConnections: maxConnections(openFileLimit()),
  };
  const workers = workersOf(values.workers ?? '1');
  const schedulers = env[ENV.schedulers];
  if (schedulers !== undefined && schedulers !== '') {
    if (file !== undefined) {
      throw new UsageError(`CONFIG is for a proxy without a scheduler, and ${ENV.schedulers} is set; leave one out`);
    }
    const bind = bindOf(values.bind ?? 'node');
    const spec = { ...common, ...meshSpec(nodeIp, bind, parsePorts(values.ports ?? ''), env, schedulers) };
    return { kind: 'run', workers, source: { kind: 'scheduler', spec } };
  }
  if (file === undefined) {
    throw new UsageError(`needs a CONFIG file, or a scheduler (${ENV.schedulers}); see nodemesh proxy --help`);
  }
  for (const option of ['ports', 'bind'] as const) {
    if (values[option] === undefined) continue;
    throw new UsageError(`--${option} is for a proxy under a scheduler; ${file} says where to listen`);
  }
  return { kind: 'run', workers, source: { kind: 'file', file, common } };
}

/** What a configuration says of the proxy's specification. */
export function configSpec(config: ProxyConfig): FromConfig {
  const { admin, routers, namers, telemetry } = config;
  return {
    listeners: [{ ...admin, serves: { kind: 'admin' } as const }, ...listenersOf(routers)],
    admin,
    routers,
    namers,
    telemetry,
  };
}

/** Where the scheduler reaches a proxy whose admin server is for its own node. */
export function controlListeners(nodeIp: string, { innerIp, ports }: MeshListen): ListenerSpec[] {
  if (innerIp === undefined || innerIp === nodeIp) return [];
  return [{ ip: nodeIp, port: ports.admin, serves: { kind: 'admin', controlOnly: true } }];
}

function listenersOf(routers: readonly RouterConfig[]): ListenerSpec[] {
  return routers.flatMap(({ label, servers }) =>
    servers.map(
      ({ ip, port, socketOptions: { backlog } }, server): ListenerSpec => ({
        ...{ ip, port, backlog },
        serves: { kind: 'router', label, server },
      }),
    ),
  );
}

function enrolmentOf(env: Environment): ProxySpec['enrolment'] {
  const token = env[ENV.token];
  return token === undefined || token === '' ? null : newEnrolment(token);
}

/** Marathon's credentials, as linkerd's namer takes them. */
function credentialsOf(env: Environment): ProxySpec['credentials'] {
  return {
    serviceAccount: env['DCOS_SERVICE_ACCOUNT_CREDENTIAL'] ?? null,
    basic: env['MARATHON_HTTP_AUTH_CREDENTIAL'] ?? null,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        'node-ip': { type: 'string' },
        ports: { type: 'string' },
        bind: { type: 'string' },
        'data-dir': { type: 'string' },
        'access-log': { type: 'boolean' },
        validate: { type: 'boolean' },
        workers: { type: 'string' },
        check: { type: 'boolean' },
        'check-mesh': { type: 'boolean' },
        'fetch-code': { type: 'string' },
        worker: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    const sentence = error instanceof Error ? error.message : String(error);
    throw new UsageError(sentence.split(/\. |\n/)[0] ?? sentence);
  }
}

/** More would not be heard of by each other in time. */
const MOST_WORKERS = 64;

function workersOf(text: string): number {
  if (text === 'auto') return Math.min(MOST_WORKERS, allottedCpus());
  const workers = /^\d{1,3}$/.test(text) ? Number(text) : 0;
  if (workers < 1 || workers > MOST_WORKERS) {
    throw new UsageError(`--workers '${text}' is not a number from 1 to ${MOST_WORKERS}, nor auto`);
  }
  return workers;
}

function bindOf(text: string): 'node' | 'config' {
  if (text === 'node' || text === 'config') return text;
  throw new UsageError(`--bind '${text}' is neither node nor config`);
}

function meshSpec(
  nodeIp: string | undefined,
  bind: 'node' | 'config',
  ports: Ports,
  env: Environment,
  schedulers: string,
): FromConfig & Pick<ProxySpec, 'mesh'> {
  if (nodeIp === undefined) throw new UsageError(`under a scheduler --node-ip (or ${ENV.nodeIp}) is needed`);
  const ip = bind === 'node' ? nodeIp : MESH_IP;
  const innerIp = env[ENV.innerIp] ?? '';
  const listen: MeshListen = {
    ip,
    isFixed: bind === 'node',
    ...(innerIp === '' ? {} : { innerIp }),
    ports: { outgoing: ports.out, incoming: ports.in, admin: ports.admin, edge: ports.edge },
  };
  const routers = meshRouters(listen);
  const admin = { ip: listen.innerIp ?? ip, port: ports.admin };
  return {
    listeners: [{ ...admin, serves: { kind: 'admin' } }, ...listenersOf(routers), ...controlListeners(nodeIp, listen)],
    admin: MESH_ADMIN,
    routers,
    namers: [],
    telemetry: [],
    mesh: {
      agentId: needed(env, ENV.agentId),
      taskId: needed(env, ENV.taskId),
      nodeIp,
      schedulers: schedulers.split(',').flatMap((text) => schedulerUrl(text.trim())),
      listen,
      config: null,
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

function parsePorts(text: string): Ports {
  const ports: Ports = { ...DEFAULT_PORTS };
  for (const part of text.split(',').filter((piece) => piece !== '')) {
    const [name = '', value = '', ...more] = part.split('=');
    if (!Object.hasOwn(DEFAULT_PORTS, name) || more.length > 0) {
      throw new UsageError(`--ports: '${part}' is not one of out=PORT, in=PORT, admin=PORT, edge=PORT`);
    }
    if (!/^\d{1,5}$/.test(value) || Number(value) > 65_535) {
      throw new UsageError(`--ports: '${value}' is not a port (0 to 65535)`);
    }
    ports[name as PortName] = Number(value);
  }
  const used = Object.values(ports).filter((port) => port !== 0 && port !== null);
  if (new Set(used).size < used.length) throw new UsageError('--ports: two of the ports are the same');
  return ports;
}
