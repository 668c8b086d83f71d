/**
 * The proxy as Mesos gets to see it: the file that agents fetch, and the task that runs it.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ENV } from '../agent-proxy/control/environment.ts';
import type { AgentView, TaskId, TaskTemplate } from '../framework/index.ts';
import type { ProxyNeeds, ProxyPorts, SchedulerConfig } from './config.ts';

/** A worker drains its requests when it is told to end. */
const KILL_GRACE_SECONDS = 15;

/** The proxy's file. Its name holds its digest, so that the agents' fetcher caches never serve an older build. */
export interface Artifact {
  readonly fileName: string;
  readonly sha256: string;
  readonly bytes: Buffer;
}

/** @throws when the build is not there. */
export async function loadProxyArtifact(dist: string): Promise<Artifact> {
  const path = join(dist, 'proxy.mjs');
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (error) {
    throw new Error(`the proxy's file ${path} cannot be read; build it with npm run build`, { cause: error });
  }
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { fileName: `nodemesh-proxy-${sha256.slice(0, 12)}.mjs`, sha256, bytes };
}

export interface ProxyTaskOptions {
  readonly artifact: Artifact;
  /** Base URL of this scheduler, as agents reach it. */
  readonly advertise: string;
  readonly clusterKey: string;
  readonly ports: ProxyPorts;
  readonly bind: SchedulerConfig['bind'];
  readonly needs: ProxyNeeds;
  readonly version: string;
  readonly name: string;
}

/** The task that keeps a proxy on an agent. */
export function proxyTask(options: ProxyTaskOptions, agent: AgentView, taskId: TaskId): TaskTemplate {
  const { artifact, ports, version, needs } = options;
  const bind = options.bind === 'node' ? '' : ` --bind ${options.bind}`;
  const list = `out=${ports.out},in=${ports.in},admin=${ports.admin}`;
  const variables: Record<string, string> = {
    [ENV.agentId]: agent.agentId,
    [ENV.taskId]: taskId,
    [ENV.nodeIp]: agent.ip,
    [ENV.schedulers]: options.advertise,
    [ENV.clusterKey]: options.clusterKey,
  };
  const named = (name: string, number: number) => ({ number, name, protocol: 'tcp' });
  return {
    name: `${options.name}-proxy`,
    cpus: needs.cpus,
    mem: needs.mem,
    disk: needs.disk,
    ports: [ports.out, ports.in, ports.admin],
    command: {
      shell: true,
      value: `exec node proxy.mjs --node-ip ${agent.ip}${bind} --ports ${list}`,
      uris: [
        {
          value: `${options.advertise}/artifacts/${artifact.fileName}`,
          extract: false,
          cache: true,
          output_file: 'proxy.mjs',
        },
      ],
      environment: { variables: Object.entries(variables).map(([name, value]) => ({ name, value })) },
    },
    discovery: {
      visibility: 'CLUSTER',
      name: `${options.name}-proxy`,
      ports: { ports: [named('outgoing', ports.out), named('incoming', ports.in), named('admin', ports.admin)] },
    },
    // Only a backstop: what decides is the control stream. An executor that kills for health hits every proxy at once
    // when one cause stalls them all, so it must take long to lose patience (10 s × 60).
    healthCheck: {
      type: 'HTTP',
      http: { port: ports.admin, path: '/admin/ping' },
      delay_seconds: 15,
      interval_seconds: 10,
      timeout_seconds: 5,
      grace_period_seconds: 60,
      consecutive_failures: 60,
    },
    labels: {
      labels: [
        { key: 'nodemesh-version', value: version },
        { key: 'nodemesh-proxy-sha256', value: artifact.sha256 },
      ],
    },
    killGraceSeconds: KILL_GRACE_SECONDS,
  };
}
