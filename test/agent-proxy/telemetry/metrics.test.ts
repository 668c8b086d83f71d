import { expect, test } from 'vitest';
import { latencyBucket, latencyOfBucket } from '../../../agent-proxy/control/contract.ts';
import { MetricsTree } from '../../../agent-proxy/telemetry/metrics-tree.ts';
import { renderJson, renderPrometheus } from '../../../agent-proxy/telemetry/prometheus.ts';
import { LatencyStat } from '../../../agent-proxy/telemetry/recorder.ts';
import { ClientScope, ServerScope, ServiceScope } from '../../../agent-proxy/telemetry/scopes.ts';
import { TrafficCounter } from '../../../agent-proxy/telemetry/traffic.ts';

async function collect(pieces: AsyncIterable<string>): Promise<string> {
  let text = '';
  for await (const piece of pieces) text += piece;
  return text;
}

function treeWithTraffic(): MetricsTree {
  const tree = new MetricsTree();
  const server = new ServerScope('outgoing', '127.0.1.1/4140', 0);
  server.recorder.record({ status: 200, success: true, latencyMs: 10 }, 0);
  server.recorder.record({ status: 502, success: false, latencyMs: 30 }, 0);
  server.failed('unknown-name');
  tree.add(server);
  tree.add(new ServiceScope('outgoing', '/svc/we"b', 0, () => 25));
  const balancer = { size: 3, available: () => 2, load: () => 7 };
  tree.add(new ClientScope('outgoing', '/#/io.l5d.marathon/team/api', balancer, () => 0));
  return tree;
}

test("metrics have linkerd's names and labels for Prometheus", async () => {
  const text = await collect(renderPrometheus(treeWithTraffic(), () => 0));
  const lines = text.trim().split('\n');
  const server = 'rt="outgoing", server="127.0.1.1/4140"';
  expect(lines).toEqual(
    expect.arrayContaining([
      `rt:server:requests{${server}} 2`,
      `rt:server:success{${server}} 1`,
      `rt:server:failures{${server}} 1`,
      `rt:server:failures:unknown_name{${server}} 1`,
      `rt:server:status:200{${server}} 1`,
      `rt:server:status:5XX{${server}} 1`,
      `rt:server:request_latency_ms_count{${server}} 2`,
      `rt:server:request_latency_ms_sum{${server}} 40`,
      `rt:server:request_latency_ms_avg{${server}} 20`,
      `rt:server:request_latency_ms{${server}, quantile="0.99"} ${round(latencyOfBucket(latencyBucket(30)))}`,
      'rt:service:retries:budget{rt="outgoing", service="svc/we\\"b"} 25',
      'rt:client:loadbalancer:available{rt="outgoing", client="#/io.l5d.marathon/team/api"} 2',
    ]),
  );
  // A stat without a value is absent rather than NaN.
  expect(text).not.toMatch(/NaN|service:request_latency_ms/);
  for (const line of lines) expect(line).toMatch(/^[a-zA-Z_:][a-zA-Z0-9_:]*(\{[^\n]*\})? [0-9.e+-]+$/);
});

function round(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}

test('metrics.json is one flat object of paths', async () => {
  const figures = JSON.parse(await collect(renderJson(treeWithTraffic(), () => 0))) as Record<string, number>;
  expect(figures).toMatchObject({
    'rt/outgoing/server/127.0.1.1/4140/requests': 2,
    'rt/outgoing/server/127.0.1.1/4140/request_latency_ms.count': 2,
    'rt/outgoing/client/#/io.l5d.marathon/team/api/loadbalancer/size': 3,
  });
  expect(await collect(renderJson(new MetricsTree(), () => 0))).toBe('{}\n');
});

test('a scope that was removed is not rendered, and a full tree counts what it has no room for', () => {
  const tree = new MetricsTree();
  const scope = new ServerScope('r', 'x/1', 0);
  tree.add(scope);
  tree.remove(scope);
  expect([...tree.read()]).toEqual([]);
  for (let index = 0; index < 20_001; index += 1) tree.add({ ...dummy, path: `p${index}` });
  expect(tree.overflow).toBe(1);
});

const dummy = { name: 'n', labels: {}, visit: () => undefined };

test('quantiles cover the last minute or two, totals everything', () => {
  const stat = new LatencyStat(0);
  stat.record(100, 0);
  stat.record(1, 61_000);
  expect(stat.quantile(1, 61_000)).toBeGreaterThan(95);
  expect(stat.quantile(1, 121_000)).toBeLessThan(2);
  expect(stat.quantile(1, 400_000)).toBeNull();
  expect([stat.count, stat.sum]).toEqual([2, 101]);
});

test('a window of traffic that did not arrive is told with the next', () => {
  const traffic = new TrafficCounter(0);
  traffic.record('outgoing', 'web', true, 5, 0);
  const lost = traffic.take(1_000);
  traffic.record('outgoing', 'web', false, 5, 2);
  traffic.giveBack(lost);
  const { startedAt, traffic: rows } = traffic.take(2_000);
  expect(startedAt).toBe(0);
  expect(rows).toEqual([
    { service: 'web', router: 'outgoing', requests: 2, failures: 1, retries: 2, latency: [[latencyBucket(5), 2]] },
  ]);
  expect(traffic.take(3_000)).toEqual({ startedAt: 2_000, traffic: [] });
});
