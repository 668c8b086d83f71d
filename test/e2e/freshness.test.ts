/** Stale endpoints are what people left our predecessors for: a deployment, and an instance that dies under load. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../fixtures/eventually.ts';
import { getJson, sendJson } from '../fixtures/http.ts';
import { Cluster } from '../fixtures/local-cluster.ts';
import { figure, timed } from '../fixtures/measure.ts';
import { SteadyLoad } from '../fixtures/steady-load.ts';

const WATCHED_MS = 10_000;

interface TableDocument {
  services: { name: string; endpoints: { instance: string; state: string }[] }[];
}

describe('endpoints', () => {
  let cluster: Cluster;

  beforeAll(async () => {
    cluster = await Cluster.start(44, ['--load', '0']);
  }, 90_000);
  afterAll(() => cluster.stop(), 30_000);

  it('an app scaled to 5: every proxy balances over 5 within 1 s of the fifth being healthy', async () => {
    const { marathon } = cluster.ready;
    expect((await sendJson('PUT', `${marathon}/v2/apps/gen`, { instances: 5 })).status).toBe(200);
    await eventually(
      'Marathon calls the fifth healthy',
      async () => {
        const { app } = await getJson<{ app: { tasksHealthy: number } }>(`${marathon}/v2/apps/gen`);
        return app.tasksHealthy === 5;
      },
      30_000,
      5,
    );
    await timed('fifth instance healthy → in every proxy’s table', () =>
      eventually('5 ready in every table', async () => (await readyEverywhere('gen')).every((n) => n === 5), 3000, 5),
    );
    for (const node of cluster.ready.nodes) {
      const seen = new Set<string>();
      for (let k = 0; k < 200 && seen.size < 5; k++) {
        seen.add(String((await cluster.ask(node, 'web')).headers['gob-path']).split('gen=')[1] ?? '');
      }
      expect(seen.size).toBe(5);
    }
  });

  it.each(['gen', 'word'])(
    'an instance of %s killed under 200 requests a second: at most 2 fail in 10 s, then none',
    async (app) => {
      const victim = (await cluster.processes()).find((row) => row.appId === `/${app}` || row.appId === app);
      if (victim === undefined) throw new Error(`no process of ${app}`);
      const load = new SteadyLoad(
        cluster.ready.nodes.map((node) => node.http),
        'web',
        200,
      );
      try {
        await eventually('the load runs', () => load.succeeded > 400, 10_000);
        const killedAt = load.elapsedMs();
        process.kill(victim.pid, 'SIGKILL');
        await eventually('ten seconds of load', () => load.elapsedMs() > killedAt + WATCHED_MS, WATCHED_MS * 2);
        const within = load.failuresSince(killedAt);
        figure(`failed requests in 10 s after an instance of ${app} was killed`, within.length, 'requests');
        expect(within.length, JSON.stringify(within.slice(0, 5))).toBeLessThanOrEqual(2);
        const after = load.elapsedMs();
        await eventually('two more seconds', () => load.elapsedMs() > after + 2000, 10_000);
        expect(load.failuresSince(after)).toEqual([]);
      } finally {
        await load.stop();
      }
      expect(load.sent).toBeGreaterThan(200 * 10);
    },
  );

  /** How many instances of a service are ready in the table of each node's proxy. */
  function readyEverywhere(name: string): Promise<number[]> {
    return Promise.all(
      cluster.ready.nodes.map(async (node) => {
        const table = await getJson<TableDocument>(`${node.admin}/admin/table`);
        const service = table.services.find((row) => row.name === name);
        return service?.endpoints.filter((endpoint) => endpoint.state === 'ready').length ?? 0;
      }),
    );
  }
});
