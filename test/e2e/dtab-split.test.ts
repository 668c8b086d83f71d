/**
 * A change of the dtab is in force everywhere within a second of its answer: a tenth of `gen` goes to `gen-growthhack`,
 * and no request fails. NODEMESH_WHOLE_SPLIT=1 measures it over 5,000 requests at 200 a second, which takes half a minute.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../fixtures/eventually.ts';
import { getJson, send, sendJson } from '../fixtures/http.ts';
import { Cluster } from '../fixtures/local-cluster.ts';
import { figure } from '../fixtures/measure.ts';
import { SteadyLoad } from '../fixtures/steady-load.ts';

const WHOLE = process.env['NODEMESH_WHOLE_SPLIT'] === '1';
const RPS = 200;
/** Of 1,200 draws of one in ten, 4 % are four and a half standard deviations; so are 2 % of 5,000. */
const { requests, tolerance } = WHOLE ? { requests: 5_000, tolerance: 0.02 } : { requests: 1_200, tolerance: 0.04 };
const SETTLED_MS = 1_000;
/** Well by its health check, and 500 to everybody else. */
const FAILING = `exec node -e "require('http').createServer((q, s) => { s.statusCode = q.url === '/health' ? 200 : 500; s.end('no') }).listen(process.env.PORT0, process.env.HOST)"`;
const GROWTHHACK = /gen=gen-growthhack:/;

describe('a change of namespace default', () => {
  let cluster: Cluster;

  beforeAll(async () => {
    cluster = await Cluster.start(61, ['--load', '0']);
  }, 90_000);
  afterAll(() => cluster.stop(), 30_000);

  const dtabs = () => `${cluster.scheduler}/api/1/dtabs/default`;
  const put = (dtab: string) =>
    send(dtabs(), { method: 'PUT', headers: { 'Content-Type': 'application/dtab' }, body: dtab });
  const read = async () => (await send(dtabs(), { headers: { Accept: 'application/dtab' } })).body;

  it('sends a tenth of gen elsewhere from one second after its answer, entering at any node, and nothing fails', async () => {
    const load = new SteadyLoad(
      cluster.ready.nodes.map((node) => node.http),
      'web',
      RPS,
    );
    let begunAt = 0;
    try {
      // A cold start on a busy machine is none of this story's business.
      await eventually('load without a failure, which may take a second to be known', () => {
        const now = load.elapsedMs();
        return now > 4_000 && load.failuresSince(now - 2_500).length === 0;
      });
      begunAt = load.elapsedMs();
      const before = await read();
      const answer = await put(
        `${before.trim()} ; /marathonId/gen => 1 * /#/io.l5d.marathon/gen-growthhack & 9 * /#/io.l5d.marathon/gen`,
      );
      expect(answer.status, answer.body).toBe(204);
      const from = load.elapsedMs() + SETTLED_MS;
      let all = 0;
      let elsewhere = 0;
      load.answered = (headers, atMs) => {
        if (atMs < from || all === requests) return;
        all += 1;
        if (GROWTHHACK.test(String(headers['gob-path']))) elsewhere += 1;
      };
      await eventually(`${requests} requests`, () => all === requests, (requests / RPS) * 2_000 + 20_000);
      figure(`of ${all} requests, one in ten to be sent elsewhere, were`, elsewhere, 'requests');
      expect(elsewhere / all).toBeGreaterThan(0.1 - tolerance);
      expect(elsewhere / all).toBeLessThan(0.1 + tolerance);
    } finally {
      await load.stop();
    }
    expect(load.failuresSince(begunAt).slice(0, 5)).toEqual([]);
  });

  it('is overridden by l5d-dtab for one request, end to end through web', async () => {
    const headers = { 'l5d-dtab': '/marathonId/gen => /#/io.l5d.marathon/gen-growthhack' };
    for (const node of cluster.ready.nodes) {
      for (let n = 0; n < 5; n += 1) {
        const answer = await cluster.ask(node, 'web', headers);
        expect(answer.status).toBe(200);
        expect(answer.headers['gob-path']).toMatch(GROWTHHACK);
      }
    }
  });

  it('that would take a name away which clients ask for is refused with the name, and changes nothing', async () => {
    const before = await read();
    const refused = await put('/marathonId => /#/io.l5d.marathon ; /svc => !');
    expect(refused.status, refused.body).toBe(409);
    expect(JSON.parse(refused.body)).toMatchObject({
      names: expect.arrayContaining(['/svc/gen', '/svc/web', '/svc/word']),
    });
    expect(await read()).toBe(before);
  });

  it('is reverted by one command', async () => {
    const reverted = await send(`${cluster.scheduler}/v1/dtabs/default/revert`, {
      method: 'POST',
      body: JSON.stringify({ version: 1 }),
    });
    expect(reverted.status).toBe(200);
    expect(await getJson(`${dtabs()}`)).toHaveLength(4);
    const [node] = cluster.ready.nodes;
    if (node === undefined) throw new Error('no node');
    await eventually('the old way in force', async () => {
      const paths = await Promise.all(
        Array.from({ length: 30 }, async () => String((await cluster.ask(node, 'web')).headers['gob-path'])),
      );
      return !paths.some((path) => GROWTHHACK.test(path));
    });
  });

  it('by a shift to a target that fails turns back by itself, and nothing fails after that', async () => {
    const { marathon } = cluster.ready;
    const { app: gen } = await getJson<{ app: Record<string, unknown> }>(`${marathon}/v2/apps/gen`);
    const bad = await sendJson('POST', `${marathon}/v2/apps`, {
      ...{ id: '/gen-bad', cmd: FAILING, instances: 1, cpus: 0.02, mem: 32 },
      ...{ portDefinitions: gen['portDefinitions'], healthChecks: gen['healthChecks'] },
    });
    expect(bad.status, bad.body).toBeLessThan(300);
    await eventually(
      'the failing app',
      async () => (await cluster.service('gen-bad'))?.endpoints.some((one) => one.healthy),
      30_000,
    );
    const load = new SteadyLoad(
      cluster.ready.nodes.map((node) => node.http),
      'gen',
      RPS,
    );
    try {
      await eventually('the load runs', () => load.succeeded > RPS);
      const begun = await sendJson('POST', `${cluster.scheduler}/v1/shifts`, {
        ...{ service: 'gen', to: 'gen-bad', steps: [10, 100], every: '1m' },
      });
      expect(begun.status, begun.body).toBe(201);
      const shift = await eventually(
        'the shift has turned back',
        async () => {
          const now = await getJson<{ state: string; reason: string }>(`${cluster.scheduler}/v1/shifts/gen`);
          return now.state === 'running' ? null : now;
        },
        30_000,
      );
      expect(shift).toMatchObject({
        state: 'turned-back',
        reason: expect.stringMatching(/requests to gen-bad failed/),
      });
      const from = load.elapsedMs() + SETTLED_MS;
      await eventually('two seconds more', () => load.elapsedMs() > from + 2_000);
      expect(load.failures.length).toBeGreaterThan(0);
      expect(load.failuresSince(from)).toEqual([]);
    } finally {
      await load.stop();
    }
    expect(await getJson(dtabs())).toHaveLength(4);
  });
});
