/** What was before a moment and what came after it, from counts that only grow; and who is to be changed first. */
import { expect, test } from 'vitest';
import { inOrderOfChange } from '../../../scheduler/policy/canaries.ts';
import { sumOf, TrafficHistory } from '../../../scheduler/policy/traffic-history.ts';

function report(agentId: string, requests: number, failures = 0, service = 'web') {
  const counts = { requests, failures, proxyErrors: failures, retries: 0, latency: [] };
  return { agentId, windowMs: 1_000, traffic: [{ service, router: 'outgoing' as const, ...counts }] };
}

test('a mark parts the past from what comes after it', () => {
  const history = new TrafficHistory();
  for (let second = 0; second < 10; second++) history.add(report('S1', 100), second * 1_000);
  const mark = history.mark('S1', 10_000);
  history.add(report('S1', 50, 5), 10_000);
  history.add(report('S1', 7, 0, 'gen'), 11_000);
  expect(history.since('S1', mark)).toEqual({
    coveredMs: 2_000,
    services: new Map([
      ['outgoing web', { requests: 50, failures: 5, proxyErrors: 5 }],
      ['outgoing gen', { requests: 7, failures: 0, proxyErrors: 0 }],
    ]),
  });
  expect(history.past('S1')?.services.get('outgoing web')).toEqual({ requests: 1_050, failures: 5, proxyErrors: 5 });
  expect(history.requests('S1')).toBe(1_057);
});

test('the past is a minute long, and what is not known is null', () => {
  const history = new TrafficHistory();
  expect(history.past('S1')).toBeNull();
  expect(history.mark('S1', 0)).toBeNull();
  expect(history.since('S1', null)).toEqual(sumOf([]));
  for (let second = 0; second < 600; second++) history.add(report('S1', 10, second < 300 ? 10 : 0), second * 1_000);
  const past = history.past('S1');
  expect(past?.coveredMs).toBeGreaterThanOrEqual(50_000);
  expect(past?.coveredMs).toBeLessThanOrEqual(65_000);
  expect(past?.services.get('outgoing web')?.failures).toBe(0);
  history.keepOnly(new Set());
  expect(history.past('S1')).toBeNull();
});

test('the busiest first; the own node and the only public one last', () => {
  const node = (agentId: string, requests: number, rest: object = {}) => ({
    ...{ agentId, requests, isPublic: false, isOwn: false },
    ...rest,
  });
  const order = (...nodes: ReturnType<typeof node>[]) => inOrderOfChange(nodes).map(({ agentId }) => agentId);
  const own = node('own', 9, { isOwn: true });
  const edge = node('edge', 8, { isPublic: true });
  expect(order(node('a', 1), own, edge, node('b', 2))).toEqual(['b', 'a', 'own', 'edge']);
  expect(order(edge, node('edge2', 1, { isPublic: true }), node('a', 2))).toEqual(['edge', 'a', 'edge2']);
  expect(order(own)).toEqual(['own']);
});
