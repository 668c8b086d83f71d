import { describe, expect, test } from 'vitest';
import {
  addPoint,
  GAP_MS,
  HISTORY_MS,
  line,
  type Point,
  windowMs,
} from '../../../../scheduler/dashboard/src/model/history.ts';
import { nodeRows, serviceRows } from '../../../../scheduler/dashboard/src/model/rows.ts';
import { meshTraffic, summarise } from '../../../../scheduler/dashboard/src/model/summary.ts';
import { fakeNode, fakeService } from '../fake-scheduler.ts';

const node = (rps: number, successRate: number | null, p50Ms: number | null, p99Ms: number | null) => ({
  agentId: `S${rps}`,
  rps,
  successRate,
  p50Ms,
  p99Ms,
});
const traffic = (...nodes: ReturnType<typeof node>[]) => ({ windowMs: 10_000, nodes, services: [] });

describe('the summary', () => {
  test('counts nodes that are to have a proxy by state, the worst first, and services that lack an instance', () => {
    const nodes = nodeRows(
      [
        fakeNode(1),
        fakeNode(2, { state: 'launching' }),
        fakeNode(3, { state: 'lost' }),
        fakeNode(4, { state: 'lost' }),
        fakeNode(5, { state: 'excluded' }),
      ],
      null,
    );
    const services = serviceRows([fakeService('web', true), fakeService('gen', true, false)], null, []);
    expect(summarise(nodes, services)).toEqual({
      nodes: 4,
      nodesHealthy: 1,
      nodesExcluded: 1,
      troubled: [
        { state: 'lost', count: 2 },
        { state: 'launching', count: 1 },
      ],
      services: 2,
      servicesDegraded: 1,
      instances: 3,
      instancesHealthy: 2,
    });
  });
});

describe('the traffic of the mesh', () => {
  test('weighs each node by its requests and names the slowest', () => {
    expect(meshTraffic(traffic(node(90, 1, 2, 10), node(10, 0.5, 50, 400)))).toEqual({
      rps: 100,
      successRate: 0.95,
      p50Ms: 2,
      p99Ms: 400,
    });
  });

  test('is perfect when every node is, whatever the sums round to', () => {
    expect(meshTraffic(traffic(node(0.1, 1, 1, 1), node(0.2, 1, 1, 1), node(0.7, 1, 1, 1))).successRate).toBe(1);
  });

  test('has no rates and latencies where nothing happens', () => {
    const idle = { rps: 0, successRate: null, p50Ms: null, p99Ms: null };
    expect(meshTraffic(traffic())).toEqual(idle);
    expect(meshTraffic(traffic(node(0, null, null, null)))).toEqual(idle);
  });
});

describe('the history', () => {
  const at = (seconds: number, rps = 1): Point => ({
    at: seconds * 1_000,
    traffic: { rps, successRate: null, p50Ms: null, p99Ms: null },
  });
  const grown = (points: readonly Point[]) => points.reduce<readonly Point[]>(addPoint, []);

  test('forgets what is too old to be drawn, so that its length is bounded', () => {
    const points = grown(Array.from({ length: 2_000 }, (_, second) => at(second)));
    expect(points.length).toBe(HISTORY_MS / 1_000);
    expect(points[0]?.at).toBe(1_700_000);
  });

  test('draws a pause as a gap', () => {
    const points = grown([at(0, 3), at(1, 4), at(1 + GAP_MS / 1_000 + 1, 5)]);
    expect(line(points, ({ rps }) => rps)).toEqual([3, 4, null, 5]);
  });

  test('keeps its times in order when the clock is set back', () => {
    const points = grown([at(10), at(11), at(5), at(6)]);
    expect(points.map((point) => point.at)).toEqual([5_000, 6_000]);
  });

  test('spans whole minutes, up to five', () => {
    expect(windowMs([])).toBe(60_000);
    expect(windowMs([at(0), at(59)])).toBe(60_000);
    expect(windowMs([at(0), at(61)])).toBe(120_000);
    expect(windowMs([at(0), at(299)])).toBe(HISTORY_MS);
  });
});
