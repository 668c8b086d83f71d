import { expect, it } from 'vitest';
import { type RecentRequest, RecentRequests } from '../../../agent-proxy/telemetry/recent-requests.ts';

function request(at: number, more: Partial<RecentRequest> = {}): RecentRequest {
  return {
    at,
    source: '10.0.0.7:51000',
    server: '127.0.0.1:4140',
    router: 'outgoing',
    logical: '/svc/web',
    concrete: '/#/io.l5d.marathon/web',
    destination: '10.0.0.1:8080',
    status: 200,
    reason: null,
    ...more,
  };
}

it('keeps the last ones, and shows the very last first', () => {
  const recent = new RecentRequests(3, 1, () => 0);
  expect(recent.rows()).toEqual([]);
  for (const at of [1, 2]) recent.add(request(at));
  expect(recent.rows().map(({ time }) => Date.parse(time))).toEqual([2, 1]);
  for (const at of [3, 4, 5]) recent.add(request(at));
  expect(recent.rows().map(({ time }) => Date.parse(time))).toEqual([5, 4, 3]);
});

it('shows a dash for what is missing', () => {
  const recent = new RecentRequests(1, 1, () => 0);
  recent.add(request(0, { logical: null, concrete: null, destination: null, status: null, reason: 'client-gone' }));
  expect(recent.rows()).toEqual([
    {
      time: '1970-01-01T00:00:00.000Z',
      source: '10.0.0.7:51000',
      server: '127.0.0.1:4140',
      router: 'outgoing',
      logical: '-',
      concrete: '-',
      destination: '-',
      status: '-',
      reason: 'client-gone',
    },
  ]);
});

it('wants a share of the requests', () => {
  const draws = [0.1, 0.24, 0.25, 0.9];
  const recent = new RecentRequests(1, 0.25, () => draws.shift() ?? 1);
  expect([recent.wants(), recent.wants(), recent.wants(), recent.wants()]).toEqual([true, true, false, false]);
});
