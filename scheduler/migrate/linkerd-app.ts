/** A linkerd that runs as an app of Marathon: field by field, what becomes of it. */
import { isRecord } from '../../agent-proxy/config/schema/keys.ts';
import { configOfApp } from './app-config.ts';
import { moveConstraints, moveRoles } from './app-placement.ts';
import { type Block, type Draft, isEmpty, wholeNumber } from './draft.ts';
import { moveConfigText } from './linkerd-config.ts';
import { COUNTED_BY_NOBODY, isSecretPath, moveAccountSecret } from './linkerd-package.ts';
import { moveCpus, moveMem, tellDisk } from './resources.ts';

/** What Marathon says of how an app is, and not of what it is to be. */
const STATE = [
  ...['version', 'versionInfo', 'tasks', 'tasksStaged', 'tasksRunning', 'tasksHealthy', 'tasksUnhealthy'],
  ...['deployments', 'readinessCheckResults', 'lastTaskFailure', 'taskStats', 'servicePorts'],
];

const CHANGES_GO_OTHERWISE = 'a new version goes over the cluster as a rollout: rollout.*, and docs/operating.md';
const LAUNCHES = 'a proxy that ends is launched again at once, then after 1 s, 2 s, 4 s, up to 5 min';

/** Fields that say how Marathon keeps an app, which the scheduler does otherwise. */
const LEFT_OUT: Readonly<Record<string, string>> = {
  id: 'it stays what it is until nodemesh migrate takeover has emptied it; the scheduler is an app of its own (service.name)',
  instances: COUNTED_BY_NOBODY,
  requirePorts: 'the ports are the same on every agent, in any case',
  networks: "proxies are in the agent's network, in any case",
  ipAddress: "proxies are in the agent's network, in any case",
  healthChecks: 'a proxy is judged by its control stream and by probes of the scheduler; Mesos checks it as a backstop',
  readinessChecks: 'the gate of a rollout asks each proxy through its listeners',
  check: 'a proxy is judged by its control stream and by probes of the scheduler',
  upgradeStrategy: CHANGES_GO_OTHERWISE,
  killSelection: CHANGES_GO_OTHERWISE,
  backoffSeconds: LAUNCHES,
  backoffFactor: LAUNCHES,
  maxLaunchDelaySeconds: LAUNCHES,
  unreachableStrategy: 'a proxy on an agent that cannot be reached is kept, as it may serve on',
  taskKillGracePeriodSeconds: 'a proxy lets requests finish for admin.shutdownGraceMs, 10 s by default',
  dependencies: 'the scheduler waits for Marathon by itself',
  role: 'resources are taken in a role of the service alone (service.role)',
  executor: 'proxies run under the executor of Mesos',
  gpus: 'a proxy has no use for it',
  tty: 'a proxy has no terminal',
  storeUrls: 'a proxy comes from the archive of the package',
  residency: 'what a proxy remembers is in its sandbox',
  resourceLimits: 'proxies.cpus_limit says how far a proxy may go beyond what it asks for',
};

const BLOCKS = ['container', 'env', 'labels', 'secrets'];
const LISTS = ['constraints', 'acceptedResourceRoles', 'ports', 'portDefinitions'];

/** `configText`: the configuration where it is not in the app itself (a file, or what was fetched). */
export function moveApp(app: Block, configText: string | null, draft: Draft): void {
  const found = configOfApp(app);
  const inline = found.kind === 'text' ? found : null;
  if (configText !== null) moveConfigText(configText, 'config', draft);
  else if (inline !== null) {
    tellVariables(inline.variables, inline.place, draft);
    moveConfigText(inline.text, 'config', draft);
  }
  const isKnown = configText !== null || inline !== null;
  if (!isKnown) {
    draft.notUnderstood(
      'app.cmd',
      app['cmd'] ?? app['args'] ?? null,
      'there is no configuration in it, in env or among what is fetched: give it with --config FILE',
    );
  }
  for (const [field, value] of Object.entries(app)) {
    if (STATE.includes(field) || isEmpty(value)) continue;
    moveField(field, value, app, isKnown ? (inline?.place ?? 'config') : null, draft);
  }
  if (isEmpty(app['disk'])) tellDisk('app.disk', 0, draft);
}

function tellVariables(variables: readonly string[], place: string, draft: Draft): void {
  for (const name of new Set(variables)) {
    draft.notUnderstood(
      `${place} ($${name})`,
      `$${name}`,
      'the shell replaces it in each task: write what it stands for into mesh.config',
    );
  }
}

/** `source`: where the configuration was; null where there was none. */
function moveField(field: string, value: unknown, app: Block, source: string | null, draft: Draft): void {
  const place = `app.${field}`;
  if (BLOCKS.includes(field) && !isRecord(value)) {
    draft.notUnderstood(place, value, 'it is no block of keys');
    return;
  }
  if (LISTS.includes(field) && !Array.isArray(value)) {
    draft.notUnderstood(place, value, 'it is no list');
    return;
  }
  const reason = LEFT_OUT[field];
  if (reason !== undefined) draft.leftOut(place, value, reason);
  else if (field === 'cpus') moveCpus(value, place, draft);
  else if (field === 'mem') moveMem(value, place, draft);
  else if (field === 'disk') tellDisk(place, value, draft);
  else if (field === 'constraints') moveConstraints(value, place, draft);
  else if (field === 'acceptedResourceRoles') moveRoles(value, place, draft);
  else if (field === 'user') moveUser(value, place, draft);
  else if (field === 'cmd' || field === 'args') {
    const why = 'it starts linkerd; a proxy is started by the scheduler';
    if (source?.startsWith(place) === true)
      draft.changed(place, value, 'config', `${why}. The configuration in it is below config`);
    else if (source !== null || field === 'args') draft.leftOut(place, value, why);
  } else if (field === 'fetch' || field === 'uris') {
    draft.leftOut(
      place,
      value,
      'a proxy comes from the archive of the package; files that its configuration names have to be on the agents',
    );
  } else if (field === 'container' && isRecord(value)) moveContainer(value, place, draft);
  else if (field === 'portDefinitions' || field === 'ports') movePorts(value, place, source !== null, draft);
  else if (field === 'env') moveEnv(value, place, app, source, draft);
  else if (field === 'labels') moveLabels(value, place, draft);
  else if (field === 'secrets') moveSecrets(value, place, app, draft);
  else draft.notUnderstood(place, value, 'this field of an app is not known here');
}

function moveUser(value: unknown, place: string, draft: Draft): void {
  if (typeof value !== 'string' || !/^[A-Za-z0-9_.-]{1,32}$/.test(value)) {
    draft.notUnderstood(place, value, 'set proxies.user');
    return;
  }
  draft.set('proxies.user', value);
  draft.taken(
    place,
    value,
    'proxies.user',
    value === 'root' ? 'a proxy needs no rights: one of its own is better' : null,
  );
}

function moveContainer(value: Block, place: string, draft: Draft): void {
  const { type, docker, volumes, portMappings, ...others } = value;
  if (!isEmpty(type))
    draft.leftOut(
      `${place}.type`,
      type,
      'a proxy is a process of the agent; proxies.image and proxies.containerizer run it in an image',
    );
  if (!isEmpty(docker))
    draft.leftOut(
      `${place}.docker`,
      docker,
      'an image of linkerd, with what it needed: a proxy needs no JVM and no privileges',
    );
  if (!isEmpty(volumes))
    draft.leftOut(
      `${place}.volumes`,
      volumes,
      'a proxy sees the files of the agent: name them in its configuration as the agent has them',
    );
  if (!isEmpty(portMappings)) {
    draft.leftOut(
      `${place}.portMappings`,
      portMappings,
      "proxies are in the agent's network, on the ports of proxies.*_port",
    );
  }
  for (const [key, inner] of Object.entries(others)) {
    if (!isEmpty(inner)) draft.notUnderstood(`${place}.${key}`, inner, 'this key of a container is not known here');
  }
}

const PORT_NAMES = {
  admin: 'proxies.admin_port',
  outgoing: 'proxies.outgoing_port',
  proxy: 'proxies.outgoing_port',
  incoming: 'proxies.incoming_port',
} as const;

function movePorts(value: unknown, place: string, hasConfig: boolean, draft: Draft): void {
  for (const [index, definition] of (Array.isArray(value) ? value : [value]).entries()) {
    const own = `${place}[${index}]`;
    const block: Block = isRecord(definition) ? definition : { port: definition };
    const port = wholeNumber(block['port'], 1, 65_535);
    const option = Object.entries(PORT_NAMES).find(([name]) => name === block['name'])?.[1];
    const known = Object.values(PORT_NAMES).find((name) => draft.get(name) === port);
    if (hasConfig && known !== undefined) draft.taken(own, definition, known);
    else if (!hasConfig && option !== undefined && port !== null) {
      draft.set(option, port);
      draft.taken(own, definition, option, 'by its name');
    } else if (hasConfig) {
      draft.leftOut(
        own,
        definition,
        'the proxies have outgoing, incoming, admin and edge ports; other listeners stand in mesh.config, and Mesos does not keep their ports free',
      );
    } else draft.notUnderstood(own, definition, 'without a configuration it is not known whose port that is');
    if (!isEmpty(block['labels']))
      draft.leftOut(
        `${own}.labels`,
        block['labels'],
        'proxies have no VIP and no labels of Marathon: apps call $HOST and the port',
      );
  }
}

/** Variables of the image of linkerd, and of the JVM. */
const OF_THE_JVM = /^(JVM_|JAVA_|GC_|DEBUG_OPTIONS$|LOCAL_JVM_OPTIONS$|FINAGLE_|TWITTER_)/;

function moveEnv(value: unknown, place: string, app: Block, source: string | null, draft: Draft): void {
  for (const [name, each] of Object.entries(isRecord(value) ? value : {})) {
    const own = `${place}.${name}`;
    const alias = isRecord(each) && typeof each['secret'] === 'string' ? each['secret'] : null;
    const secret = alias === null ? null : secretSource(app, alias);
    // A value may be a password: it is never printed.
    if (source === own) draft.changed(own, '(not shown)', 'config', 'the configuration in it is below config');
    else if (name === 'DCOS_SERVICE_ACCOUNT_CREDENTIAL' && secret !== null) moveAccountSecret(secret, own, draft);
    else if (name === 'MARATHON_HTTP_AUTH_CREDENTIAL' && secret !== null && isSecretPath(secret)) {
      draft.set('discovery.marathon_credential_secret', secret);
      draft.changed(
        own,
        '(not shown)',
        'discovery.marathon_credential_secret',
        'the secret holds user:password here, as it is, not in base64',
      );
    } else if (name === 'DCOS_SERVICE_ACCOUNT_CREDENTIAL' || name === 'MARATHON_HTTP_AUTH_CREDENTIAL') {
      draft.notUnderstood(own, '(not shown)', 'credentials are secrets: put it into one and name that in the options');
    } else if (OF_THE_JVM.test(name))
      draft.leftOut(own, '(not shown)', 'there is no JVM; proxies.mem and proxies.workers say how large a proxy is');
    else draft.notUnderstood(own, '(not shown)', 'a proxy has the variables that the scheduler gives it');
  }
}

function secretSource({ secrets }: Block, alias: string): string | null {
  const secret = isRecord(secrets) ? secrets[alias] : undefined;
  return isRecord(secret) && typeof secret['source'] === 'string' ? secret['source'] : null;
}

function moveSecrets(value: unknown, place: string, { env }: Block, draft: Draft): void {
  const used = Object.values(isRecord(env) ? env : {}).map((each) => (isRecord(each) ? each['secret'] : undefined));
  for (const alias of Object.keys(isRecord(value) ? value : {})) {
    if (used.includes(alias)) draft.taken(`${place}.${alias}`, alias, 'as the variable that it is used in');
    else
      draft.notUnderstood(`${place}.${alias}`, alias, 'no variable uses it: a volume may. Put the file on the agents');
  }
}

function moveLabels(value: unknown, place: string, draft: Draft): void {
  for (const [name, each] of Object.entries(isRecord(value) ? value : {})) {
    const own = `${place}.${name}`;
    if (name.startsWith('DCOS_PACKAGE_')) draft.leftOut(own, each, 'it is of the package of linkerd');
    else if (name.startsWith('DCOS_SERVICE_'))
      draft.leftOut(own, each, 'at /service/<name>/ is the scheduler, with all proxies on one page');
    else if (name.startsWith('HAPROXY_'))
      draft.leftOut(own, each, 'proxies are not behind marathon-lb: the edge router serves apps by their own labels');
    else draft.notUnderstood(own, each, 'proxies have no labels of Marathon');
  }
}
