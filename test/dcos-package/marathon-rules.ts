/**
 * What Marathon, AdminRouter and Cosmos ask of the app of a service, beyond what the local cluster's Marathon looks at. In our
 * own words, after Marathon's RAML and validators (1.5 to 1.11).
 */
import { parseApp } from '../../local-cluster/marathon/app-spec.ts';
import { isObject, type Json, type JsonObject } from './catalog.ts';

/** Fields of an app that every Marathon since 1.5 knows; another one is refused. */
const FIELDS = new Set([
  ...[
    'id',
    'cmd',
    'args',
    'user',
    'env',
    'instances',
    'cpus',
    'mem',
    'disk',
    'gpus',
    'executor',
    'constraints',
    'fetch',
  ],
  ...[
    'portDefinitions',
    'requirePorts',
    'networks',
    'container',
    'backoffSeconds',
    'backoffFactor',
    'secrets',
    'labels',
  ],
  ...['maxLaunchDelaySeconds', 'healthChecks', 'readinessChecks', 'dependencies', 'upgradeStrategy', 'killSelection'],
  ...['acceptedResourceRoles', 'unreachableStrategy', 'taskKillGracePeriodSeconds', 'residency', 'tty'],
]);

/** One line a fault; empty where the app can be run. */
export function appFaults(app: JsonObject): string[] {
  const faults = Object.keys(app).flatMap((key) => (FIELDS.has(key) ? [] : [`${key}: Marathon knows no such field`]));
  const parsed = parseApp(app);
  if (!parsed.ok) faults.push(...parsed.details.map(({ path, errors }) => `${path}: ${errors.join(', ')}`));
  return [...faults, ...secretFaults(app), ...singleFaults(app), ...routeFaults(app), ...fetchFaults(app)];
}

/** Secrets that are used are declared, and the other way round. */
function secretFaults({ secrets, env, container }: JsonObject): string[] {
  const declared = Object.keys(objectOf(secrets));
  const used = [...Object.values(objectOf(env)), ...listOf(objectOf(container)['volumes'])].flatMap((user) =>
    isObject(user) && typeof user['secret'] === 'string' ? [user['secret']] : [],
  );
  return [
    ...used.filter((name) => !declared.includes(name)).map((name) => `secrets: ${name} is used and not declared`),
    ...declared.filter((name) => !used.includes(name)).map((name) => `secrets: ${name} is declared and not used`),
    ...Object.entries(objectOf(secrets)).flatMap(([name, secret]) =>
      isObject(secret) && typeof secret['source'] === 'string' && secret['source'] !== '' ? [] : [`secrets: ${name}`],
    ),
  ];
}

/** Marathon refuses more than one instance, at any moment, of an app with the label. */
function singleFaults({ instances, upgradeStrategy, labels }: JsonObject): string[] {
  if (objectOf(labels)['MARATHON_SINGLE_INSTANCE_APP'] !== 'true') return ['labels: it may run twice'];
  const { minimumHealthCapacity, maximumOverCapacity } = objectOf(upgradeStrategy);
  if (instances === 1 && minimumHealthCapacity === 0 && maximumOverCapacity === 0) return [];
  return ['upgradeStrategy: of a single instance it is 0 and 0'];
}

/** AdminRouter finds the port by the labels, Marathon its readiness by a port's name, DC/OS a VIP by /name:port. */
function routeFaults({ labels, portDefinitions, readinessChecks }: JsonObject): string[] {
  const ports = listOf(portDefinitions).map(objectOf);
  const index = Number(objectOf(labels)['DCOS_SERVICE_PORT_INDEX']);
  const checks = listOf(readinessChecks).map(objectOf);
  const vips = ports.flatMap((port) =>
    Object.entries(objectOf(port['labels'])).flatMap(([key, value]) => (/^VIP_\d+$/.test(key) ? [String(value)] : [])),
  );
  return [
    ...(index in ports ? [] : [`labels: DCOS_SERVICE_PORT_INDEX ${index} is no port`]),
    ...(checks.length > 1 ? ['readinessChecks: there may be one'] : []),
    ...checks
      .filter(({ portName }) => !ports.some(({ name }) => name === portName))
      .map(({ portName }) => `readinessChecks: ${String(portName)} is no port`),
    ...vips.filter((vip) => !/^\/[a-z0-9.-]+:\d+$/.test(vip)).map((vip) => `VIP: ${vip} is not /name:port`),
  ];
}

function fetchFaults({ fetch }: JsonObject): string[] {
  return listOf(fetch).flatMap((each) => {
    const { uri } = objectOf(each);
    return typeof uri === 'string' && URL.canParse(uri) ? [] : [`fetch: ${String(uri)} is no URI`];
  });
}

const objectOf = (value: Json | undefined): JsonObject => (isObject(value) ? value : {});
const listOf = (value: Json | undefined): readonly Json[] => (Array.isArray(value) ? value : []);
