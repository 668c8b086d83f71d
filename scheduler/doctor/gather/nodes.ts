/** What proxies say of themselves, on their admin ports, and who answers where none of ours does. */
import { connect } from 'node:net';
import { z } from 'zod';
import type { SchedulerConfig } from '../../config.ts';
import type { AgentClock, AgentFacts, NodeFacts, ProxyFigures } from '../facts.ts';
import type { Asker } from './ask.ts';
import { atATime } from './bounded.ts';

/** The first so many are asked: a cluster's proxies are made alike. */
const MOST_ASKED = 200;
const AT_A_TIME = 32;

const figure = z.number().nullable().default(null);
/** As `/admin/metrics.json?q=proc` has them. An older proxy lacks some. */
const procSchema = z.object({ open_files_limit: figure, cpu_periods: figure, cpu_throttled_periods: figure }).transform(
  (proc): ProxyFigures => ({
    openFilesLimit: proc.open_files_limit,
    periods: proc.cpu_periods,
    throttledPeriods: proc.cpu_throttled_periods,
  }),
);

type Known = Omit<NodeFacts, 'proxy' | 'taken'> & {
  readonly hasTask: boolean;
  /** Nobody but its own node reaches its admin port. */
  readonly isInner: boolean;
};

export async function gatherNodes(
  asker: Asker,
  nodes: readonly Known[],
  { ports }: Pick<SchedulerConfig, 'ports'>,
  timeoutMs: number,
): Promise<readonly NodeFacts[]> {
  const facts = await atATime(
    AT_A_TIME,
    nodes.slice(0, MOST_ASKED),
    async ({ hasTask, isInner, ...node }): Promise<NodeFacts> => {
      const base = `http://${hostOf(node.ip)}:${ports.admin}`;
      const proxy = hasTask && !isInner ? await asker.json(`${base}/admin/metrics.json?q=proc`, procSchema) : null;
      // Where a proxy of ours is, or may be on its way, the ports are its own.
      const taken =
        hasTask || node.state === 'excluded' || node.state === 'lost'
          ? []
          : await answering(node.ip, [ports.out, ports.in, ports.admin], timeoutMs);
      return { ...node, proxy, taken };
    },
  );
  return [
    ...facts,
    ...nodes.slice(MOST_ASKED).map(({ hasTask: _, isInner: __, ...node }) => ({ ...node, proxy: null, taken: [] })),
  ];
}

/** Of the agents' own servers: any answer has a `Date`. */
export async function gatherClocks(asker: Asker, agents: readonly AgentFacts[]): Promise<readonly AgentClock[]> {
  const reachable = agents.flatMap(({ hostname, url }) => (url === null ? [] : [{ hostname, url }]));
  return await atATime(AT_A_TIME, reachable.slice(0, MOST_ASKED), async ({ hostname, url }) => ({
    hostname,
    clock: await asker.clock(`${url}/health`),
  }));
}

async function answering(ip: string, ports: readonly number[], timeoutMs: number): Promise<number[]> {
  const found = await Promise.all(ports.map(async (port) => ((await accepts(ip, port, timeoutMs)) ? [port] : [])));
  return found.flat();
}

/** Whether anything takes a connection there. */
export async function accepts(ip: string, port: number, timeoutMs: number): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = connect({ host: ip, port });
    const timer = setTimeout(() => socket.destroy(), timeoutMs);
    let isOpen = false;
    socket.on('connect', () => {
      isOpen = true;
      socket.destroy();
    });
    // Refused, or no route: nothing of the kind is there.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      clearTimeout(timer);
      resolve(isOpen);
    });
  });
}

export const hostOf = (ip: string): string => (ip.includes(':') ? `[${ip}]` : ip);
