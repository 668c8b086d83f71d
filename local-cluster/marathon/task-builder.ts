/** From an app and a place to the TaskInfo that Mesos runs, with the environment that Marathon gives to each task. */
import type {
  CommandInfo,
  DiscoveryInfo,
  HealthCheck,
  TaskId,
  TaskInfo,
} from '../../framework/mesos-http-client/messages.ts';
import { mesosName } from './app-id.ts';
import { type AppSpec, DEFAULT_DELAY_SECONDS, type HealthCheckSpec, type PortWish, portWishes } from './app-spec.ts';
import type { AppRecord } from './app-store.ts';
import { mesosCheckIndex } from './instance.ts';
import type { Placement } from './offer-matcher.ts';

/** `maxConsecutiveFailures: 0` means that nobody dies of it; Mesos has no such value, so it gets a large one. */
const NEVER = 2 ** 31 - 1;

/** Characters that a name of an environment variable may not have become `_`. */
function envName(text: string): string {
  return text.toUpperCase().replace(/[^A-Z0-9_]/g, '_');
}

function portVariables(wishes: readonly PortWish[], ports: readonly number[]): Record<string, string> {
  const variables: Record<string, string> = {};
  ports.forEach((port, index) => {
    variables[`PORT${index}`] = String(port);
    const wish = wishes[index];
    if (wish === undefined) return;
    if (wish.servicePort !== 0) variables[`PORT_${wish.servicePort}`] = String(port);
    if (wish.name !== null) variables[`PORT_${envName(wish.name)}`] = String(port);
  });
  const [first] = ports;
  return first === undefined ? variables : { ...variables, PORT: String(first), PORTS: ports.join(',') };
}

function labelVariables(labels: Readonly<Record<string, string>>): Record<string, string> {
  // Marathon leaves out what is long; such a label is data, not configuration.
  const short = Object.entries(labels).filter(([key, value]) => key.length + value.length <= 512);
  const variables: Record<string, string> = { MARATHON_APP_LABELS: short.map(([key]) => envName(key)).join(' ') };
  for (const [key, value] of short) variables[`MARATHON_APP_LABEL_${envName(key)}`] = value;
  return variables;
}

/** All variables of a task. The app's own come last: whoever sets PORT0 means it. */
export function taskEnvironment(
  record: AppRecord,
  taskId: string,
  host: string,
  ports: readonly number[],
): Record<string, string> {
  const { spec } = record;
  const own = Object.entries(spec.env).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  return {
    MARATHON_APP_ID: spec.id,
    MARATHON_APP_VERSION: record.version,
    MARATHON_APP_RESOURCE_CPUS: String(spec.cpus),
    MARATHON_APP_RESOURCE_MEM: String(spec.mem),
    MARATHON_APP_RESOURCE_DISK: String(spec.disk),
    MARATHON_APP_RESOURCE_GPUS: String(spec.gpus),
    ...labelVariables(spec.labels),
    MESOS_TASK_ID: taskId,
    HOST: host,
    ...portVariables(portWishes(spec), ports),
    ...Object.fromEntries(own),
  };
}

/** The port that a check probes: its own `port`, or the task's port that `portIndex` names. */
export function checkPort(check: HealthCheckSpec, ports: readonly number[]): number | null {
  return check.port ?? ports[check.portIndex ?? 0] ?? null;
}

function mesosCheck(spec: AppSpec, ports: readonly number[]): HealthCheck | null {
  const check = spec.healthChecks[mesosCheckIndex(spec)];
  if (check === undefined) return null;
  const timing = {
    delay_seconds: check.delaySeconds ?? DEFAULT_DELAY_SECONDS,
    interval_seconds: check.intervalSeconds,
    timeout_seconds: check.timeoutSeconds,
    grace_period_seconds: check.gracePeriodSeconds,
    consecutive_failures: check.maxConsecutiveFailures === 0 ? NEVER : check.maxConsecutiveFailures,
  };
  if (check.protocol === 'COMMAND') {
    return { type: 'COMMAND', command: { shell: true, value: check.command?.value ?? 'false' }, ...timing };
  }
  const port = checkPort(check, ports);
  if (port === null) return null;
  if (check.protocol === 'MESOS_TCP') return { type: 'TCP', tcp: { port }, ...timing };
  const scheme = check.protocol === 'MESOS_HTTPS' ? 'https' : 'http';
  return { type: 'HTTP', http: { scheme, port, path: check.path ?? '/' }, ...timing };
}

function command(spec: AppSpec, user: string | null, variables: Readonly<Record<string, string>>): CommandInfo {
  const uris = spec.fetch.map(({ uri, extract, executable, cache, destPath }) => ({
    value: uri,
    extract,
    executable,
    cache,
    ...(destPath === undefined ? {} : { output_file: destPath }),
  }));
  const [program, ...rest] = spec.args ?? [];
  const what: CommandInfo =
    (spec.cmd ?? null) === null && program !== undefined
      ? { shell: false, value: program, arguments: [program, ...rest] }
      : { shell: true, value: spec.cmd ?? '' };
  return {
    ...what,
    ...(user === null ? {} : { user }),
    ...(uris.length === 0 ? {} : { uris }),
    environment: { variables: Object.entries(variables).map(([name, value]) => ({ name, value })) },
  };
}

const mesosLabels = (labels: Readonly<Record<string, string>>) => ({
  labels: Object.entries(labels).map(([key, value]) => ({ key, value })),
});

function discovery(spec: AppSpec, ports: readonly number[]): DiscoveryInfo {
  const wishes = portWishes(spec);
  return {
    visibility: 'FRAMEWORK',
    name: mesosName(spec.id),
    ports: {
      ports: ports.map((number, index) => {
        const wish = wishes[index];
        return {
          number,
          ...(wish?.name ? { name: wish.name } : {}),
          protocol: wish?.protocol ?? 'tcp',
          labels: mesosLabels({ 'network-scope': 'host', ...wish?.labels }),
        };
      }),
    },
  };
}

/** The task of one instance at its place. */
export function buildTask(record: AppRecord, placement: Placement, taskId: TaskId): TaskInfo {
  const { spec } = record;
  const { offer, ports } = placement;
  const variables = taskEnvironment(record, taskId, offer.hostname, ports);
  const check = mesosCheck(spec, ports);
  const grace = spec.taskKillGracePeriodSeconds ?? null;
  return {
    name: mesosName(spec.id),
    task_id: { value: taskId },
    agent_id: offer.agent_id,
    resources: placement.resources,
    command: command(spec, spec.user ?? null, variables),
    ...(check === null ? {} : { health_check: check }),
    ...(grace === null ? {} : { kill_policy: { grace_period: { nanoseconds: Math.round(grace * 1e9) } } }),
    labels: mesosLabels(spec.labels),
    discovery: discovery(spec, ports),
  };
}
