/** Stale endpoints are what people left our predecessors for: a deployment, and an instance that dies under load. */
import { createServer, type Server } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../fixtures/eventually.ts';
import { getJson, send, sendJson } from '../fixtures/http.ts';
import { Cluster } from '../fixtures/local-cluster.ts';
import { figure, timed } from '../fixtures/measure.ts';
import { SteadyLoad } from '../fixtures/steady-load.ts';

const WATCHED_MS = 10_000;

const MODES = ['drop', 'duplicate', 'reorder', 'blackhole'] as const;
/** Within it every difference is found and mended. */
const MENDED_MS = 15_000;

interface TableDocument {
  revision: number;
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

  it('deltas that are lost, doubled, late, or swallowed by a dead line: every table is mended within 15 s, and nothing restarts', async () => {
    const { mesos, marathon, nodes } = cluster.ready;
    const spoil = (agentId: string, mode: string) =>
      sendJson('POST', `${mesos}/local/control-link`, { agentId, mode }).then(({ status }) => expect(status).toBe(202));
    const pids = async () => [...(await cluster.proxies()).values()].flat().map(({ pid }) => pid);
    const before = await pids();
    for (const [index, mode] of MODES.entries()) await spoil(nodes[index]?.agentId ?? '', mode);
    const scale = async (instances: number): Promise<void> => {
      expect((await sendJson('PUT', `${marathon}/v2/apps/gen?force=true`, { instances })).status).toBe(200);
      await eventually(`${instances} instances`, async () => {
        const { app } = await getJson<{ app: { tasksHealthy: number; tasksRunning: number } }>(
          `${marathon}/v2/apps/gen`,
        );
        return app.tasksHealthy === instances && app.tasksRunning === instances;
      });
    };
    for (const instances of [3, 5, 4]) await scale(instances);
    await timed('differences on the control streams → every table as the scheduler’s', () =>
      eventually('every table is the newest', () => tablesAgree(), MENDED_MS, 50),
    );
    const links = await getJson<{ agentId: string; mode: string; hit: number }[]>(`${mesos}/local/control-link`);
    for (const { mode, hit } of links) expect([mode, mode === 'blackhole' || hit > 0]).toEqual([mode, true]);
    expect(await readyEverywhere('gen')).toEqual([4, 4, 4, 4]);
    expect(await pids()).toEqual(before);
    for (const { agentId } of nodes) await spoil(agentId, 'off');
  });

  it('an endpoint that Marathon removed gets no request 1 s later', async () => {
    const { marathon, nodes } = cluster.ready;
    const gen = await cluster.service('gen');
    const victim = gen?.endpoints[0];
    if (victim === undefined) throw new Error('gen has no endpoints');
    const load = new SteadyLoad(
      nodes.map((node) => node.http),
      'gen',
      200,
    );
    try {
      await eventually('the load runs', () => load.succeeded > 100, 10_000);
      const { status } = await send(`${marathon}/v2/apps/gen/tasks/${victim.instance}?scale=true&force=true`, {
        method: 'DELETE',
      });
      expect(status).toBe(200);
      await eventually('Marathon has removed it', async () => {
        const { tasks } = await getJson<{ tasks: { id: string }[] }>(`${marathon}/v2/apps/gen/tasks`);
        return tasks.every(({ id }) => id !== victim.instance);
      });
      const removedAt = load.elapsedMs();
      // Its port is free now: whoever still goes there is heard here.
      const visits: number[] = [];
      const listener = createServer((socket) => {
        visits.push(load.elapsedMs() - removedAt);
        socket.destroy();
      });
      await eventually('its port is free', () => listens(listener, victim.port, victim.address));
      await eventually('two seconds of load', () => load.elapsedMs() > removedAt + 2_000, 10_000);
      await new Promise((resolve) => listener.close(resolve));
      expect(visits.filter((at) => at >= 1_000)).toEqual([]);
      expect(load.failuresSince(removedAt + 1_000)).toEqual([]);
    } finally {
      await load.stop();
    }
  });

  /** Whether each proxy has said that it has the scheduler's newest table. */
  async function tablesAgree(): Promise<boolean> {
    const { revision } = await getJson<{ revision: number }>(`${cluster.scheduler}/v1/health`);
    const rows = await getJson<{ sync: { revision: number; digestOk: boolean | null } | null }[]>(
      `${cluster.scheduler}/v1/nodes`,
    );
    return (
      rows.length === MODES.length && rows.every(({ sync }) => sync?.digestOk === true && sync.revision === revision)
    );
  }

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

/** Whether it listens there now; false while somebody else does. */
function listens(server: Server, port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, host, () => resolve(true));
  });
}
