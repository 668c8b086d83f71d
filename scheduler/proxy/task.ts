/** The proxy as Mesos gets to see it: the task that runs it, from an archive or in an image. */
import { isIP } from 'node:net';
import { ENV } from '../../agent-proxy/control/environment.ts';
import { ENROLLING_SUPERVISOR } from '../../agent-proxy/control/wire-words.ts';
import type { AgentView, CommandInfo, TaskId, TaskTemplate } from '../../framework/index.ts';
import { EXPECTED, tokenOf } from '../proxy-keys.ts';
import type { ProxyArchive } from './artifacts.ts';
import { ARCHIVE_FILE, archiveCommand, CODE_ARCHIVE_FILE, imageCommand, pingCommand } from './command.ts';
import { goalOf, type ProxyImage, type ProxyPlan } from './goal.ts';
import { INNER_IP, isInner } from './inner.ts';

/** A worker drains its requests when it is told to end. */
const KILL_GRACE_SECONDS = 15;

/** DC/OS' Telegraf scrapes ports that say so, on its agent's loopback: so that it needs no set-up where proxies listen there too. */
const METRICS = {
  labels: [
    { key: 'DCOS_METRICS_FORMAT', value: 'prometheus' },
    { key: 'DCOS_METRICS_ENDPOINT', value: '/admin/metrics/prometheus' },
  ],
};

type ContainerInfo = NonNullable<TaskTemplate['container']>;

export interface ProxyTaskOptions {
  readonly archive: ProxyArchive;
  readonly plan: ProxyPlan;
  /** Base URL of this scheduler, as agents reach it. */
  readonly advertise: string;
  readonly clusterKey: string;
  readonly launchKey: string;
  readonly name: string;
}

/** The task that keeps a proxy on an agent. */
export function proxyTask(options: ProxyTaskOptions, agent: AgentView, taskId: TaskId): TaskTemplate {
  const { archive, plan } = options;
  const { ports, cpus, cpusLimit, mem, disk, image } = plan;
  const { manifest } = archive;
  const variables: Record<string, string> = {
    [ENV.agentId]: agent.agentId,
    [ENV.taskId]: taskId,
    [ENV.nodeIp]: agent.ip,
    [ENV.schedulers]: options.advertise,
    ...(isInner(plan, agent) ? { [ENV.innerIp]: INNER_IP } : {}),
    ...secretOf(options, taskId),
  };
  const named = (name: string, number: number) => ({ number, name, protocol: 'tcp' });
  const edge = agent.isPublic ? ports.edge : null;
  const container = containerOf(image, edge);
  return {
    name: `${options.name}-proxy`,
    ...{ cpus, mem, disk },
    ...(cpusLimit === null ? {} : { limits: { cpus: cpusLimit } }),
    ports: [ports.out, ports.in, ports.admin, ...(edge === null ? [] : [edge])],
    command: {
      ...commandOf(options, wordsOf(plan, agent)),
      environment: { variables: Object.entries(variables).map(([name, value]) => ({ name, value })) },
    },
    ...(container === null ? {} : { container }),
    discovery: {
      visibility: 'CLUSTER',
      name: `${options.name}-proxy`,
      ports: {
        ports: [
          ...[named('outgoing', ports.out), named('incoming', ports.in)],
          { ...named('admin', ports.admin), labels: METRICS },
          ...(edge === null ? [] : [named('edge', edge)]),
        ],
      },
    },
    // Only a backstop: what decides is the control stream. An executor that kills for health hits every proxy at once
    // when one cause stalls them all, so it must take long to lose patience (10 s × 60).
    healthCheck: {
      type: 'COMMAND',
      command: { shell: true, value: pingOf(options, agent) },
      delay_seconds: 15,
      interval_seconds: 10,
      timeout_seconds: 5,
      grace_period_seconds: 60,
      consecutive_failures: 60,
    },
    labels: {
      labels: [
        { key: 'nodemesh-version', value: manifest.version },
        { key: 'nodemesh-proxy-sha256', value: manifest.sha256 },
        { key: 'nodemesh-goal', value: goalOf(archive, plan).id },
      ],
    },
    killGraceSeconds: KILL_GRACE_SECONDS,
    ...(enrols(archive) ? { credential: EXPECTED } : {}),
  };
}

function secretOf({ archive, launchKey, clusterKey }: ProxyTaskOptions, taskId: TaskId): Record<string, string> {
  return enrols(archive) ? { [ENV.token]: tokenOf(launchKey, taskId) } : { [ENV.clusterKey]: clusterKey };
}

/** Older code, to which a rollout may go back, knows only the cluster's key. */
function enrols({ manifest }: ProxyArchive): boolean {
  return manifest.supervisor >= ENROLLING_SUPERVISOR;
}

function wordsOf({ ports, workers, bind }: ProxyPlan, agent: AgentView): string[] {
  const edge = agent.isPublic && ports.edge !== null ? `,edge=${ports.edge}` : '';
  const list = `out=${ports.out},in=${ports.in},admin=${ports.admin}${edge}`;
  const where = bind === 'node' ? [] : ['--bind', bind];
  return ['--node-ip', agent.ip, ...where, '--ports', list, '--workers', String(workers)];
}

function commandOf({ archive, plan, advertise }: ProxyTaskOptions, words: readonly string[]): CommandInfo {
  if (plan.image !== null) return { shell: true, value: imageCommand(words) };
  const { sha256, runtime } = archive.manifest;
  const fetched = { sha256, hasRuntime: runtime !== null };
  const uriOf = (path: string, file: string) => ({
    ...{ value: `${advertise}${path}`, extract: false, cache: true, output_file: file },
  });
  const uris = [uriOf(archive.path, ARCHIVE_FILE)];
  if (archive.isLaidOver !== true) return { shell: true, value: archiveCommand(fetched, words), uris };
  const { path, sha256: codeSha256 } = archive.code;
  return {
    shell: true,
    value: archiveCommand({ ...fetched, codeSha256 }, words),
    uris: [...uris, uriOf(path, CODE_ARCHIVE_FILE)],
  };
}

function pingOf({ archive, plan }: ProxyTaskOptions, agent: AgentView): string {
  const { sha256, runtime } = archive.manifest;
  const ip = isInner(plan, agent) ? INNER_IP : agent.ip;
  const where = isIP(ip) === 6 ? `[${ip}]` : ip;
  return pingCommand(
    plan.image === null ? { sha256, hasRuntime: runtime !== null } : 'image',
    `http://${where}:${plan.ports.admin}/admin/ping`,
  );
}

/** Below this only root may listen, or who has the capability. */
const FIRST_FREE_PORT = 1_024;
const BIND_CAPABILITY = 'NET_BIND_SERVICE';

/**
 * On the agent's own network: the proxy listens on the agent's address. For a port that is root's it gets the capability
 * to listen there, and nothing else of root's; Mesos' agent needs the isolator `linux/capabilities` for that.
 */
function containerOf(image: ProxyImage | null, edge: number | null): ContainerInfo | null {
  const isPrivileged = edge !== null && edge < FIRST_FREE_PORT;
  if (image?.containerizer === 'docker') {
    const parameters = isPrivileged ? { parameters: [{ key: 'cap-add', value: BIND_CAPABILITY }] } : {};
    return { type: 'DOCKER', docker: { image: image.name, network: 'HOST', force_pull_image: false, ...parameters } };
  }
  if (image === null && !isPrivileged) return null;
  const capabilities = { capabilities: [BIND_CAPABILITY] };
  return {
    type: 'MESOS',
    ...(image === null ? {} : { mesos: { image: { type: 'DOCKER', docker: { name: image.name } } } }),
    ...(isPrivileged
      ? { linux_info: { effective_capabilities: capabilities, bounding_capabilities: capabilities } }
      : {}),
  };
}
