import { expect, test } from 'vitest';
import { gaugeScope } from '../../../agent-proxy/telemetry/gauge-scope.ts';
import { renderJson } from '../../../agent-proxy/telemetry/json.ts';
import { type ExportedScope, exportTree, mergeTrees } from '../../../agent-proxy/telemetry/merge.ts';
import { MetricsTree, type ScopeSource } from '../../../agent-proxy/telemetry/metrics-tree.ts';
import { ClientScope } from '../../../agent-proxy/telemetry/name-scopes.ts';
import { renderPrometheus } from '../../../agent-proxy/telemetry/prometheus.ts';
import { ServerScope } from '../../../agent-proxy/telemetry/server-scope.ts';

const NOW = 1_000;

async function collect(pieces: AsyncIterable<string | Uint8Array>): Promise<string> {
  let text = '';
  for await (const piece of pieces) text += typeof piece === 'string' ? piece : Buffer.from(piece).toString('utf8');
  return text;
}

async function figuresOf(source: ScopeSource): Promise<Record<string, number>> {
  const pieces = await renderJson(source, () => NOW, { subtree: '', tree: false, pretty: false });
  if (pieces === null) throw new Error('no metrics');
  return JSON.parse(await collect(pieces)) as Record<string, number>;
}

/** A tree as another process reads it. */
async function* sent(tree: MetricsTree): AsyncGenerator<readonly ExportedScope[]> {
  for await (const piece of exportTree(tree, () => NOW)) yield JSON.parse(JSON.stringify(piece)) as ExportedScope[];
}

function worker(latencies: readonly number[], port: number): MetricsTree {
  const tree = new MetricsTree();
  const server = new ServerScope('http', `127.0.0.1/${port}`);
  for (const latency of latencies) server.recorder.record(200, true, latency, NOW);
  server.connections = 2;
  const balancer = { size: 5, available: () => 4, busy: () => 1, closed: () => 0, load: () => 3 };
  const counts = {
    adds: 5,
    removes: 0,
    updates: 1,
    accrual: { removals: 0, probes: 0, revivals: 0, removedForMs: 0, failedOpen: 0 },
  };
  const parts = { balancer: { ...balancer, ...counts }, budget: () => 10, clock: () => NOW };
  tree.add(server);
  tree.add(new ClientScope('http', '/#/io.l5d.fs/web', parts));
  tree.add(gaugeScope('proc', 'proc', {}, () => ({ rss_bytes: 100, uptime_ms: port })));
  return tree;
}

test('one tree, exported and merged, is rendered as it was', async () => {
  const tree = worker([1, 2, 300], 4140);
  const merged = await mergeTrees([sent(tree)]);
  expect(await figuresOf(merged)).toEqual(await figuresOf(tree));
  const lines = async (source: ScopeSource) =>
    (await collect(renderPrometheus(source, () => NOW))).split('\n').toSorted();
  expect(await lines(merged)).toEqual(await lines(tree));
});

test('two workers are shown as one that had all the requests', async () => {
  const merged = await figuresOf(await mergeTrees([sent(worker([1, 2], 4140)), sent(worker([300, 4], 4140))]));
  const alone = await figuresOf(worker([1, 2, 300, 4], 4140));
  const server = (figures: Record<string, number>) =>
    Object.fromEntries(Object.entries(figures).filter(([path]) => /server.*(requests|latency|time|status)/.test(path)));
  expect(server(merged)).toEqual(server(alone));
  expect(merged).toMatchObject({ 'rt/http/server/127.0.0.1/4140/connections': 4, 'proc/rss_bytes': 200 });
});

test('what all workers say of one thing is not multiplied', async () => {
  const figures = await figuresOf(await mergeTrees([sent(worker([], 1)), sent(worker([], 7))]));
  const client = 'rt/http/client/#/io.l5d.fs/web';
  expect(figures).toMatchObject({
    [`${client}/loadbalancer/size`]: 5,
    [`${client}/loadbalancer/available`]: 4,
    [`${client}/loadbalancer/load`]: 6,
    [`${client}/retries/budget`]: 20,
    'proc/uptime_ms': 7,
  });
});

test('a scope that only one worker has is there', async () => {
  const figures = await figuresOf(await mergeTrees([sent(worker([1], 4140)), sent(worker([1], 4141))]));
  expect(figures).toMatchObject({
    'rt/http/server/127.0.0.1/4140/requests': 1,
    'rt/http/server/127.0.0.1/4141/requests': 1,
  });
});
