/** Figures over the last ten seconds, from reports of many proxies. */
import { describe, expect, test } from 'vitest';
import type { Report } from '../../agent-proxy/control/contract.ts';
import { latencyBucket } from '../../agent-proxy/control/latency-scale.ts';
import { TrafficWindow } from '../../scheduler/traffic.ts';

function report(agentId: string, requests: number, failures: number, ms: number): Report {
  return {
    session: 's',
    agentId,
    taskId: 't',
    epoch: 1,
    revision: 1,
    configRevision: 1,
    digest: '',
    version: '1',
    ready: true,
    reason: null,
    windowMs: 1_000,
    traffic: [
      {
        service: 'web',
        router: 'outgoing',
        requests,
        failures,
        proxyErrors: 0,
        retries: 0,
        latency: [[latencyBucket(ms), requests]],
      },
    ],
    instances: [],
    workerRestarts: 0,
    staleFrames: 0,
  };
}

describe('traffic', () => {
  test('is a rate over ten seconds, and what is older is forgotten', () => {
    const window = new TrafficWindow();
    for (let second = 1; second <= 30; second++) window.add(report('S1', 50, 0, 2), second * 1000);
    const web = window.services(['web'], 30_000).get('web');
    expect(web?.rps).toBeCloseTo(50, 0);
    expect(web?.successRate).toBe(1);
    expect(window.services(['web'], 36_000).get('web')?.rps).toBeLessThan(30);
    const later = window.services(['web'], 41_000).get('web');
    expect(later).toMatchObject({ rps: 0, successRate: null });
    expect(later?.latencyMs(0.5)).toBeNull();
  });

  test('is over the time that the reports cover: right after the start, and where one came a moment too late', () => {
    const window = new TrafficWindow();
    window.add(report('S1', 100, 0, 2), 1_900);
    expect(window.windowMs(2_000)).toBe(1_000);
    expect(window.services(['web'], 2_000).get('web')?.rps).toBe(100);
    for (let k = 1; k <= 20; k++) {
      // A report each 1,050 ms, so the window holds nine or ten of them.
      window.add({ ...report('S1', 105, 0, 2), windowMs: 1_050 }, 1_900 + k * 1_050);
      window.add({ ...report('S2', 105, 0, 2), windowMs: 1_050 }, 1_950 + k * 1_050);
    }
    expect(window.services(['web'], 23_000).get('web')?.rps).toBeCloseTo(200, 5);
    expect(window.nodes(['S1'], 23_000).get('S1')?.rps).toBeCloseTo(100, 5);
  });

  test('merges the buckets of all proxies, so that percentiles are those of all requests', () => {
    const window = new TrafficWindow();
    window.add(report('S1', 98, 0, 1), 5_000);
    window.add(report('S2', 2, 2, 900), 5_100);
    const web = window.services(['web'], 6_000).get('web');
    expect(web?.successRate).toBeCloseTo(0.98);
    expect(web?.latencyMs(0.5)).toBeCloseTo(1, 0);
    expect(web?.latencyMs(0.99)).toBeGreaterThan(800);
    expect(window.nodes(['S1', 'S2', 'S3'], 6_000).get('S3')?.rps).toBe(0);
    expect(window.nodes(['S1', 'S2'], 6_000).get('S2')?.successRate).toBe(0);
  });

  test('a report with impossible buckets is harmless', () => {
    const window = new TrafficWindow();
    const odd = report('S1', 1, 5, 1);
    window.add(
      {
        ...odd,
        traffic: odd.traffic.map((each) => ({
          ...each,
          latency: [
            [-1, 5],
            [9_999, 5],
            [3, -2],
          ] as [number, number][],
        })),
      },
      1_000,
    );
    const web = window.services(['web'], 1_000).get('web');
    expect(web?.successRate).toBe(0);
    expect(web?.latencyMs(0.5)).toBeNull();
  });
});
