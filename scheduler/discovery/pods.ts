/**
 * The pure part of discovery for pods: a pod's status, joined with its definitions → its instances. The status does not
 * tell container ports, and a definition that has changed since says nothing of instances that are older: each is read
 * by the definition of its own version.
 */
import { firstUsable, type NamedPort, namedPorts } from '../../agent-proxy/routing/marathon-addresses.ts';
import {
  type LeftOut,
  type MarathonApp,
  type MarathonHealth,
  type MarathonInstance,
  timeOf,
} from '../../agent-proxy/routing/marathon-endpoints.ts';
import { portFactsOf } from '../../agent-proxy/routing/marathon-ports.ts';
import {
  type PodContainer,
  type PodInstance,
  type PodSpec,
  type PodStatus,
  podSpecSchema,
  podStatusSchema,
} from './pod-document.ts';

const NO_DEFINITION = 'has a definition that Marathon does not tell';

/** Null when it is no pod. */
export function readPodStatus(document: unknown): PodStatus | null {
  const parsed = podStatusSchema.safeParse(document);
  return parsed.success ? parsed.data : null;
}

/** Null when it is no definition of a pod. */
export function readPodSpec(document: unknown): PodSpec | null {
  const parsed = podSpecSchema.safeParse(document);
  return parsed.success ? parsed.data : null;
}

/** The definitions that its instances need and the status does not hold, as paths. */
export function missingSpecs(pod: PodStatus): string[] {
  const references = (pod.instances ?? []).flatMap(({ specReference }) => specReference ?? []);
  return [...new Set(references)].filter((reference) => !isCurrent(pod, reference));
}

/**
 * `specs` holds what {@link missingSpecs} named, as far as it could be had; an instance without its definition stays as it
 * is `known`.
 */
export function readPod(
  pod: PodStatus,
  specs: ReadonlyMap<string, PodSpec>,
  known?: (instanceId: string) => MarathonInstance | undefined,
): MarathonApp {
  const instances: MarathonInstance[] = [];
  const leftOut: LeftOut[] = [];
  const ended = new Set<string>();
  const seen = new Set<string>();
  for (const instance of pod.instances ?? []) {
    if (seen.has(instance.id)) continue;
    seen.add(instance.id);
    const task = taskOf(instance);
    if (task === null) {
      if (instance.status === 'TERMINAL') ended.add(instance.id);
      continue;
    }
    const { specReference } = instance;
    const isOther = specReference !== undefined && !isCurrent(pod, specReference);
    const spec = isOther ? specs.get(specReference) : pod.spec;
    const read = spec === undefined ? (known?.(instance.id) ?? NO_DEFINITION) : located(instance, task, spec);
    if (typeof read === 'string') leftOut.push({ taskId: instance.id, reason: read });
    else instances.push(read);
  }
  instances.sort((a, b) => (a.taskId < b.taskId ? -1 : 1));
  const name = pod.id.replace(/^\//, '');
  return {
    kind: 'pod',
    id: `/${name}`,
    name,
    version: pod.spec?.version ?? null,
    // Of a pod Marathon does not tell.
    deploying: false,
    labels: pod.spec?.labels ?? {},
    wanted: pod.spec?.scaling?.instances ?? null,
    instances,
    leftOut,
    ended,
    ...portFactsOf(pod.spec),
    configuredAt: pod.spec?.version ?? null,
  };
}

function isCurrent({ spec }: PodStatus, reference: string): boolean {
  return spec?.version !== undefined && reference.endsWith(`::versions/${spec.version}`);
}

/**
 * Marathon prints a pod that it kills as TERMINAL, and one whose agent is unreachable as DEGRADED; the states of its
 * containers tell more. Null: it does not run (yet, or any more).
 */
function taskOf({ status, containers = [] }: PodInstance): MarathonInstance['task'] | null {
  const states = containers.map((container) => container.status);
  if (status === 'TERMINAL') {
    return states.some((state) => state === 'TASK_RUNNING' || state === 'TASK_KILLING') ? 'killing' : null;
  }
  if (status === 'DEGRADED' && states.length > 0 && states.every((state) => state === 'TASK_UNREACHABLE')) {
    return 'unreachable';
  }
  return status === 'STABLE' || status === 'DEGRADED' ? 'running' : null;
}

/** Or why it gets no traffic. */
function located(instance: PodInstance, task: MarathonInstance['task'], spec: PodSpec): MarathonInstance | string {
  const { agentId, agentHostname: host } = instance;
  if (!agentId || !host) return 'names no agent';
  const place = placeOf(instance, spec, host);
  if (typeof place === 'string') return place;
  const first = place.ports[0];
  if (first === undefined) return 'has no port';
  const health = healthOf(instance, spec);
  return {
    taskId: instance.id,
    agentId,
    host,
    address: place.address,
    port: first.port,
    ports: place.ports,
    task,
    mesosTaskId: instance.containers?.[0]?.containerId ?? null,
    health,
    startedAt: instance.status === 'STABLE' ? timeOf(instance.statusSince) : null,
    notBefore: null,
    state: stateOf(instance, task, health, spec),
  };
}

/**
 * With DEGRADED a part of the pod does not work. The parts belong together, so it gets no traffic, also where the
 * container that serves is well; unless a label says otherwise.
 */
function stateOf(
  instance: PodInstance,
  task: MarathonInstance['task'],
  health: MarathonHealth,
  spec: PodSpec,
): MarathonInstance['state'] {
  const { status } = instance;
  if (task === 'killing') return 'draining';
  if (task === 'unreachable') return health === 'failing' ? 'unhealthy' : 'suspect';
  if (status === 'DEGRADED' && spec.labels?.[DEGRADED_LABEL] === 'serve') {
    return serves(instance, spec) ? 'ready' : 'unhealthy';
  }
  return status === 'STABLE' && (health === 'unchecked' || health === 'passing') ? 'ready' : 'unhealthy';
}

const DEGRADED_LABEL = 'NODEMESH_DEGRADED';

/** Whether all containers with endpoints run, and are healthy where that is checked. */
function serves({ containers = [] }: PodInstance, spec: PodSpec): boolean {
  const serving = (spec.containers ?? []).filter(({ endpoints = [] }) => endpoints.length > 0);
  return serving.every(({ name, healthCheck }) => {
    const container = containers.find((each) => each.name === name);
    return container?.status === 'TASK_RUNNING' && (healthCheck === undefined || resultOf(container) === true);
  });
}

interface Place {
  readonly address: string;
  readonly ports: readonly NamedPort[];
}

/** The endpoints of all containers are numbered one after the other, in the order of the definition. */
function placeOf(instance: PodInstance, spec: PodSpec, host: string): Place | string {
  const defined = (spec.containers ?? []).flatMap(({ name, endpoints = [] }) => {
    const container = instance.containers?.find((each) => each.name === name);
    return endpoints.map((endpoint) => ({ endpoint, container }));
  });
  const definitions = defined.map(({ endpoint }) => ({
    name: endpoint?.name,
    protocol: isUdpOnly(endpoint?.protocol) ? 'udp' : 'tcp',
  }));
  const hostPorts = defined.map(({ endpoint, container }) => {
    const found = container?.endpoints?.find((each) => each.name === endpoint?.name);
    return found?.allocatedHostPort;
  });
  if (!isOnContainerNetwork(spec)) return { address: host, ports: namedPorts(hostPorts, definitions) };
  const network = defined[0]?.endpoint?.networkNames?.[0];
  const own = addressOn(instance, network);
  if (own === null) {
    const ports = namedPorts(hostPorts, definitions);
    return ports.length === 0 && defined.length > 0 ? 'has no address on its network yet' : { address: host, ports };
  }
  const ports = defined.map(({ endpoint }, index) => {
    const names = endpoint?.networkNames ?? [];
    if (network !== undefined && names.length > 0 && !names.includes(network)) return undefined;
    return endpoint?.containerPort || hostPorts[index];
  });
  return { address: own, ports: namedPorts(ports, definitions) };
}

const isUdpOnly = (protocols: readonly string[] | undefined): boolean =>
  protocols !== undefined && protocols.length > 0 && protocols.every((protocol) => protocol === 'udp');

/** A network without a mode is a container network, as for apps; on the agent's bridge host ports are what is reached. */
function isOnContainerNetwork({ networks = [] }: PodSpec): boolean {
  const mode = networks[0]?.mode;
  return networks.length > 0 && mode !== 'host' && mode !== 'container/bridge';
}

function addressOn({ networks = [] }: PodInstance, name: string | undefined): string | null {
  const named = name === undefined ? undefined : networks.find((network) => network.name === name);
  const addresses = named === undefined ? networks.flatMap((each) => each.addresses ?? []) : (named.addresses ?? []);
  return firstUsable(addresses, 0);
}

/** Every container that is checked has to be well. */
function healthOf({ containers = [] }: PodInstance, spec: PodSpec): MarathonHealth {
  const checked = (spec.containers ?? []).filter(({ healthCheck }) => healthCheck !== undefined);
  if (checked.length === 0) return 'unchecked';
  const results = checked.map(({ name }) => resultOf(containers.find((container) => container.name === name)));
  if (results.includes(false)) return 'failing';
  return results.every((result) => result === true) ? 'passing' : 'unknown';
}

/** Undefined: there is no result yet. `healthy` stands only at the endpoint that the check asks. */
function resultOf(container: PodContainer | undefined): boolean | undefined {
  const condition = container?.conditions?.find(({ name }) => name === 'healthy')?.value;
  if (condition === 'true' || condition === 'false') return condition === 'true';
  return container?.endpoints?.find(({ healthy }) => healthy !== undefined)?.healthy;
}
