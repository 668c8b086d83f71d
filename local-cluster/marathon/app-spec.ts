/**
 * What an app definition may say: validation with Marathon's defaults and Marathon's words. The output is itself a
 * valid input, so that an update is the old definition with some fields replaced, validated again.
 */
import { z } from 'zod';
import { appIdFault, canonicalAppId } from './app-id.ts';

const labels = z.record(z.string(), z.string());
const count = z.number().int().min(0, 'must be greater than or equal to 0');
const amount = z.number().min(0, 'must be greater than or equal to 0');
const port = z.number().int().min(0).max(65535);
const protocol = z.enum(['tcp', 'udp', 'udp,tcp', 'tcp,udp']);

const fetchSchema = z.object({
  uri: z.string().min(1),
  extract: z.boolean().default(true),
  executable: z.boolean().default(false),
  cache: z.boolean().default(false),
  destPath: z.string().optional(),
});

const portDefinitionSchema = z.object({
  port: port.default(0),
  protocol: protocol.default('tcp'),
  name: z.string().min(1).nullish(),
  labels: labels.default({}),
});

const portMappingSchema = z.object({
  containerPort: port.default(0),
  hostPort: port.nullish(),
  servicePort: port.default(0),
  protocol: protocol.default('tcp'),
  name: z.string().min(1).nullish(),
  labels: labels.default({}),
  networkNames: z.array(z.string()).optional(),
});

/** How long the agent waits before a check's first run. */
export const DEFAULT_DELAY_SECONDS = 15;

const healthCheckSchema = z.object({
  protocol: z.enum(['HTTP', 'HTTPS', 'TCP', 'COMMAND', 'MESOS_HTTP', 'MESOS_HTTPS', 'MESOS_TCP']).default('HTTP'),
  path: z.string().nullish(),
  portIndex: count.nullish(),
  port: port.nullish(),
  command: z.object({ value: z.string().min(1) }).nullish(),
  gracePeriodSeconds: amount.default(300),
  intervalSeconds: amount.default(60),
  timeoutSeconds: amount.default(20),
  maxConsecutiveFailures: count.default(3),
  /** Of checks that Mesos runs; Marathon's own have none. */
  delaySeconds: amount.optional(),
  ignoreHttp1xx: z.boolean().optional(),
});
export type HealthCheckSpec = z.infer<typeof healthCheckSchema>;

/** They are taken and not run: tasks here are ready at once. */
const readinessCheckSchema = z.looseObject({
  intervalSeconds: count.optional(),
  timeoutSeconds: count.optional(),
});
/** Marathon's defaults (its readinessCheck.raml). */
const READINESS_INTERVAL_SECONDS = 30;
const READINESS_TIMEOUT_SECONDS = 10;

const networkSchema = z.object({
  mode: z.enum(['host', 'container/bridge', 'container']).default('container'),
  name: z.string().nullish(),
  labels: labels.optional(),
});

const containerSchema = z.object({
  type: z.enum(['MESOS', 'DOCKER']).default('MESOS'),
  docker: z.looseObject({}).nullish(),
  volumes: z.array(z.unknown()).default([]),
  portMappings: z.array(portMappingSchema).nullish(),
});

const unreachableSchema = z.union([
  z.literal('disabled'),
  z.object({ inactiveAfterSeconds: count.default(0), expungeAfterSeconds: count.default(0) }),
]);

const appSchema = z.object({
  id: z.string(),
  cmd: z.string().min(1).nullish(),
  args: z.array(z.string()).nullish(),
  user: z.string().nullish(),
  env: z.record(z.string(), z.union([z.string(), z.object({ secret: z.string() })])).default({}),
  instances: count.default(1),
  cpus: amount.default(1),
  mem: amount.default(128),
  disk: amount.default(0),
  gpus: count.default(0),
  executor: z.string().default(''),
  constraints: z
    .array(z.array(z.string()).min(2).max(3))
    .default([])
    .refine(
      (all) => all.every(([, operator]) => /^(UNIQUE|CLUSTER|GROUP_BY|LIKE|UNLIKE|MAX_PER|IS)$/.test(operator ?? '')),
      'Constraints must use one of: UNIQUE, CLUSTER, GROUP_BY, LIKE, UNLIKE, MAX_PER, IS',
    ),
  fetch: z.array(fetchSchema).default([]),
  portDefinitions: z.array(portDefinitionSchema).optional(),
  requirePorts: z.boolean().default(false),
  networks: z.array(networkSchema).default([{ mode: 'host' }]),
  container: containerSchema.nullish(),
  ipAddress: z.unknown().optional(),
  backoffSeconds: amount.default(1),
  backoffFactor: z.number().min(1, 'must be greater than or equal to 1.0').default(1.15),
  maxLaunchDelaySeconds: amount.default(300),
  healthChecks: z.array(healthCheckSchema).default([]),
  readinessChecks: z.array(readinessCheckSchema).max(1, 'must be less than or equal to 1').default([]),
  dependencies: z.array(z.string()).default([]),
  upgradeStrategy: z
    .object({
      minimumHealthCapacity: z.number().min(0).max(1).default(1),
      maximumOverCapacity: z.number().min(0).max(1).default(1),
    })
    .default({ minimumHealthCapacity: 1, maximumOverCapacity: 1 }),
  labels: labels.default({}),
  acceptedResourceRoles: z.array(z.string().min(1)).min(1, 'must not be empty').nullish(),
  role: z.string().default('*'),
  killSelection: z.enum(['YOUNGEST_FIRST', 'OLDEST_FIRST']).default('YOUNGEST_FIRST'),
  unreachableStrategy: unreachableSchema.default({ inactiveAfterSeconds: 0, expungeAfterSeconds: 0 }),
  taskKillGracePeriodSeconds: amount.nullish(),
  secrets: z.record(z.string(), z.unknown()).optional(),
  tty: z.boolean().optional(),
});

/** A valid app with all defaults. Treated as immutable: running instances keep the one they were launched from. */
export type AppSpec = Readonly<z.infer<typeof appSchema>>;

/** One complaint in a 422: where, and what is wrong. */
export interface ValidationDetail {
  path: string;
  errors: string[];
}

export type AppValidation = { ok: true; spec: AppSpec } | { ok: false; details: ValidationDetail[] };

/** A port that a task of this app needs on its agent. */
export interface PortWish {
  /** 0: any. */
  readonly hostPort: number;
  readonly servicePort: number;
  readonly name: string | null;
  readonly protocol: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** Who runs a check: the agent (Mesos) or Marathon itself. */
export function isMesosCheck(check: HealthCheckSpec): boolean {
  return check.protocol.startsWith('MESOS_') || check.protocol === 'COMMAND';
}

/** The host ports of a task, in the order of its `ports`. On a container network only mappings with `hostPort` have one. */
export function portWishes(spec: AppSpec): PortWish[] {
  const mode = spec.networks[0]?.mode ?? 'host';
  if (mode === 'host') {
    return (spec.portDefinitions ?? []).map((definition) => ({
      hostPort: spec.requirePorts ? definition.port : 0,
      servicePort: definition.port,
      name: definition.name ?? null,
      protocol: definition.protocol,
      labels: definition.labels,
    }));
  }
  return (spec.container?.portMappings ?? [])
    .filter((mapping) => mode === 'container/bridge' || (mapping.hostPort ?? null) !== null)
    .map((mapping) => ({
      hostPort: mapping.hostPort ?? 0,
      servicePort: mapping.servicePort,
      name: mapping.name ?? null,
      protocol: mapping.protocol,
      labels: mapping.labels,
    }));
}

/** `['healthChecks', 0, 'path']` → `/healthChecks(0)/path`, as Marathon writes it. */
function pathOf(parts: readonly PropertyKey[]): string {
  return parts.map((part) => (typeof part === 'number' ? `(${part})` : `/${String(part)}`)).join('') || '/';
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Older spellings of networks, ports and uris, in today's words. */
function modernised(input: Record<string, unknown>): Record<string, unknown> {
  const app = { ...input };
  if (Array.isArray(app['uris'])) {
    app['fetch'] ??= app['uris'].map((uri: unknown) => ({ uri }));
  }
  if (Array.isArray(app['ports'])) {
    app['portDefinitions'] ??= app['ports'].map((number: unknown) => ({ port: number }));
  }
  const container = app['container'];
  if (isRecord(container) && isRecord(container['docker'])) {
    const { network, portMappings, ...docker } = container['docker'];
    if (network !== undefined) {
      const mode = network === 'BRIDGE' ? 'container/bridge' : network === 'USER' ? 'container' : 'host';
      app['networks'] ??= [{ mode }];
    }
    app['container'] = {
      ...container,
      docker,
      ...(container['portMappings'] === undefined && portMappings !== undefined ? { portMappings } : {}),
    };
  }
  return app;
}

/** Defaults that depend on other fields: ports by network mode, and where a health check looks. */
function completed(spec: AppSpec): AppSpec {
  const mode = spec.networks[0]?.mode ?? 'host';
  const healthChecks = spec.healthChecks.map((check) => ({
    ...check,
    ...(check.protocol.includes('HTTP') ? { path: check.path ?? '/' } : {}),
    ...(check.protocol !== 'COMMAND' && (check.port ?? null) === null ? { portIndex: check.portIndex ?? 0 } : {}),
    ...(isMesosCheck(check) ? { delaySeconds: check.delaySeconds ?? DEFAULT_DELAY_SECONDS } : {}),
  }));
  if (mode === 'host') {
    const portDefinitions = spec.portDefinitions ?? [
      { port: 0, protocol: 'tcp' as const, name: 'default', labels: {} },
    ];
    return { ...spec, portDefinitions, healthChecks };
  }
  const { portDefinitions: _unused, ...rest } = spec;
  const container = spec.container ?? { type: 'MESOS' as const, volumes: [] };
  const portMappings = (
    container.portMappings ?? [
      { containerPort: 0, servicePort: 0, protocol: 'tcp' as const, name: 'default', labels: {} },
    ]
  ).map((mapping) => (mode === 'container/bridge' ? { ...mapping, hostPort: mapping.hostPort ?? 0 } : mapping));
  return { ...rest, container: { ...container, portMappings }, healthChecks };
}

/** Rules between fields. */
function crossFaults(spec: AppSpec): ValidationDetail[] {
  const faults: ValidationDetail[] = [];
  const fault = (path: string, error: string) => faults.push({ path, errors: [error] });
  const idFault = appIdFault(spec.id);
  if (idFault !== null) fault('/id', idFault);
  if ((spec.cmd ?? null) === null && (spec.args ?? null) === null && (spec.container?.docker ?? null) === null) {
    fault('/', "AppDefinition must either contain one of 'cmd' or 'args', and/or a 'container'.");
  }
  if ((spec.cmd ?? null) !== null && (spec.args ?? null) !== null) {
    fault('/', "AppDefinition must either contain one of 'cmd' or 'args', not both.");
  }
  if (spec.healthChecks.filter(isMesosCheck).length > 1) {
    fault('/healthChecks', 'AppDefinition can contain at most one Mesos health check');
  }
  const ports = portWishes(spec).length;
  spec.healthChecks.forEach((check, index) => {
    if (check.protocol === 'COMMAND' && (check.command ?? null) === null) {
      fault(`/healthChecks(${index})/command`, 'must not be empty');
    }
    const portIndex = check.portIndex ?? null;
    if (check.protocol !== 'COMMAND' && portIndex !== null && portIndex >= Math.max(ports, 0)) {
      fault(
        `/healthChecks(${index})`,
        'Health check port indices must address an element of the ports array or container port mappings.',
      );
    }
  });
  spec.readinessChecks.forEach((check, index) => {
    const { intervalSeconds = READINESS_INTERVAL_SECONDS, timeoutSeconds = READINESS_TIMEOUT_SECONDS } = check;
    if (timeoutSeconds < intervalSeconds) return;
    const error = `got ${timeoutSeconds}, expected less than ${intervalSeconds}`;
    fault(`/readinessChecks(${index})/timeoutSeconds`, error);
  });
  const names = portWishes(spec).flatMap((wish) => (wish.name === null ? [] : [wish.name]));
  if (new Set(names).size !== names.length) fault('/portDefinitions', 'Port names must be unique.');
  return faults;
}

/** Validate what a client sent. `id` is the one of the URL, where there is one. */
export function parseApp(input: unknown, id?: string): AppValidation {
  if (!isRecord(input)) return { ok: false, details: [{ path: '/', errors: ['error.expected.jsobject'] }] };
  const named = id === undefined ? input : { ...input, id };
  const parsed = appSchema.safeParse(modernised(named));
  if (!parsed.success) {
    const byPath = new Map<string, string[]>();
    for (const issue of parsed.error.issues) {
      const path = pathOf(issue.path);
      byPath.set(path, [...(byPath.get(path) ?? []), issue.message]);
    }
    return { ok: false, details: [...byPath].map(([path, errors]) => ({ path, errors })) };
  }
  const spec = completed({ ...parsed.data, id: canonicalAppId(parsed.data.id) });
  const details = crossFaults(spec);
  return details.length === 0 ? { ok: true, spec } : { ok: false, details };
}

/** The definition that an update makes of an old one: each field that is given replaces the old value as a whole. */
export function updatedApp(old: AppSpec, update: Record<string, unknown>): AppValidation {
  const base: Record<string, unknown> = { ...old };
  // An older spelling in the update must win over the newer one that is stored.
  if (update['uris'] !== undefined) delete base['fetch'];
  if (update['ports'] !== undefined) delete base['portDefinitions'];
  if (update['cmd'] !== undefined && update['cmd'] !== null) delete base['args'];
  if (update['args'] !== undefined && update['args'] !== null) delete base['cmd'];
  if (update['networks'] !== undefined) delete base['portDefinitions'];
  return parseApp({ ...base, ...update }, old.id);
}
