/** What is known of an app, and who answers at its nodes' proxies. */
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { Agent, request } from 'undici';
import { z } from 'zod';
import { MarathonClient } from '../../discovery/marathon-client.ts';
import type { MarathonSource } from '../../discovery/marathons.ts';
import { podStatusSchema } from '../../discovery/pod-document.ts';
import type { AppFacts, AppPlace, NetworkMode, ProxyAnswer } from '../from-app.ts';
import { atATime, reasonOf, within } from './bounded.ts';
import { hostOf } from './nodes.ts';

const MOST_PLACES = 10;
const AT_A_TIME = 10;
/** A name that no service has: no app is asked anything. */
const NAME = 'doctor.nodemesh.invalid';

export interface AppGathering {
  readonly marathons: readonly MarathonSource[];
  /** The address of an agent by its hostname, and by its id. */
  agentIp(host: string): string | null;
  /** Whether the proxy of this agent is for its own node alone. */
  isInner(host: string): boolean;
  /** Instances of a service in the table, for what is not Marathon's. */
  instances(service: string): readonly { readonly instance: string; readonly agentAddress: string }[];
  readonly out: number;
  readonly timeoutMs: number;
}

/** `id` as `GET /v1/services` names it, with or without the slash in front. Null: there is none. */
export async function gatherApp(id: string, gathering: AppGathering): Promise<AppFacts | null> {
  const found = (await ofMarathon(id, gathering)) ?? ofTable(id, gathering);
  if (found === null) return null;
  const places = await atATime(AT_A_TIME, found.tasks.slice(0, MOST_PLACES), (task) => placeOf(task, gathering));
  const { kind, mode, tasks } = found;
  return { id, kind, mode, places, leftOut: Math.max(0, tasks.length - MOST_PLACES) };
}

interface Task {
  readonly taskId: string;
  readonly host: string;
  readonly ip: string | null;
}

type Found = Pick<AppFacts, 'kind' | 'mode'> & { readonly tasks: readonly Task[] };

async function ofMarathon(id: string, { marathons, agentIp, timeoutMs }: AppGathering): Promise<Found | null> {
  const [, prefix, name = ''] = /^(?:#([^/]+)\/)?\/?(.*)$/s.exec(id) ?? [];
  const source = prefix === undefined ? marathons[0] : marathons.find((each) => each.prefix === prefix);
  if (source === undefined || name === '') return null;
  const client = new MarathonClient(source.url, { ...source.access, requestMs: timeoutMs });
  const signal = AbortSignal.timeout(2 * timeoutMs);
  try {
    const app = appSchema.safeParse(await client.app(name, signal));
    if (app.success) {
      const tasks = app.data.tasks.map((task) => ({ taskId: task.id, host: task.host, ip: agentIp(task.host) }));
      return { kind: 'app', mode: modeOf(app.data), tasks: onePerHost(tasks) };
    }
    const pod = podStatusSchema.safeParse(await client.pod(name, signal));
    if (!pod.success) return null;
    const tasks = (pod.data.instances ?? []).flatMap(({ id: taskId, agentHostname: host }) =>
      host === null || host === undefined ? [] : [{ taskId, host, ip: agentIp(host) }],
    );
    const networks = (pod.data.spec?.networks ?? []).flatMap((network) =>
      network?.mode === undefined ? [] : [{ mode: network.mode }],
    );
    return { kind: 'pod', mode: modeOf({ networks }), tasks: onePerHost(tasks) };
  } catch {
    // That Marathon does not answer is told by its own check; the table may know the name.
    return null;
  } finally {
    await client.close();
  }
}

function ofTable(id: string, { instances }: AppGathering): Found | null {
  const all = instances(id.replace(/^\//, ''));
  if (all.length === 0) return null;
  const tasks = all.map(({ instance, agentAddress }) => ({ taskId: instance, host: agentAddress, ip: agentAddress }));
  return { kind: 'other', mode: 'other', tasks: onePerHost(tasks) };
}

const appSchema = z.object({
  networks: z.array(z.object({ mode: z.string().optional() })).optional(),
  ipAddress: z.unknown().optional(),
  container: z.object({ docker: z.object({ network: z.string().nullish() }).nullish() }).nullish(),
  tasks: z
    .array(z.object({ id: z.string(), host: z.string().default(''), state: z.string().default('TASK_RUNNING') }))
    .default([])
    .transform((tasks) => tasks.filter(({ host, state }) => host !== '' && state === 'TASK_RUNNING')),
});

/** As Marathon has it since 1.5, and before. No network at all is the host's. */
export function modeOf(
  app: Partial<Pick<z.output<typeof appSchema>, 'networks' | 'ipAddress' | 'container'>>,
): NetworkMode {
  const [first] = app.networks ?? [];
  const docker = app.container?.docker?.network?.toUpperCase();
  if (first?.mode === 'container/bridge' || (first === undefined && docker === 'BRIDGE')) return 'bridge';
  if (first?.mode === 'container' || (first === undefined && (docker === 'USER' || (app.ipAddress ?? null) !== null)))
    return 'container';
  return 'host';
}

function onePerHost(tasks: readonly Task[]): readonly Task[] {
  return [...new Map([...tasks].reverse().map((task) => [task.host, task])).values()].reverse();
}

async function placeOf({ taskId, host, ip }: Task, { isInner, out, timeoutMs }: AppGathering): Promise<AppPlace> {
  const [answer, hostLeadsTo] = await Promise.all([
    isInner(host) ? ({ kind: 'inside' } as const) : asked(ip ?? host, out, timeoutMs),
    isIP(host) !== 0
      ? null
      : within(
          timeoutMs,
          lookup(host, { all: true }).then(
            (all) => all.map(({ address }) => address),
            () => [],
          ),
          [],
        ),
  ]);
  return { taskId, host, ip, answer, hostLeadsTo };
}

/** Our proxy answers a name that nobody has by itself, with `l5d-err`. */
async function asked(address: string, port: number, timeoutMs: number): Promise<ProxyAnswer> {
  const dispatcher = new Agent({ connect: { timeout: timeoutMs }, pipelining: 0 });
  try {
    const { statusCode, headers, body } = await request(`http://${hostOf(address)}:${port}/`, {
      dispatcher,
      signal: AbortSignal.timeout(timeoutMs),
      headers: { host: NAME },
    });
    await body.dump();
    return headers['l5d-err'] === undefined ? { kind: 'other', status: statusCode } : { kind: 'ours' };
  } catch (error) {
    return { kind: 'failed', reason: reasonOf(error) };
  } finally {
    await dispatcher.destroy();
  }
}
