/** A cluster in which nothing is wrong, for tests that then break one thing in it. */
import { readConfig } from '../../../scheduler/config.ts';
import type { Asked, Facts, NodeFacts } from '../../../scheduler/doctor/facts.ts';

const CLOCK = { aheadMs: 100, plusMinusMs: 600 };

export function answered<T>(value: T, url = 'http://10.0.0.1:5050'): Asked<T> {
  return { kind: 'answered', url, value, clock: CLOCK };
}

export function refused(status: number, url = 'http://10.0.0.1:5050'): Asked<never> {
  return { kind: 'refused', url, status, clock: CLOCK };
}

export function failed(reason = 'connection refused', url = 'http://10.0.0.1:5050'): Asked<never> {
  return { kind: 'failed', url, reason };
}

export function node(hostname: string, rest: Partial<NodeFacts> = {}): NodeFacts {
  return {
    ...{ agentId: `id-of-${hostname}`, hostname, ip: '10.0.0.7', state: 'healthy', reason: null, tableAgeSeconds: 3 },
    proxy: answered({ openFilesLimit: 20_000, periods: 1_000, throttledPeriods: 2 }, `http://${hostname}:9990`),
    taken: [],
    ...rest,
  };
}

const CONFIG = readConfig([
  ...['--master=http://10.0.0.1:5050', '--marathon=http://10.0.0.1:8080', '--state=file:state', '--user=mesh'],
]);

export const SOUND: Facts = {
  config: CONFIG,
  leading: true,
  frameworkId: 'f-1',
  subscribed: true,
  refusals: [],
  mesos: {
    masters: ['http://10.0.0.1:5050'],
    version: answered('1.11.0'),
    frameworks: answered([{ id: 'f-1', name: 'nodemesh', roles: ['nodemesh'], active: true, connected: true }]),
    agents: answered([{ agentId: 'a', hostname: 'node1', url: 'http://10.0.0.7:5051', ports: [[1_025, 32_000]] }]),
    roles: answered([{ name: 'nodemesh', weight: 1, cpusLimit: null }]),
  },
  marathons: [
    {
      ...{ prefix: 'io.l5d.marathon', url: 'http://10.0.0.1:8080' },
      followed: { prefix: 'io.l5d.marathon', connected: true, synced: true, reason: null },
      info: answered({ version: '1.8.244', leader: '10.0.0.1:8080' }),
    },
  ],
  zookeepers: [
    {
      use: 'state',
      servers: ['a:2181', 'b:2181', 'c:2181'].map((server) => ({
        server,
        answer: { kind: 'serving', mode: 'follower', averageMs: 1, mostMs: 30, tookMs: 2 },
      })),
    },
  ],
  names: [
    { name: 'm1.example', usedFor: 'the Mesos master', answer: { kind: 'found', addresses: ['10.0.0.1'], tookMs: 2 } },
  ],
  nodes: [node('node1'), node('node2')],
  clocks: [{ hostname: 'node1', clock: CLOCK }],
};
