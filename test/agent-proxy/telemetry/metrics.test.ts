import { expect, test } from 'vitest';
import { latencyBucket, latencyOfBucket } from '../../../agent-proxy/control/latency-scale.ts';
import { renderJson } from '../../../agent-proxy/telemetry/json.ts';
import type { MetricsQuery } from '../../../agent-proxy/telemetry/json-tree.ts';
import { MetricsTree } from '../../../agent-proxy/telemetry/metrics-tree.ts';
import { ClientScope, PairScope, ServiceScope } from '../../../agent-proxy/telemetry/name-scopes.ts';
import { renderPrometheus } from '../../../agent-proxy/telemetry/prometheus.ts';
import { BindCacheScope, interpreterScope, namerScope } from '../../../agent-proxy/telemetry/router-scopes.ts';
import { ServerScope } from '../../../agent-proxy/telemetry/server-scope.ts';

async function collect(pieces: AsyncIterable<string | Uint8Array>): Promise<string> {
  let text = '';
  for await (const piece of pieces) text += typeof piece === 'string' ? piece : Buffer.from(piece).toString('utf8');
  return text;
}

const BALANCER = {
  size: 3,
  available: () => 2,
  busy: () => 1,
  closed: () => 0,
  load: () => 7,
  adds: 4,
  removes: 1,
  updates: 5,
  accrual: { removals: 2, probes: 4, revivals: 1, removedForMs: 1_500, failedOpen: 6 },
};
const PARTS = { balancer: BALANCER, budget: () => 25, clock: () => 0 };
const SERVICE_PARTS = { budget: () => 25, pending: () => 0 };

function treeWithTraffic(): MetricsTree {
  const tree = new MetricsTree();
  const server = new ServerScope('outgoing', '127.0.1.1/4140');
  server.recorder.record(200, true, 10, 0);
  server.recorder.record(502, false, 30, 0);
  server.failed('unknown-name');
  tree.add(server);
  const service = new ServiceScope('outgoing', '/svc/we"b', SERVICE_PARTS);
  service.recorder.record(200, true, 10, 0);
  service.perRequest.record(0, 0);
  service.recorder.record(200, true, 10, 0);
  service.perRequest.record(2, 0);
  tree.add(service);
  const client = new ClientScope('outgoing', '/#/io.l5d.marathon/team/api', PARTS);
  client.connected(2, 0);
  client.connected(4, 0);
  client.disconnected();
  client.requeues.total = 3;
  tree.add(client);
  const pair = new PairScope(client, service, () => 0);
  for (const [status, success, latencyMs] of [
    [200, true, 10],
    [503, false, 20],
  ] as const) {
    pair.began();
    pair.attempted(status, success, latencyMs, 0);
  }
  tree.add(pair);
  const cache = new BindCacheScope('outgoing', 'path');
  cache.misses = 9;
  tree.add(cache);
  tree.add(interpreterScope('outgoing', () => ({ revision: 8 })));
  tree.add(namerScope('/io.l5d.marathon', () => ({ polls: 11 })));
  return tree;
}

test("metrics have linkerd's names and labels for Prometheus", async () => {
  const text = await collect(renderPrometheus(treeWithTraffic(), () => 0));
  const lines = text.trim().split('\n');
  const server = 'rt="outgoing", server="127.0.1.1/4140"';
  const client = 'rt="outgoing", client="#/io.l5d.marathon/team/api"';
  expect(lines).toEqual(
    expect.arrayContaining([
      `rt:server:requests{${server}} 2`,
      `rt:server:success{${server}} 1`,
      `rt:server:failures{${server}} 1`,
      `rt:server:failures{${server}, exception="unknown-name"} 1`,
      `rt:server:status:200{${server}} 1`,
      `rt:server:status:5XX{${server}} 1`,
      `rt:server:request_latency_ms_count{${server}} 2`,
      `rt:server:request_latency_ms_sum{${server}} 40`,
      `rt:server:request_latency_ms_avg{${server}} 20`,
      `rt:server:request_latency_ms{${server}, quantile="0.99"} ${round(latencyOfBucket(latencyBucket(30)))}`,
      'rt:service:retries:budget{rt="outgoing", service="svc/we\\"b"} 25.0',
      'rt:service:retries:per_request_sum{rt="outgoing", service="svc/we\\"b"} 2',
      'rt:service:retries:per_request{rt="outgoing", service="svc/we\\"b", quantile="1"} 2',
      'rt:service:retries:per_request{rt="outgoing", service="svc/we\\"b", quantile="0.5"} 0',
      `rt:client:loadbalancer:available{${client}} 2.0`,
      `rt:client:requests{${client}} 2`,
      `rt:client:status:503{${client}} 1`,
      `rt:client:request_latency_ms_sum{${client}} 30`,
      `rt:client:connects{${client}} 2`,
      `rt:client:connections{${client}} 1.0`,
      `rt:client:connect_latency_ms_count{${client}} 2`,
      `rt:client:connect_latency_ms_sum{${client}} 6`,
      `rt:client:failure_accrual:removals{${client}} 2`,
      `rt:client:failure_accrual:probes{${client}} 4`,
      `rt:client:failure_accrual:revivals{${client}} 1`,
      `rt:client:failure_accrual:removed_for_ms{${client}} 1500`,
      `rt:client:retries:requeues{${client}} 3`,
      `rt:client:retries:budget{${client}} 25.0`,
      `rt:client:loadbalancer:max_effort_exhausted{${client}} 6`,
      'rt:bindcache:path:misses{rt="outgoing"} 9',
      'rt:interpreter:revision{rt="outgoing"} 8.0',
      'namer:_:io_l5d_marathon:polls 11.0',
      `rt:client:service:requests{${client}, service="svc/we\\"b"} 2`,
      `rt:client:service:success{${client}, service="svc/we\\"b"} 1`,
      `rt:client:service:failures{${client}, service="svc/we\\"b"} 1`,
      `rt:client:service:request_latency_ms_count{${client}, service="svc/we\\"b"} 2`,
    ]),
  );
  // A stat without a value is absent rather than NaN.
  expect(text).not.toMatch(/NaN|time:1XX/);
  for (const line of lines) expect(line).toMatch(/^[a-zA-Z_:][a-zA-Z0-9_:]*(\{[^\n]*\})? [0-9.e+-]+$/);
});

function round(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}

async function json(query: Partial<MetricsQuery> = {}, tree = treeWithTraffic()): Promise<string> {
  const pieces = await renderJson(tree, () => 0, { subtree: '', tree: false, pretty: false, ...query });
  if (pieces === null) throw new Error('no such subtree');
  return collect(pieces);
}

test('metrics.json is one flat object of paths', async () => {
  const text = await json();
  const figures = JSON.parse(text) as Record<string, number>;
  expect(text.trim()).not.toContain('\n');
  expect(figures).toMatchObject({
    'rt/outgoing/server/127.0.1.1/4140/requests': 2,
    'rt/outgoing/server/127.0.1.1/4140/request_latency_ms.count': 2,
    'rt/outgoing/client/#/io.l5d.marathon/team/api/loadbalancer/size': 3,
  });
  expect(await json({}, new MetricsTree())).toBe('{}\n');
  // The flat object of everything is written another way than its pretty form.
  expect(JSON.parse(await json({ pretty: true }))).toEqual(figures);
});

test('of a subtree there are the names below it, down to a single figure', async () => {
  const server = 'rt/outgoing/server/127.0.1.1/4140';
  expect(JSON.parse(await json({ subtree: server }))).toMatchObject({ requests: 2, 'failures/unknown-name': 1 });
  expect(JSON.parse(await json({ subtree: `/${server}/failures/` }))).toEqual({ '': 1, 'unknown-name': 1 });
  expect(JSON.parse(await json({ subtree: `${server}/requests`, tree: true }))).toEqual({ counter: 2 });
  for (const subtree of ['nothing', `${server}/nothing`, 'rt/outgoing/server/127', `${server}/requests/x`]) {
    expect(await renderJson(treeWithTraffic(), () => 0, { subtree, tree: false, pretty: false })).toBeNull();
  }
});

test('the tree nests at slashes, also where a figure has figures below it', async () => {
  expect(JSON.parse(await json({ tree: true }))).toMatchObject({
    rt: {
      outgoing: {
        server: {
          '127.0.1.1': {
            4140: {
              failures: { counter: 1, 'unknown-name': { counter: 1 } },
              pending: { gauge: 0 },
              request_latency_ms: { 'stat.count': 2, 'stat.sum': 40, 'stat.avg': 20 },
            },
          },
        },
        client: {
          '#': {
            'io.l5d.marathon': {
              team: { api: { connects: { counter: 2 }, service: { svc: { 'we"b': { requests: { counter: 2 } } } } } },
            },
          },
        },
      },
    },
  });
});

test('pretty has a line for each figure, in order, and says the same', async () => {
  for (const tree of [false, true]) {
    const [pretty, plain] = [await json({ tree, pretty: true }), await json({ tree })];
    expect(JSON.parse(pretty)).toEqual(JSON.parse(plain));
    const lines = (text: string) =>
      text
        .trim()
        .split('\n')
        .map((line) => line.replace(/,$/, ''))
        .sort();
    // JSON.parse moves keys like 200 to the front: the same lines, in another order.
    expect(lines(pretty)).toEqual(lines(JSON.stringify(JSON.parse(pretty), null, 2)));
  }
  const keys = Object.keys(JSON.parse(await json({ subtree: 'rt/outgoing/service/svc/we"b', pretty: true })) as object);
  expect(keys.indexOf('failures')).toBeLessThan(keys.indexOf('requests'));
});

test('flat and tree have the same figures when a service is named like a figure of another', async () => {
  const tree = new MetricsTree();
  for (const bound of ['/#/m/team', '/#/m/team/requests']) tree.add(new ClientScope('r', bound, PARTS));
  const flat = JSON.parse(await json({}, tree)) as Record<string, number>;
  expect(flat).toMatchObject({ 'rt/r/client/#/m/team/requests': 0, 'rt/r/client/#/m/team/requests/requests': 0 });
  expect(JSON.parse(await json({ tree: true, subtree: 'rt/r/client/#/m/team/requests' }, tree))).toMatchObject({
    counter: 0,
    requests: { counter: 0 },
  });
});

test('names have a prefix where one is configured', async () => {
  const text = await collect(renderPrometheus(treeWithTraffic(), () => 0, { prefix: 'linkerd_' }));
  expect(text).toContain('linkerd_rt:bindcache:path:misses{rt="outgoing"} 9\n');
  for (const line of text.trim().split('\n')) expect(line).toMatch(/^linkerd_/);
});

test('names from outside cannot break the text out of its quotes', async () => {
  const nasty = '/svc/a\\b"c\nd\te';
  const tree = new MetricsTree();
  tree.add(new ServiceScope('r', nasty, SERVICE_PARTS));
  const text = await collect(renderPrometheus(tree, () => 0));
  expect(text).toContain('service="svc/a\\\\b\\"c\\nd\te"');
  for (const line of text.trim().split('\n')) expect(line).toMatch(/ [0-9.]+$/);
  expect(Object.keys(JSON.parse(await json({}, tree)) as object)).toContain(`rt/r/service/${nasty.slice(1)}/requests`);
});

test('rendering gives the loop its turn whenever a slice of time is over', async () => {
  const tree = new MetricsTree();
  for (let index = 0; index < 50; index += 1) tree.add(new ServerScope('r', `127.0.0.1/${index}`));
  // Each look at the clock finds a millisecond gone: so each scope is a slice.
  let time = 0;
  const clock = () => {
    time += 1;
    return time;
  };
  let pieces = 0;
  let turns = 0;
  const count = setInterval(() => undefined, 1_000);
  const turn = () => {
    turns += 1;
    if (count.hasRef()) setImmediate(turn);
  };
  setImmediate(turn);
  for await (const piece of renderPrometheus(tree, clock)) pieces += Number(piece.length > 0);
  clearInterval(count);
  count.unref();
  expect(pieces).toBeGreaterThan(25);
  expect(turns).toBeGreaterThan(25);
});

test('a scope that was removed is not rendered, and a full tree counts what it has no room for', () => {
  const tree = new MetricsTree();
  const scope = new ServerScope('r', 'x/1');
  tree.add(scope);
  tree.remove(scope);
  expect([...tree.read()]).toEqual([]);
  for (let index = 0; index < 20_001; index += 1) tree.add({ ...dummy, path: `p${index}` });
  expect(tree.overflow).toBe(1);
});

const dummy = { name: 'n', labels: {}, visit: () => undefined };
