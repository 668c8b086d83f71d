/**
 * The pure part of Marathon discovery: an app's JSON → where its running instances are. Addresses and ports depend on
 * the networking mode; the rule is the one on which Marathon itself, AdminRouter and marathon-lb agree.
 */
import { type MarathonDocument, type MarathonTask, marathonAppSchema, type PortMapping } from './marathon-document.ts';

export interface NamedPort {
  readonly name: string;
  readonly port: number;
}

/** `unchecked`: the app has no health checks. `unknown`: it has, and Marathon has no result of each for this task yet. */
export type MarathonHealth = 'unchecked' | 'passing' | 'failing' | 'unknown';

export interface MarathonInstance {
  readonly taskId: string;
  /** Mesos' agent id (`slaveId` in Marathon). */
  readonly agentId: string;
  /** The agent as Marathon names it: an address in DC/OS, a host name elsewhere. */
  readonly host: string;
  /** Equal to `host` in host and bridge mode; the task's own address on a container network. */
  readonly address: string;
  readonly port: number;
  readonly ports: readonly NamedPort[];
  readonly health: MarathonHealth;
  /** What `health` means when nothing else is known: only `unchecked` and `passing` get traffic. */
  readonly state: 'ready' | 'unhealthy';
}

export interface MarathonApp {
  /** With its leading slash. */
  readonly id: string;
  /** The id without the leading slash: `team/api`. */
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Running tasks that can be reached, in the order of their ids. */
  readonly instances: readonly MarathonInstance[];
}

interface Location {
  readonly address: string;
  readonly ports: readonly NamedPort[];
}

type Locator = (task: MarathonTask, host: string) => Location | null;

/** One app as `GET /v2/apps/<id>` (`.app`) or an element of `GET /v2/apps` shows it; null when it is not an app. */
export function readMarathonApp(document: unknown): MarathonApp | null {
  const parsed = marathonAppSchema.safeParse(document);
  if (!parsed.success) return null;
  const app = parsed.data;
  const locate = locatorOf(app);
  const instances: MarathonInstance[] = [];
  const seen = new Set<string>();
  for (const task of app.tasks ?? []) {
    if (task.state !== 'TASK_RUNNING' || !task.slaveId || !task.host || seen.has(task.id)) continue;
    const location = locate(task, task.host);
    const first = location?.ports[0];
    if (location === null || first === undefined) continue;
    seen.add(task.id);
    const health = healthOf(app, task);
    instances.push({
      taskId: task.id,
      agentId: task.slaveId,
      host: task.host,
      address: location.address,
      port: first.port,
      ports: location.ports,
      health,
      state: health === 'unchecked' || health === 'passing' ? 'ready' : 'unhealthy',
    });
  }
  instances.sort((a, b) => (a.taskId < b.taskId ? -1 : 1));
  const name = app.id.replace(/^\//, '');
  return { id: `/${name}`, name, labels: app.labels, instances };
}

/** Marathon calls a task healthy when every one of its checks has a result and all are alive. */
function healthOf(app: MarathonDocument, task: MarathonTask): MarathonHealth {
  // Results of readiness checks exist only while a deployment runs; then they decide with the health checks.
  const deploying = (app.deployments?.length ?? 0) > 0;
  if (deploying && app.readinessCheckResults?.some((result) => result.taskId === task.id && result.ready === false)) {
    return 'failing';
  }
  const checks = app.healthChecks?.length ?? 0;
  if (checks === 0) return 'unchecked';
  const results = task.healthCheckResults ?? [];
  if (results.some((result) => result.alive === false)) return 'failing';
  return results.filter((result) => result.alive === true).length >= checks ? 'passing' : 'unknown';
}

function locatorOf(app: MarathonDocument): Locator {
  const mappings = app.container?.portMappings ?? app.container?.docker?.portMappings ?? [];
  switch (modeOf(app)) {
    case 'host':
      return (task, host) => ({ address: host, ports: hostPorts(app, task) });
    case 'bridge':
      return (task, host) => ({ address: host, ports: bridgePorts(mappings, task) });
    case 'container':
      return (task, host) => onContainerNetwork(app, mappings, task, host);
    case 'ip-per-task':
      return (task) => {
        const address = addressOf(task, 0);
        if (address === null) return null;
        const ports = (app.ipAddress?.discovery?.ports ?? []).map((port) => port?.number);
        return { address, ports: named(ports, (index) => app.ipAddress?.discovery?.ports?.[index]?.name) };
      };
  }
}

/** `networks` since Marathon 1.5; before it, docker's network or the presence of `ipAddress` told the mode. */
function modeOf(app: MarathonDocument): 'host' | 'bridge' | 'container' | 'ip-per-task' {
  const network = app.networks?.[0];
  if (app.networks !== undefined && app.networks.length > 0) {
    if (network?.mode === 'host') return 'host';
    return network?.mode === 'container/bridge' ? 'bridge' : 'container';
  }
  const docker = app.container?.docker?.network?.toUpperCase();
  if (docker === 'HOST') return 'host';
  if (docker === 'BRIDGE') return 'bridge';
  const hasMappings = (app.container?.docker?.portMappings ?? app.container?.portMappings ?? []).length > 0;
  if (docker === 'USER') return hasMappings ? 'container' : 'ip-per-task';
  return app.ipAddress === undefined ? 'host' : 'ip-per-task';
}

/** The task's `ports` are host ports in the order of the definitions; without definitions they have no names. */
function hostPorts(app: MarathonDocument, task: MarathonTask): NamedPort[] {
  const definitions = app.portDefinitions;
  const ports = (task.ports ?? []).slice(0, definitions?.length);
  return named(ports, (index) => definitions?.[index]?.name);
}

/** In bridge mode every mapping gets a host port, asked for or not. */
function bridgePorts(mappings: readonly (PortMapping | undefined)[], task: MarathonTask): NamedPort[] {
  return named((task.ports ?? []).slice(0, mappings.length), (index) => mappings[index]?.name);
}

/**
 * On a network of its own a task is reached at its own address and container ports. `task.ports` holds host ports only,
 * and only of those mappings that asked for one, so its index is not that of the mappings: walk the mappings and consume
 * a host port for each that has `hostPort`.
 */
function onContainerNetwork(
  app: MarathonDocument,
  mappings: readonly (PortMapping | undefined)[],
  task: MarathonTask,
  host: string,
): Location | null {
  const hostPortOf: (number | undefined)[] = [];
  let consumed = 0;
  for (const mapping of mappings) {
    hostPortOf.push(mapping?.hostPort === undefined ? undefined : task.ports?.[consumed++]);
  }
  // An instance has one address: that of the network which its first mapping names; only mappings of it are reachable there.
  const network = mappings[0]?.networkNames?.[0];
  const position = network === undefined ? 0 : (app.networks?.findIndex((each) => each?.name === network) ?? 0);
  const own = addressOf(task, Math.max(position, 0));
  const nameOf = (index: number): string | undefined => mappings[index]?.name;
  if (own === null) {
    // No address yet: what has a host port can be reached through the agent, the rest not at all.
    const ports = named(hostPortOf, nameOf);
    return ports.length === 0 ? null : { address: host, ports };
  }
  const ports = mappings.map((mapping, index) => {
    if (mapping === undefined) return undefined;
    const names = mapping.networkNames ?? [];
    if (network !== undefined && names.length > 0 && !names.includes(network)) return undefined;
    // Container port 0 means: the same number as the host port that was allocated.
    return mapping.containerPort === 0 ? hostPortOf[index] : mapping.containerPort;
  });
  return { address: own, ports: named(ports, nameOf) };
}

/** The task's address on its n-th network, else the first: IPv4 (a dual-stack network adds an IPv6 entry) and not loopback. */
function addressOf(task: MarathonTask, position: number): string | null {
  const usable = (task.ipAddresses ?? []).flatMap((entry) => {
    const address = entry?.ipAddress;
    if (address === undefined || !/^\d+\.\d+\.\d+\.\d+$/.test(address)) return [];
    return address.startsWith('127.') || address === '0.0.0.0' ? [] : [address];
  });
  return usable[position] ?? usable[0] ?? null;
}

/** Ports that exist, with their names; `port<n>` for one without a name, as in the task's environment (`PORT0`). */
function named(ports: readonly (number | undefined)[], nameOf: (index: number) => string | undefined): NamedPort[] {
  const out: NamedPort[] = [];
  ports.forEach((port, index) => {
    if (port === undefined || port < 1 || port > 65_535) return;
    out.push({ name: nameOf(index) ?? `port${index}`, port });
  });
  return out;
}
