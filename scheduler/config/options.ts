/**
 * Every option of the scheduler once: the command line, the environment, the configuration file, `--help` and
 * docs/scheduler-options.md are all made of this table.
 */
import { z } from 'zod';
import { parseConstraint } from '../../framework/index.ts';
import { apiTokenFile, basicCredentialFile, certificatesFile, secretFile, serviceAccountFile } from './files.ts';
import { marathons } from './marathons.ts';
import { meshConfig, meshConfigUrl } from './mesh-config.ts';
import * as values from './values.ts';

export interface OptionSpec {
  /** What stands behind the flag; null for a switch, whose value is `true` or `false`. */
  readonly value: string | null;
  readonly help: string;
  /** As it would be written; null: there is none. */
  readonly fallback: string | null;
  /** What happens without the option, where `fallback` does not tell. */
  readonly otherwise?: string;
  readonly needed?: true;
  /** May be given several times. */
  readonly repeated?: true;
  /** Another variable of the environment that is read where ours is not set. */
  readonly alias?: string;
  /** Has a `--no-` form. */
  readonly negatable?: true;
  readonly group: (typeof GROUPS)[number];
}

export const GROUPS = [
  'Where things are',
  'Who it is',
  'Where proxies run',
  'What a proxy is',
  'Changes',
  'Itself',
] as const;

/** In the order in which they are told. */
export const OPTIONS = {
  master: {
    value: 'url',
    help: 'the Mesos master: one URL, several with commas between, or zk://[user:pass@]h1,h2/path; redirects to the leader are followed',
    fallback: null,
    needed: true,
    group: 'Where things are',
  },
  marathon: {
    value: '[prefix=]url',
    help: 'a Marathon. The apps of the first are found under /#/io.l5d.marathon, those of others under /#/PREFIX',
    fallback: null,
    needed: true,
    repeated: true,
    group: 'Where things are',
  },
  mesosDiscovery: {
    value: 'on|off',
    help: "find the tasks of other frameworks too, by Mesos' operator stream, and believe it when it says that a task has ended",
    fallback: 'on',
    group: 'Where things are',
  },
  discoveryScope: {
    value: 'all|bound',
    help: 'which endpoints each proxy gets: all of them, or those of the services that it uses, on first use',
    fallback: 'all',
    group: 'Where things are',
  },
  state: {
    value: 'store',
    help: 'where to keep state: file:DIR, or zk://[user:pass@]h1,h2[/path]',
    fallback: null,
    needed: true,
    group: 'Where things are',
  },
  listen: {
    value: 'ip:port',
    help: 'API, dashboard and control streams',
    fallback: '127.0.0.1:4180',
    group: 'Where things are',
  },
  advertise: {
    value: 'url',
    help: 'base URL under which agents and proxies reach this scheduler',
    fallback: null,
    otherwise: 'the listener',
    group: 'Where things are',
  },
  name: { value: 'name', help: 'name of the framework', fallback: 'nodemesh', group: 'Who it is' },
  role: {
    value: 'role',
    help: 'Mesos role that resources are taken and reserved in',
    fallback: 'nodemesh',
    group: 'Who it is',
  },
  publicRole: {
    value: 'role',
    help: 'role that public agents are reserved to; none leaves them alone',
    fallback: 'slave_public',
    group: 'Who it is',
  },
  user: {
    value: 'user',
    help: 'the user that proxies run as',
    fallback: null,
    otherwise: 'the one that runs this',
    group: 'Who it is',
  },
  principal: {
    value: 'name',
    help: 'principal of the framework and its reservations',
    fallback: null,
    otherwise: 'that of the service account, or none',
    group: 'Who it is',
  },
  secretFile: {
    value: 'file',
    help: 'file with the secret of the principal, for Basic authentication at the master',
    fallback: null,
    group: 'Who it is',
  },
  serviceAccountFile: {
    value: 'file',
    help: 'file with the credential of a DC/OS service account (JSON), to log in to Mesos and Marathon with',
    fallback: null,
    group: 'Who it is',
  },
  marathonCredentialFile: {
    value: 'file',
    help: 'file with user:password, for Basic authentication at Marathon',
    fallback: null,
    otherwise: 'the service account, or none',
    group: 'Who it is',
  },
  mesosCaFile: {
    value: 'file',
    help: 'certificates (PEM) that https to Mesos and Marathon is trusted by, instead of those of the system',
    fallback: null,
    group: 'Who it is',
  },
  constraint: {
    value: 'field:op:value',
    help: "which agents get a proxy, in Marathon's words: @zone:IS:z2, rack:LIKE:r[1-3], @public:IS:false",
    fallback: null,
    otherwise: 'all agents',
    repeated: true,
    group: 'Where proxies run',
  },
  ports: {
    value: 'list',
    help: "the proxies' ports; edge is the edge router's, on public agents (none: there is none)",
    fallback: 'out=4140,in=4141,admin=9990,edge=4143',
    group: 'Where proxies run',
  },
  bind: {
    value: 'where',
    help: 'where proxies listen: node, on the address of their agent; config, as their configuration says',
    fallback: 'node',
    group: 'Where proxies run',
  },
  publicListeners: {
    value: 'edge|all',
    help: 'what of a proxy on a public agent listens beyond loopback: its edge router (and the control endpoint, with its key), or all of it',
    fallback: 'edge',
    group: 'Where proxies run',
  },
  edgeGroups: {
    value: 'names',
    help: 'what HAPROXY_VHOST labels expose at the edge: these groups of marathon-lb (HAPROXY_GROUP), - for apps that name none, * for all',
    fallback: 'external,-',
    group: 'Where proxies run',
  },
  reserve: {
    value: null,
    help: "hold each agent's resources for its proxy, so that it gets its place back",
    fallback: 'true',
    negatable: true,
    group: 'Where proxies run',
  },
  proxyArchive: {
    value: 'file',
    help: "an archive of the proxy, or host-node: this build, with the agents' Node.js; the first is what proxies are to be",
    fallback: null,
    otherwise: 'the newest in dist/package, else host-node',
    repeated: true,
    group: 'What a proxy is',
  },
  proxyWorkers: { value: 'n', help: 'processes of each proxy that serve', fallback: '1', group: 'What a proxy is' },
  proxyCpus: {
    value: 'n',
    help: 'CPUs of each proxy',
    fallback: null,
    otherwise: '1 a worker',
    group: 'What a proxy is',
  },
  proxyCpusLimit: {
    value: 'n',
    help: 'how many CPUs it may use where they are free, or unlimited (Mesos 1.10 and later)',
    fallback: null,
    otherwise: 'no more than it asks for',
    group: 'What a proxy is',
  },
  proxyMem: { value: 'mb', help: 'memory of each proxy', fallback: '256', group: 'What a proxy is' },
  proxyDisk: { value: 'mb', help: 'disk of each proxy', fallback: '256', group: 'What a proxy is' },
  proxyImage: {
    value: 'name',
    help: 'run proxies in this image, and not from the archive',
    fallback: null,
    otherwise: 'from the archive',
    group: 'What a proxy is',
  },
  containerizer: {
    value: 'name',
    help: 'who runs the image: mesos (UCR) or docker',
    fallback: 'mesos',
    group: 'What a proxy is',
  },
  meshConfig: {
    value: 'base64',
    help: 'the configuration of the proxies, a linkerd.yaml in base64: the first revision of a new mesh; another one later goes out by a plan',
    fallback: null,
    otherwise: 'the defaults: linker to linker',
    group: 'What a proxy is',
  },
  meshConfigUrl: {
    value: 'url',
    help: 'where to read it from, instead; read once, at the start',
    fallback: null,
    group: 'What a proxy is',
  },
  strategy: {
    value: 'kind',
    help: 'how a new version goes over the cluster: gate[:CANARIES[:SHARES]], judged by its traffic and turned back by itself, or by the health of its nodes alone: serial, parallel, canary[:N], percentages:10,50,100',
    fallback: 'gate:1:10,50,100',
    group: 'Changes',
  },
  maxUnavailable: {
    value: 'n',
    help: 'so many proxies at most are taken down at a time',
    fallback: '1',
    group: 'Changes',
  },
  rolloutGate: {
    value: 'time',
    help: 'a node is done when it was healthy for so long',
    fallback: '10s',
    group: 'Changes',
  },
  rolloutStepTimeout: {
    value: 'time',
    help: 'a node that is not done after so long has failed: with the strategy gate the rollout is turned back, else it stops',
    fallback: '5m',
    group: 'Changes',
  },
  rolloutWindow: {
    value: 'time',
    help: 'strategy gate: how long the traffic of each step has to show no harm',
    fallback: '30s',
    group: 'Changes',
  },
  rolloutMinRequests: {
    value: 'n',
    help: 'strategy gate: with fewer requests on the nodes of a step its window is widened, and then it passes as unproven',
    fallback: '100',
    group: 'Changes',
  },
  dtabCheck: {
    value: 'on|off',
    help: 'refuse a change of a dtab under which a name with traffic in the last hour would no longer bind; off: as namerd',
    fallback: 'on',
    group: 'Changes',
  },
  uninstall: {
    value: null,
    help: 'take everything away: proxies, reservations, the framework and its state',
    fallback: 'false',
    alias: 'SDK_UNINSTALL',
    group: 'Changes',
  },
  apiTokenFile: {
    value: 'file',
    help: 'file with the token that writes need; not needed on loopback',
    fallback: null,
    otherwise: 'writes on loopback only',
    group: 'Itself',
  },
  adminRouter: {
    value: 'url',
    help: "DC/OS' Admin Router, as in https://leader.mesos: whom it lets through to /service/NAME/ may write, too",
    fallback: null,
    otherwise: 'writes with the API token only',
    group: 'Itself',
  },
  logLevel: { value: 'level', help: values.LOG_LEVELS.join(', '), fallback: 'info', group: 'Itself' },
} as const satisfies Record<string, OptionSpec>;

export type OptionName = keyof typeof OPTIONS;

/** What the text of each option has to be. An option that is absent is null where it has no default. */
export const optionsSchema = z.object({
  master: values.master,
  marathon: marathons,
  mesosDiscovery: z.enum(['on', 'off'], 'must be on or off'),
  discoveryScope: z.enum(values.SCOPES, `must be one of ${values.SCOPES.join(', ')}`),
  state: values.state,
  listen: values.listen,
  advertise: values.baseUrl.nullable(),
  name: values.name,
  role: values.role,
  publicRole: values.publicRole,
  user: values.text.min(1, 'must not be empty').nullable(),
  principal: values.text.min(1, 'must not be empty').nullable(),
  secretFile: secretFile.nullable(),
  serviceAccountFile: serviceAccountFile.nullable(),
  marathonCredentialFile: basicCredentialFile.nullable(),
  mesosCaFile: certificatesFile.nullable(),
  constraint: z.array(values.textual(parseConstraint)).nullable(),
  ports: values.ports,
  bind: z.enum(values.BINDS, `must be one of ${values.BINDS.join(', ')}`),
  publicListeners: z.enum(values.PUBLIC_LISTENERS, `must be one of ${values.PUBLIC_LISTENERS.join(', ')}`),
  edgeGroups: values.groups,
  reserve: values.boolean,
  proxyArchive: z.array(values.archive).nullable(),
  proxyWorkers: values.amount(1, 'a whole number from 1 on'),
  proxyCpus: values.cpus.nullable(),
  proxyCpusLimit: values.cpusLimit.nullable(),
  proxyMem: values.amount(32, 'a whole number of megabytes from 32 on'),
  proxyDisk: values.amount(0, 'a whole number of megabytes'),
  proxyImage: values.text.min(1, 'must not be empty').nullable(),
  containerizer: z.enum(values.CONTAINERIZERS, `must be one of ${values.CONTAINERIZERS.join(', ')}`),
  meshConfig: meshConfig.nullable(),
  meshConfigUrl: meshConfigUrl.nullable(),
  strategy: values.strategy,
  maxUnavailable: values.amount(1, 'a whole number from 1 on'),
  rolloutGate: values.duration,
  rolloutStepTimeout: values.duration.refine((ms) => ms > 0, 'must be longer than nothing'),
  rolloutWindow: values.duration,
  rolloutMinRequests: values.amount(0, 'a whole number'),
  dtabCheck: z.enum(values.SWITCH, `must be one of ${values.SWITCH.join(', ')}`),
  uninstall: values.boolean,
  apiTokenFile: apiTokenFile.nullable(),
  adminRouter: values.baseUrl.nullable(),
  logLevel: z.enum(values.LOG_LEVELS, `must be one of ${values.LOG_LEVELS.join(', ')}`),
} satisfies Record<OptionName, z.ZodType>);

export function specOf(name: OptionName): OptionSpec {
  return OPTIONS[name];
}

export function isOptionName(name: string): name is OptionName {
  return Object.hasOwn(OPTIONS, name);
}

export const optionNames = (): OptionName[] => Object.keys(OPTIONS).filter(isOptionName);

export const kebab = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

export const flagOf = (name: string): string => `--${kebab(name)}`;

export const variableOf = (name: string): string => `NODEMESH_${kebab(name).replaceAll('-', '_').toUpperCase()}`;
