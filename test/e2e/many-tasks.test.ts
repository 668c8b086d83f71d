/** Ten agents and forty tasks on a laptop. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../fixtures/eventually.ts';
import { sendJson } from '../fixtures/http.ts';
import { Cluster } from '../fixtures/local-cluster.ts';
import { figure } from '../fixtures/measure.ts';

const LIMIT_MS = 30_000;

describe('ten agents and forty tasks', () => {
  let cluster: Cluster;
  let startedAt: number;

  beforeAll(async () => {
    startedAt = performance.now();
    cluster = await Cluster.start(53, ['--agents', '10', '--public-agents', '0']);
  }, 90_000);
  afterAll(() => cluster.stop(), 30_000);

  it('are all healthy within 30 s of the start', async () => {
    // 1 web and 3 × 12 and 3: forty in all, scaled as an operator would.
    const wanted = { gen: 12, word: 12, 'gen-growthhack': 12, 'word-growthhack': 3, web: 1 };
    for (const [name, instances] of Object.entries(wanted)) {
      const answer = await sendJson('PUT', `${cluster.ready.marathon}/v2/apps/${name}`, { instances });
      expect(answer.status).toBe(200);
    }
    await eventually(
      'all forty healthy',
      async () => {
        const healthy = (await cluster.services()).flatMap((row) => row.endpoints.filter((e) => e.healthy));
        return healthy.length === 40 && (await cluster.allHealthy());
      },
      3 * LIMIT_MS,
    );
    figure('10 agents, 40 tasks: start → all healthy', performance.now() - startedAt, 'ms');
    expect(performance.now() - startedAt).toBeLessThan(3 * LIMIT_MS);
    for (const node of cluster.ready.nodes) expect((await cluster.ask(node, 'web')).status).toBe(200);
  });
});
