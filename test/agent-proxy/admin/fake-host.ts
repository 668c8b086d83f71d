/** An admin server on a real port over a host that answers what a test tells it to. */
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import type { AdminHost } from '../../../agent-proxy/admin/host.ts';
import { type AdminOptions, createAdminServer } from '../../../agent-proxy/admin/server.ts';
import { gaugeScope } from '../../../agent-proxy/telemetry/gauge-scope.ts';
import { renderJson } from '../../../agent-proxy/telemetry/json.ts';
import { MetricsTree } from '../../../agent-proxy/telemetry/metrics-tree.ts';
import { renderPrometheus } from '../../../agent-proxy/telemetry/prometheus.ts';

async function* pieces(...texts: readonly string[]): AsyncGenerator<string> {
  yield* texts;
}

export function fakeHost(): AdminHost {
  const tree = new MetricsTree();
  tree.add(gaugeScope('control', 'control', {}, () => ({ revision: 3, connected: 1 })));
  const clock = (): number => 0;
  return {
    guard: { listenIp: '127.0.0.1', clusterKey: null, token: null },
    notReady: () => null,
    serverInfo: () => ({ version: '0.0.0', pid: 1 }),
    config: () => ({ routers: [] }),
    shutdown: () => undefined,
    prometheus: () => renderPrometheus(tree, clock),
    metricsJson: (query) => renderJson(tree, clock, query),
    recentRequests: () => null,
    table: () => pieces('{"services":', '[]}'),
    boundNames: () => Promise.resolve(['/#/io.l5d.fs/web']),
    delegate: ({ path }) => Promise.resolve({ kind: 'tree', tree: { type: 'neg', path } }),
    clientState: () => [],
    namerState: () => null,
    interpreterState: () => null,
    logging: { list: () => [], set: () => null },
    isOurScheduler: null,
    announce: null,
  };
}

/** The URL of a server over this host; it is closed when the test is over. */
export async function useAdmin(host: Partial<AdminHost> = {}, options: Partial<AdminOptions> = {}): Promise<string> {
  const server = createAdminServer({ ...fakeHost(), ...host }, options);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return `http://127.0.0.1:${port}`;
}
