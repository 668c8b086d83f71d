/** What the scopes of names show, where pairs record for them. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ClientScope, PairScope, ServiceScope } from '../../../agent-proxy/telemetry/name-scopes.ts';
import { RecentCounts } from '../../../agent-proxy/telemetry/recent-counts.ts';
import { RequestRecorder, visitRequests } from '../../../agent-proxy/telemetry/recorder.ts';
import type { Distribution } from '../../../agent-proxy/telemetry/stat.ts';

const NOW = 5;
const clock = (): number => NOW;
const NOTHING = { removals: 0, probes: 0, revivals: 0, removedForMs: 0, failedOpen: 0 };
const BALANCER = {
  size: 0,
  available: clock,
  busy: clock,
  closed: clock,
  load: clock,
  adds: 0,
  removes: 0,
  updates: 0,
  accrual: NOTHING,
};

const NAMES = [0, 1] as const;
type Name = (typeof NAMES)[number];

/** The scopes of two services and two clients, beside recorders that hear of each request and attempt by themselves. */
class Both {
  readonly services = NAMES.map((name) => new ServiceScope('r', `/svc/${name}`, { budget: clock, pending: clock }));
  readonly clients = NAMES.map(
    (name) => new ClientScope('r', `/#/m/${name}`, { balancer: BALANCER, budget: clock, clock }),
  );
  readonly plainServices = NAMES.map(() => new RequestRecorder());
  readonly plainClients = NAMES.map(() => new RequestRecorder());
  private readonly pairs = new Map<string, PairScope>();

  pair(service: Name, client: Name): PairScope {
    const key = `${service}${client}`;
    const known = this.pairs.get(key);
    if (known !== undefined) return known;
    const [ofClient, ofService] = [at(this.clients, client), at(this.services, service)];
    const pair = new PairScope(ofClient, ofService, clock);
    this.pairs.set(key, pair);
    return pair;
  }

  close(service: Name, client: Name): void {
    this.pairs.get(`${service}${client}`)?.close();
    this.pairs.delete(`${service}${client}`);
  }
}

interface Request {
  readonly service: Name;
  readonly client: Name;
  readonly latencyMs: number;
  /** Of its attempts; the last is its own. */
  readonly statuses: readonly number[];
  /** Its pair is closed while it is on its way. */
  readonly closes: boolean;
}

const name = fc.constantFrom(...NAMES);
const requests = fc.array(
  fc.record<Request>({
    service: name,
    client: name,
    latencyMs: fc.integer({ min: 0, max: 3_000 }),
    statuses: fc.array(fc.constantFrom(200, 200, 204, 404, 503, 0), { minLength: 1, maxLength: 3 }),
    closes: fc.boolean(),
  }),
  { maxLength: 30 },
);

function play(both: Both, { service, client, latencyMs, statuses, closes }: Request): void {
  const pair = both.pair(service, client);
  for (const [index, status] of statuses.entries()) {
    pair.began();
    const isLast = index === statuses.length - 1;
    if (closes && isLast) both.close(service, client);
    const success = status >= 200 && status < 500;
    at(both.plainClients, client).record(status, success, latencyMs, NOW);
    if (isLast) at(both.plainServices, service).record(status, success, latencyMs, NOW);
    if (isLast && index === 0 && success) pair.answered(status, latencyMs, NOW);
    else {
      pair.attempted(status, success, latencyMs, NOW);
      if (isLast) at(both.services, service).recorder.record(status, success, latencyMs, NOW);
    }
  }
}

test('a name shows all of its requests and attempts, whoever has recorded them, and once', () => {
  fc.assert(
    fc.property(requests, (all) => {
      const both = new Both();
      for (const request of all) play(both, request);
      for (const index of NAMES) {
        expect(shownBy(at(both.services, index))).toMatchObject(shownBy(at(both.plainServices, index)));
        expect(shownBy(at(both.clients, index))).toMatchObject(shownBy(at(both.plainClients, index)));
      }
    }),
  );
});

test('a pair that is closed is gone when its last attempt is over', () => {
  const both = new Both();
  const pair = both.pair(0, 0);
  const client = at(both.clients, 0);
  pair.began();
  pair.began();
  pair.close();
  expect(client.pending).toBe(2);
  pair.answered(200, 1, NOW);
  pair.attempted(503, false, 1, NOW);
  expect(client.pending).toBe(0);
  expect(shownBy(client)).toMatchObject({ requests: 2, 'status/200': 1, 'status/503': 1 });
  expect(shownBy(at(both.services, 0))).toMatchObject({ requests: 1, 'status/200': 1 });
  // Nobody holds it any more: what it has recorded is theirs.
  expect([client.recorder.count, at(both.services, 0).recorder.count]).toEqual([2, 1]);
});

/** Figures by name; of a distribution its count, its sum, and how many of it are recent. */
function shownBy(scope: ServiceScope | ClientScope | RequestRecorder): Record<string, unknown> {
  const shown: Record<string, unknown> = {};
  const counter = (key: string, value: number): void => {
    shown[key] = value;
  };
  const stat = (key: string, distribution: Distribution): void => {
    if (key.startsWith('retries/')) return;
    const recent = new RecentCounts();
    distribution.addRecent(recent, NOW);
    shown[key] = [distribution.count, distribution.sum, recent.total];
  };
  const visitor = { counter, gauge: () => undefined, stat };
  if (scope instanceof RequestRecorder) visitRequests([scope], 0, visitor);
  else scope.visit(visitor);
  return shown;
}

function at<T>(list: readonly T[], index: number): T {
  const found = list[index];
  if (found === undefined) throw new Error(`there is none at ${index}`);
  return found;
}
