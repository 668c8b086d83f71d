/** Endpoints service by service against the proxy's own table: whatever changes, is wanted, or breaks off, both come to the same. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MAX_RECORD_BYTES, type Service } from '../../../agent-proxy/control/contract.ts';
import { ServiceTable, type TableFrame } from '../../../agent-proxy/routing/service-table.ts';
import { Feed } from '../../../scheduler/distribution/feed.ts';
import { Fill, Fills } from '../../../scheduler/distribution/fills.ts';
import { OutlineFeed } from '../../../scheduler/distribution/outline-feed.ts';
import { RecordReader } from '../support/control-client.ts';

const NAMES = ['web', 'api', 'team/large'] as const;

function service(name: string, instances: number, first: number, agents: number): Service {
  return {
    name,
    endpoints: Array.from({ length: instances }, (_, at) => ({
      service: name,
      instance: `${name}.${first + at}`,
      address: '127.0.36.1',
      port: 20_000 + first + at,
      ports: [{ name: 'http', port: 20_000 + first + at }],
      agentId: `S${(first + at) % agents}`,
      agentAddress: '127.0.36.1',
      weight: 1,
      state: 'ready' as const,
      startedAt: null,
      // A service of some hundred instances takes several records.
      labels: { pad: 'ü'.repeat(200) },
    })),
  };
}

/** One scheduler's table, and the proxy of the agent S1 on it. */
class Pair {
  readonly table = new ServiceTable();
  /** Of the frames about endpoints that came. */
  readonly types: string[] = [];
  readonly #whole = new Feed(1);
  readonly #fills = new Fills(this.#whole);
  readonly #outline = new OutlineFeed(this.#whole);
  #wants: string[] = [];
  #fill: Fill | null = null;
  #isSlow = false;

  constructor() {
    this.#whole.watchedBy((deltas) => {
      this.#fills.follow(deltas);
      for (const record of this.#outline.follow(deltas)) this.#take(record);
    });
    for (const record of this.#outline.feed.snapshot()) this.#take(record);
    this.#fills.open();
    this.subscribe();
  }

  /** A new stream: the proxy says what it has. */
  subscribe(): void {
    if (this.#fill !== null) this.#fills.remove(this.#fill);
    this.table.abandonSnapshot();
    const fill = new Fill(
      { pump: () => this.pump(), blockedSince: null },
      'S1',
      this.#wants,
      this.table.filledDigests(),
    );
    this.#fill = fill;
    this.#fills.add(fill);
    this.pump();
  }

  want(names: readonly string[]): void {
    this.#wants = [...names];
    if (this.#fill !== null) this.#fills.want(this.#fill, names);
  }

  put(changed: Service): void {
    this.#whole.setService(changed);
    this.#whole.commit();
  }

  remove(name: string): void {
    this.#whole.removeService(name);
    this.#whole.commit();
  }

  /** The reader takes one frame at a time from now on, when it is told to. */
  slow(isSlow: boolean): void {
    this.#isSlow = isSlow;
    this.pump();
  }

  pump(): void {
    while (!this.#isSlow && this.one());
  }

  one(): boolean {
    const record = this.#fill === null ? null : this.#fills.next(this.#fill);
    if (record !== null) this.#take(record);
    return record !== null;
  }

  /** What the proxy must have, by service. */
  expected(): Record<string, string[]> {
    const services = this.#whole.services().filter(({ name, endpoints }) => {
      return endpoints.length > 0 && (this.#wants.includes(name) || endpoints.some(({ agentId }) => agentId === 'S1'));
    });
    return instancesOf(services);
  }

  /** Whether the scheduler takes the proxy's digest for right. */
  isRight(): boolean {
    return this.#fill?.digestAt(this.#fill.seq) === this.table.filledDigest();
  }

  unfilled(): string[] {
    return [...this.table.services()].map(({ name }) => name).filter((name) => this.table.isUnfilled(name));
  }

  #take(record: Buffer): void {
    expect(record.length).toBeLessThanOrEqual(MAX_RECORD_BYTES);
    for (const frame of new RecordReader().feed(record)) {
      if ('seq' in frame) this.types.push(frame.type);
      expect(this.table.apply(frame as TableFrame).kind).not.toBe('gap');
    }
  }
}

function instancesOf(services: Iterable<Service>): Record<string, string[]> {
  const entries = [...services]
    .filter(({ endpoints }) => endpoints.length > 0)
    .map(({ name, endpoints }): [string, string[]] => [name, endpoints.map(({ instance }) => instance).sort()]);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

const someName = fc.constantFrom(...NAMES);
const someStep = fc.oneof(
  fc.record({
    kind: fc.constant('put' as const),
    name: someName,
    // Some hundred, of which some are different each time: a change that is smaller than the whole.
    instances: fc.constantFrom(0, 1, 200, 200, 300),
    first: fc.nat(3),
    agents: fc.constantFrom(1, 3, 3, 3),
  }),
  fc.record({ kind: fc.constant('remove' as const), name: someName }),
  fc.record({ kind: fc.constant('want' as const), names: fc.subarray([...NAMES]) }),
  fc.record({ kind: fc.constantFrom('subscribe' as const, 'slow' as const, 'fast' as const, 'one' as const) }),
);

function step(pair: Pair, what: typeof someStep extends fc.Arbitrary<infer T> ? T : never): void {
  switch (what.kind) {
    case 'put':
      return pair.put(service(what.name, what.instances, what.first, what.agents));
    case 'remove':
      return pair.remove(what.name);
    case 'want':
      return pair.want(what.names);
    case 'subscribe':
      return pair.subscribe();
    case 'one':
      return void pair.one();
    default:
      return pair.slow(what.kind === 'slow');
  }
}

test('a proxy has the endpoints of what it wants and of what is on its node, after any changes and breaks', () => {
  fc.assert(
    fc.property(fc.array(someStep, { maxLength: 20 }), (steps) => {
      const pair = new Pair();
      for (const each of steps) {
        step(pair, each);
        expect(pair.isRight()).toBe(true);
      }
      pair.slow(false);
      expect(instancesOf(pair.table.services())).toEqual(pair.expected());
      expect(pair.isRight()).toBe(true);
    }),
    { numRuns: 30 },
  );
});

test('a service that nobody asked for is known, with the ports that its names need', () => {
  const pair = new Pair();
  pair.put(service('web', 300, 0, 1));
  pair.put(service('api', 0, 0, 1));
  expect(pair.unfilled()).toEqual(['web']);
  expect([pair.table.size('web'), pair.table.size('api'), pair.table.size('none')]).toEqual([1, 0, -1]);
  expect(pair.table.document('outline', 'web')).toEqual({
    ...{ kind: 'outline', name: 'web', first: 'http', ports: [{ name: 'http' }] },
  });
  pair.want(['web']);
  expect([pair.unfilled(), pair.table.size('web')]).toEqual([[], 300]);
});

test('a small change goes as one; a reader that missed some gets the service whole', () => {
  const pair = new Pair();
  pair.put(service('web', 200, 0, 1));
  pair.want(['web']);
  pair.put(service('web', 200, 1, 1));
  const whole = pair.types.slice(0, -1);
  expect([new Set(whole), whole.length > 1, pair.types.at(-1)]).toEqual([
    new Set(['endpoints']),
    true,
    'endpoints-patch',
  ]);
  pair.slow(true);
  for (const first of [2, 3]) pair.put(service('web', 200, first, 1));
  pair.slow(false);
  expect(pair.types.slice(whole.length + 1)).toEqual(whole);
  expect(instancesOf(pair.table.services())).toEqual(pair.expected());
});
