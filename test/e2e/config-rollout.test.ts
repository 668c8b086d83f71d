/** A configuration that rolls out by itself: a good one completes, a bad one is turned back after its canary, whoever leads. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { eventually } from '../fixtures/eventually.ts';
import { getJson, send, sendJson } from '../fixtures/http.ts';
import { Cluster } from '../fixtures/local-cluster.ts';
import { figure } from '../fixtures/measure.ts';
import { SteadyLoad } from '../fixtures/steady-load.ts';

interface Revision {
  revision: number;
  status: string;
  why: string | null;
}

const QUICK = 'window=2s&minRequests=10&steps=100&maxUnavailable=2';
/** A machine that is busy with other things takes its time. */
const PATIENCE_MS = 90_000;
const routers = (outgoing: object) => ({ routers: [{ label: 'outgoing', ...outgoing }, { label: 'incoming' }] });
const depth = (maxCallDepth: number) => routers({ servers: [{ maxCallDepth }] });

describe('a configuration', { timeout: 2 * PATIENCE_MS }, () => {
  let cluster: Cluster;
  let load: SteadyLoad;

  beforeAll(async () => {
    cluster = await Cluster.start(48, ['--load', '0']);
  }, 90_000);
  afterAll(() => cluster.stop(), 30_000);

  const startLoad = async (rps: number): Promise<void> => {
    load = new SteadyLoad(
      cluster.ready.nodes.map((node) => node.http),
      'web',
      rps,
    );
    onTestFinished(() => load.stop());
    await eventually('the load runs', () => load.succeeded > 2 * rps, 20_000);
  };
  const put = async (document: object, query = QUICK): Promise<number> => {
    const answer = await sendJson('PUT', `${cluster.scheduler}/v1/config?${query}`, document);
    expect([answer.status, answer.body]).toEqual([202, expect.anything()]);
    return (JSON.parse(answer.body) as { revision: number }).revision;
  };
  const current = () => getJson<{ revision: number; rollingOut: number | null }>(`${cluster.scheduler}/v1/config`);
  const revision = (number: number): Promise<Revision> =>
    getJson<Revision>(`${cluster.scheduler}/v1/config/revisions/${number}`);
  /** Until its plan is over, and every node is where it belongs. */
  const settled = async (number: number, runs: number): Promise<Revision> => {
    await eventually(
      `the plan of revision ${number} is over`,
      async () => (await current()).rollingOut === null,
      PATIENCE_MS,
    );
    const found = await revision(number);
    await eventually(`all nodes run ${runs} (${number} is ${found.status}: ${found.why})`, async () => {
      return (await cluster.nodes()).every(({ running }) => running?.configRevision === runs);
    });
    return found;
  };
  /** Nodes that ever ran it, as they said themselves while `work` went on. */
  const ranDuring = async <T>(number: number, work: () => Promise<T>): Promise<[T, Set<string>]> => {
    const ran = new Set<string>();
    let isOver = false;
    const watching = (async () => {
      while (!isOver) {
        for (const { agentId, running } of await cluster.nodes().catch(() => [])) {
          if (running?.configRevision === number) ran.add(agentId);
        }
        await sleep(50);
      }
    })();
    try {
      return [await work(), ran];
    } finally {
      isOver = true;
      await watching;
    }
  };

  it('that is good goes to every node, and no request fails', async () => {
    await startLoad(30);
    const number = await put(depth(100));
    const { status } = await settled(number, number);
    await load.stop();
    expect(status).toBe('completed');
    expect(load.failures).toEqual([]);
  });

  it('under which requests fail is turned back after its canary, and no other node ever runs it', async () => {
    const { marathon } = cluster.ready;
    const { revision: before } = await current();
    expect((await sendJson('PUT', `${marathon}/v2/apps/gen?force=true`, { env: { GOB_DELAY_MS: '100' } })).status).toBe(
      200,
    );
    const asked = async (): Promise<number> => {
      const at = performance.now();
      const { status } = await send(cluster.ready.nodes[0]?.http ?? '', { headers: { Host: 'web' } });
      return status === 200 ? performance.now() - at : 0;
    };
    await eventually(
      'gen is slow everywhere',
      async () => Math.min(...(await Promise.all(Array.from({ length: 12 }, asked)))) > 100,
      30_000,
    );
    await startLoad(30);
    const at = load.elapsedMs();
    const number = await put(routers({ client: { requestAttemptTimeoutMs: 20 } }));
    const [{ status, why }, ran] = await ranDuring(number, () => settled(number, before));
    expect(status).toBe('bad');
    expect(why).toMatch(/\d+% of \d+ requests failed/);
    expect(ran.size).toBe(1);
    figure('a bad configuration was turned back after', load.elapsedMs() - at, 'ms');
    const { succeeded } = load;
    await eventually('requests succeed again', () => load.succeeded > succeeded + 30, 15_000);
    await load.stop();
    figure('requests that failed under it', load.failures.length, 'requests');
    expect(load.failures.filter(({ atMs }) => atMs < at)).toEqual([]);
    // Nor does it come again, whoever asks for it.
    expect((await sendJson('POST', `${cluster.scheduler}/v1/config/rollback`, { revision: number })).status).toBe(409);
  });

  it('under which a listener is not where it was is caught by the probes', async () => {
    const { revision: before } = await current();
    const number = await put({ routers: [{ label: 'incoming', servers: [{ port: 4999 }] }] });
    const [{ status, why }, ran] = await ranDuring(number, () => settled(number, before));
    expect([status, ran.size]).toEqual(['bad', 1]);
    expect(why).toMatch(/does not answer with it: no answer at 127\.0\.48\.\d:4141 \(ECONNREFUSED\)$/);
  });

  it('without traffic ends unproven, and a scheduler that is killed in the middle goes on', async () => {
    const number = await put(depth(90), 'window=500ms&minRequests=1000&steps=50,100&maxUnavailable=2');
    await eventually('the canary runs it', async () =>
      (await cluster.nodes()).some(({ running }) => running?.configRevision === number),
    );
    const { pid } = (await cluster.processes()).find(({ role }) => role === 'scheduler') ?? { pid: 0 };
    process.kill(pid, 'SIGKILL');
    await eventually('another one answers', async () => (await current()).revision < number, PATIENCE_MS);
    const { status, why } = await settled(number, number);
    expect([status, why]).toEqual(['unproven', expect.stringContaining('too little traffic in ')]);
  });
});
