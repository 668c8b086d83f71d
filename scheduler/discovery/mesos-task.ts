/**
 * From a task as Mesos describes it to where it is reached: its name, its ports, its address, its health. Pure.
 *
 * The words are those of include/mesos/v1/mesos.proto; how a task's own network is told from its agent's is what
 * Mesos-DNS, dcos-net and the SDK agree on (docs/discovery-mesos.md).
 */
import { isIP } from 'node:net';
import type { EndpointState } from '../../agent-proxy/control/contract.ts';
import type { NamedPort } from '../../agent-proxy/routing/marathon-addresses.ts';
import type { OperatorTask, TaskState, TaskStatus } from '../../framework/mesos-http-client/messages.ts';

/** The namer, and what the names of its services begin with. */
export const MESOS_PREFIX = 'io.nodemesh.mesos';

/** What a task says once, when it is launched. */
export interface Discoverable {
  /** The name that it has within its framework. */
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** `told`: Mesos' updates say whether the task has an address of its own. */
  readonly network: 'agent' | 'own' | 'told';
  /** Ports by which it is reached at its agent's address, and at its own. */
  readonly agentPorts: readonly NamedPort[];
  readonly ownPorts: readonly NamedPort[];
  readonly healthChecked: boolean;
}

/** What changes while it runs. */
export interface TaskCondition {
  readonly state: TaskState;
  /** Mesos has lost sight of its agent: the task may run or not. */
  readonly lost: boolean;
  /** What its health check said last; null: nothing yet. */
  readonly healthy: boolean | null;
  /** An address that is not known to be the agent's. `named`: it is on a network that has a name, as the agent's has none. */
  readonly own: { readonly ip: string; readonly named: boolean } | null;
  /** Milliseconds since the epoch. */
  readonly startedAt: number | null;
}

/** More ports than anybody names; a task that takes all of an agent's must not fill the table. */
const MAX_PORTS = 64;
/** Networks whose addresses are reached through the agent's ports only: that of Docker, and that of DC/OS' UCR. */
const BRIDGES: ReadonlySet<string> = new Set(['bridge', 'mesos-bridge']);

const ENDED: ReadonlySet<TaskState> = new Set([
  'TASK_FINISHED',
  'TASK_FAILED',
  'TASK_KILLED',
  'TASK_ERROR',
  'TASK_LOST',
  'TASK_DROPPED',
  'TASK_GONE',
  'TASK_GONE_BY_OPERATOR',
]);

/** Whether the task has ended for good. One that is lost with its agent may come back. */
export function hasEnded({ state, lost }: TaskCondition): boolean {
  return ENDED.has(state) && !lost;
}

/** `#io.nodemesh.mesos/<framework>/<name>`, in lower case; null where nothing is left of a name. */
export function serviceName(framework: string, name: string): string | null {
  const segments = [segmentsOf(framework), segmentsOf(name)];
  return segments.some((each) => each.length === 0) ? null : [`#${MESOS_PREFIX}`, ...segments.flat()].join('/');
}

/** Other characters than those of a host name could not be written in a path, and a colon begins a port. */
function segmentsOf(text: string): string[] {
  return text
    .toLowerCase()
    .split('/')
    .map((segment) => segment.replace(/[^a-z0-9._-]+/g, '-').replace(/^-+|-+$/g, ''))
    .filter((segment) => segment !== '');
}

/** Null for a task that is not to be found: without DiscoveryInfo, for its framework only, or without a port. */
export function discoverableOf(task: OperatorTask): Discoverable | null {
  const { discovery, container } = task;
  if (discovery === undefined || discovery.visibility === 'FRAMEWORK') return null;
  const docker = container?.docker?.network?.toUpperCase();
  const names = (container?.network_infos ?? []).flatMap(({ name }) => name ?? []);
  const network = networkOf(container?.type, docker, names);
  const agentPorts = portsAtAgent(task);
  const ownPorts = network === 'agent' ? [] : portsOf(task, 'host', (number) => number);
  if (agentPorts.length === 0 && ownPorts.length === 0) return null;
  return {
    name: discovery.name !== undefined && discovery.name !== '' ? discovery.name : task.name,
    labels: Object.fromEntries((task.labels?.labels ?? []).map(({ key, value }) => [key, value ?? ''])),
    network,
    agentPorts,
    ownPorts,
    healthChecked: task.health_check !== undefined,
  };
}

function networkOf(type: string | undefined, docker: string | undefined, names: readonly string[]) {
  if (type === 'DOCKER') return docker === 'USER' ? 'own' : 'agent';
  const [name] = names;
  if (name !== undefined) return BRIDGES.has(name) ? 'agent' : 'own';
  // A task of a group has the network of its executor, which only the updates tell.
  return 'told';
}

type DiscoveryPort = NonNullable<NonNullable<NonNullable<OperatorTask['discovery']>['ports']>['ports']>[number];

/** Behind a bridge a container's port is reached by the agent's port that is mapped to it. */
function portsAtAgent(task: OperatorTask): NamedPort[] {
  const { container } = task;
  const mappings = [
    ...(container?.docker?.port_mappings ?? []),
    ...(container?.network_infos ?? []).flatMap((network) => network.port_mappings ?? []),
  ];
  const named = portsOf(task, 'container', (number) => {
    return mappings.find((mapping) => mapping.container_port === number)?.host_port ?? number;
  });
  return task.discovery?.ports?.ports === undefined ? portsOfResources(task) : named;
}

/** Without the ports of the other scope. Index and name stay what they are, whatever is left out. */
function portsOf(task: OperatorTask, otherScope: 'host' | 'container', at: (number: number) => number): NamedPort[] {
  const named: NamedPort[] = [];
  for (const [index, port] of (task.discovery?.ports?.ports ?? []).slice(0, MAX_PORTS).entries()) {
    if (port.visibility === 'FRAMEWORK' || /^udp$/i.test(port.protocol ?? '') || scopeOf(port) === otherScope) continue;
    const number = at(port.number);
    if (number < 1 || number > 65_535) continue;
    const moved = index === named.length ? {} : { index };
    named.push({ name: port.name ?? `port${index}`, port: number, ...moved });
  }
  return named;
}

/** Marathon and the SDK say of a port on which side of a container it is. */
function scopeOf({ labels }: DiscoveryPort): string | undefined {
  return labels?.labels?.find(({ key }) => key === 'network-scope')?.value;
}

/** What Mesos-DNS makes of a task that names no port: those that it holds, in their order. */
function portsOfResources(task: OperatorTask): NamedPort[] {
  const named: NamedPort[] = [];
  for (const { begin, end } of task.resources.flatMap((one) =>
    one.name === 'ports' ? (one.ranges?.range ?? []) : [],
  )) {
    for (let port = begin; port <= end && named.length < MAX_PORTS; port += 1) {
      named.push({ name: `port${named.length}`, port });
    }
  }
  return named;
}

export function conditionOf(task: OperatorTask): TaskCondition {
  let condition: TaskCondition = { state: task.state, lost: false, healthy: null, own: null, startedAt: null };
  for (const status of task.statuses) condition = afterStatus(condition, status, task.state);
  return { ...condition, lost: condition.lost || task.state === 'TASK_UNREACHABLE' };
}

/** `state` is the newest: it may be ahead of a status that is not acknowledged yet. */
export function afterStatus(before: TaskCondition, status: TaskStatus, state: TaskState): TaskCondition {
  const running = status.state === 'TASK_RUNNING';
  return {
    state,
    // A framework that is not PARTITION_AWARE is told TASK_LOST, with the time since when nothing was heard.
    lost: state === 'TASK_UNREACHABLE' || (state === 'TASK_LOST' && status.unreachable_time !== undefined),
    healthy: status.healthy ?? before.healthy,
    own: addressOf(status) ?? before.own,
    startedAt:
      before.startedAt ?? (running && status.timestamp !== undefined ? Math.round(status.timestamp * 1000) : null),
  };
}

/** The first address that is on no bridge: on a network with a name before one without, IPv4 before IPv6. */
function addressOf(status: TaskStatus): TaskCondition['own'] {
  const infos = status.container_status?.network_infos ?? [];
  const usable = infos
    .filter(({ name }) => name === undefined || !BRIDGES.has(name))
    .flatMap((info) =>
      (info.ip_addresses ?? []).map((each) => ({ named: info.name !== undefined, ip: each.ip_address })),
    )
    .flatMap(({ named, ip }) => (ip === undefined || isIP(ip) === 0 || isLoopback(ip) ? [] : [{ named, ip }]));
  const named = usable.filter((each) => each.named);
  const best = named.length > 0 ? named : usable;
  return best.find(({ ip }) => isIP(ip) === 4) ?? best[0] ?? null;
}

function isLoopback(ip: string): boolean {
  return ip.startsWith('127.') || ip === '::1' || ip === '0.0.0.0' || ip === '::';
}

/** Where it is reached; null: nowhere yet. `agentAddress` is never a host name. */
export function locate(
  { network, agentPorts, ownPorts }: Discoverable,
  { own }: TaskCondition,
  agentAddress: string,
): { address: string; ports: readonly NamedPort[] } | null {
  const hasOwn = network === 'own' || (network === 'told' && own?.named === true);
  if (!hasOwn || ownPorts.length === 0) {
    return agentPorts.length === 0 ? null : { address: agentAddress, ports: agentPorts };
  }
  return own === null ? null : { address: own.ip, ports: ownPorts };
}

/** Null: it gets no traffic, and is in no table. */
export function endpointState({ healthChecked }: Discoverable, condition: TaskCondition): EndpointState | null {
  if (condition.lost) return 'suspect';
  if (condition.state === 'TASK_KILLING') return 'draining';
  if (condition.state !== 'TASK_RUNNING') return null;
  return (condition.healthy ?? !healthChecked) ? 'ready' : 'unhealthy';
}
