/**
 * Where a task of an app is reached: its address and ports depend on the networking mode. The rule is the one on which
 * Marathon itself, AdminRouter and marathon-lb agree. Pure.
 */
import { isIP } from 'node:net';
import type { MarathonDocument, MarathonTask } from './marathon-document.ts';

export interface NamedPort {
  readonly name: string;
  readonly port: number;
  /** Its position in the app's definitions, where that is not its position in the list: a port before it is missing. */
  readonly index?: number;
}

/** Or why it is not reached, as the end of a sentence about the task. */
export type Location =
  | { readonly kind: 'at'; readonly address: string; readonly ports: readonly NamedPort[] }
  | { readonly kind: 'nowhere'; readonly reason: string };

export type Locator = (task: MarathonTask, host: string) => Location;

/** A port as it was defined, whatever became of it. */
interface DefinedPort {
  readonly name?: string | undefined;
  readonly protocol?: string | undefined;
}

/** One locator serves all tasks of an app. */
export function locatorOf(app: MarathonDocument): Locator {
  const mappings = app.container?.portMappings ?? app.container?.docker?.portMappings ?? [];
  switch (modeOf(app)) {
    case 'host':
      return (task, host) => at(host, hostPorts(app, task));
    case 'bridge':
      // Every mapping gets a host port, asked for or not.
      return (task, host) => at(host, namedPorts((task.ports ?? []).slice(0, mappings.length), mappings));
    case 'container':
      return (task, host) => onContainerNetwork(app, task, host);
    case 'ip-per-task':
      return (task) => {
        const address = addressOf(task, 0);
        if (address === null) return NO_ADDRESS;
        const definitions = app.ipAddress?.discovery?.ports ?? [];
        return at(
          address,
          namedPorts(
            definitions.map((port) => port?.number),
            definitions,
          ),
        );
      };
  }
}

const NO_ADDRESS: Location = { kind: 'nowhere', reason: 'has no address on its network yet' };

function at(address: string, ports: readonly NamedPort[]): Location {
  return ports.length === 0 ? { kind: 'nowhere', reason: 'has no port' } : { kind: 'at', address, ports };
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

/**
 * The task's `ports` are host ports in the order of the definitions; without definitions they have no names. A task that
 * does not tell its ports has those of the definitions only where these are required.
 */
function hostPorts(app: MarathonDocument, task: MarathonTask): NamedPort[] {
  const definitions = app.portDefinitions;
  const allocated = task.ports ?? [];
  if (allocated.length === 0 && app.requirePorts === true) {
    return namedPorts(definitions?.map((definition) => definition?.port) ?? [], definitions);
  }
  return namedPorts(allocated.slice(0, definitions?.length), definitions);
}

/**
 * On a network of its own a task is reached at its own address and container ports. `task.ports` holds host ports only,
 * and only of those mappings that asked for one, so its index is not that of the mappings: walk the mappings and consume
 * a host port for each that has `hostPort`.
 */
function onContainerNetwork(app: MarathonDocument, task: MarathonTask, host: string): Location {
  const mappings = app.container?.portMappings ?? app.container?.docker?.portMappings ?? [];
  const hostPortOf: (number | undefined)[] = [];
  let consumed = 0;
  for (const mapping of mappings) {
    hostPortOf.push(mapping?.hostPort === undefined ? undefined : task.ports?.[consumed++]);
  }
  // An instance has one address: that of the network which its first mapping names; only mappings of it are reachable there.
  const network = mappings[0]?.networkNames?.[0];
  const position = network === undefined ? 0 : (app.networks?.findIndex((each) => each?.name === network) ?? 0);
  const own = addressOf(task, Math.max(position, 0));
  if (own === null) {
    // No address yet: what has a host port can be reached through the agent, the rest not at all.
    const ports = namedPorts(hostPortOf, mappings);
    return ports.length === 0 && mappings.length > 0 ? NO_ADDRESS : at(host, ports);
  }
  const ports = mappings.map((mapping, index) => {
    if (mapping === undefined) return undefined;
    const names = mapping.networkNames ?? [];
    if (network !== undefined && names.length > 0 && !names.includes(network)) return undefined;
    // Container port 0 means: the same number as the host port that was allocated.
    return mapping.containerPort === 0 ? hostPortOf[index] : mapping.containerPort;
  });
  return at(own, namedPorts(ports, mappings));
}

/**
 * The task's address on its n-th network, else the first. A dual-stack network adds an entry of the other family, so the
 * position counts within a family; IPv4 goes first, and IPv6 is used where there is nothing else.
 */
function addressOf(task: MarathonTask, position: number): string | null {
  const addresses = (task.ipAddresses ?? []).flatMap((entry) => entry?.ipAddress ?? []);
  return firstUsable(addresses, position);
}

/** The n-th usable address, else the first, of IPv4 addresses, and where there are none of IPv6 addresses. */
export function firstUsable(addresses: readonly string[], position: number): string | null {
  for (const family of [4, 6]) {
    const usable = addresses.filter((address) => isIP(address) === family && !isLocal(address));
    const found = usable[position] ?? usable[0];
    if (found !== undefined) return found;
  }
  return null;
}

/** Loopback, unspecified and link-local addresses mean something else on every node. */
function isLocal(address: string): boolean {
  return /^(127\.|0\.0\.0\.0$|169\.254\.|::1?$|fe[89ab])/i.test(address);
}

/**
 * Ports that exist, with their names; `port<n>` for one without a name, as in the task's environment (`PORT0`). A port
 * of UDP alone is passed over, for nothing of HTTP is behind it. The index of a port is its position in the definitions,
 * and is kept where a port before it is missing.
 */
export function namedPorts(
  ports: readonly (number | undefined)[],
  definitions: readonly (DefinedPort | undefined)[] = [],
): NamedPort[] {
  const out: NamedPort[] = [];
  ports.forEach((port, index) => {
    if (port === undefined || port < 1 || port > 65_535 || definitions[index]?.protocol === 'udp') return;
    const name = definitions[index]?.name ?? `port${index}`;
    out.push(index === out.length ? { name, port } : { name, port, index });
  });
  return out;
}
