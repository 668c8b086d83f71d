import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, expect, it } from 'vitest';
import type { MetricScope } from '../../../agent-proxy/telemetry/metrics-tree.ts';
import { MetricsTree } from '../../../agent-proxy/telemetry/metrics-tree.ts';
import type { FigureVisitor } from '../../../agent-proxy/telemetry/recorder.ts';
import { Stat } from '../../../agent-proxy/telemetry/stat.ts';
import { Statsd } from '../../../agent-proxy/telemetry/statsd.ts';
import { StatsdWriter } from '../../../agent-proxy/telemetry/statsd-writer.ts';
import { eventually } from '../../fixtures/eventually.ts';

function scope(path: string, visit: (visitor: FigureVisitor) => void): MetricScope {
  return { path, name: 'rt', labels: {}, visit };
}

/** The lines of one round. */
function round(writer: StatsdWriter, ...scopes: MetricScope[]): string[] {
  writer.begin(0);
  for (const each of scopes) writer.write(each);
  return writer.end().join('\n').split('\n');
}

it('sends what was added to a counter, and nothing where nothing was', () => {
  const writer = new StatsdWriter('linkerd');
  let requests = 3;
  const service = scope('rt/outgoing/service/svc/web.x', (visitor) => visitor.counter('requests', requests));
  expect(round(writer, service)).toEqual(['linkerd.rt.outgoing.service.svc.web_x.requests:3|c']);
  requests = 10;
  expect(round(writer, service)).toEqual(['linkerd.rt.outgoing.service.svc.web_x.requests:7|c']);
  expect(round(writer, service)).toEqual(['']);
});

it('takes a counter that is less than before, or that was gone, for a new one', () => {
  const writer = new StatsdWriter('l');
  let requests = 10;
  const service = scope('s', (visitor) => visitor.counter('requests', requests));
  round(writer, service);
  requests = 4;
  expect(round(writer, service)).toEqual(['l.s.requests:4|c']);
  round(writer);
  expect(round(writer, service)).toEqual(['l.s.requests:4|c']);
});

it('sends gauges as they are, and quantiles of distributions as gauges', () => {
  const stat = new Stat();
  for (const value of [1, 2, 3]) stat.record(value, 0);
  const lines = round(
    new StatsdWriter('l'),
    scope('s', (visitor) => {
      visitor.gauge('retries/budget', 100.5);
      visitor.gauge('balance', -2);
      visitor.stat('request_latency_ms', stat);
    }),
  );
  expect(lines.slice(0, 4)).toEqual([
    'l.s.retries.budget:100.5|g',
    'l.s.balance:0|g',
    'l.s.balance:-2|g',
    'l.s.request_latency_ms.count:3|c',
  ]);
  expect(lines.slice(4).map((line) => line.replace(/:.*\|/, ' '))).toEqual(
    ['min', 'p50', 'p90', 'p95', 'p99', 'p9990', 'p9999', 'max'].map((name) => `l.s.request_latency_ms.${name} g`),
  );
});

it('fills datagrams, and none beyond what a packet holds', () => {
  const writer = new StatsdWriter('linkerd');
  writer.begin(0);
  for (let index = 0; index < 500; index += 1) {
    writer.write(scope(`rt/outgoing/service/svc/app-${index}`, (visitor) => visitor.gauge('pending', index)));
  }
  const datagrams = [...writer.take(), ...writer.end()];
  expect(Math.max(...datagrams.map(({ length }) => length))).toBeLessThanOrEqual(1_400);
  expect(datagrams.join('\n').split('\n')).toHaveLength(500);
  expect(datagrams.length).toBeLessThan(25);
});

let receiver: Socket | null = null;

afterEach(() => {
  receiver?.close();
  receiver = null;
});

it('sends rounds by UDP, for as long as it is open', async () => {
  const socket = createSocket('udp4');
  receiver = socket;
  const received: string[] = [];
  socket.on('message', (message) => received.push(message.toString()));
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const tree = new MetricsTree();
  let requests = 1;
  tree.add(scope('rt/outgoing', (visitor) => visitor.counter('requests', requests)));
  const config = { prefix: 'linkerd', hostname: '127.0.0.1', port: socket.address().port, gaugeIntervalMs: 5 };
  const statsd = new Statsd(
    config,
    tree,
    () => performance.now(),
    () => undefined,
  );
  statsd.start();
  await eventually('the first round', () => received.length === 1);
  requests = 5;
  await eventually('the second round', () => received.length === 2);
  statsd.close();
  expect(received).toEqual(['linkerd.rt.outgoing.requests:1|c', 'linkerd.rt.outgoing.requests:4|c']);
});

it('complains once about a receiver that cannot be reached', async () => {
  const failures: string[] = [];
  const config = { prefix: 'linkerd', hostname: '127.0.0.1', port: 70_000, gaugeIntervalMs: 5 };
  const tree = new MetricsTree();
  tree.add(scope('s', (visitor) => visitor.gauge('pending', 1)));
  const statsd = new Statsd(
    config,
    tree,
    () => 0,
    (failure) => failures.push(failure),
  );
  await statsd.sendRound();
  await statsd.sendRound();
  expect(statsd.failed).toBe(2);
  expect(failures).toEqual([
    expect.stringMatching(/^statsd at 127\.0\.0\.1:70000: .*; check telemetry's hostname and port$/),
  ]);
});
