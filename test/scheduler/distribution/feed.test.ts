/** The feed against the proxy's own table: any sequence of changes, followed from any point, gives the same table. */
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  MAX_DOCUMENT_BYTES,
  MAX_RECORD_BYTES,
  type MeshDocument,
  type PeerAgent,
  type Service,
} from '../../../agent-proxy/control/contract.ts';
import { ServiceTable, type TableFrame } from '../../../agent-proxy/routing/service-table.ts';
import type { TableChange } from '../../../agent-proxy/routing/staged-snapshot.ts';
import { Feed } from '../../../scheduler/distribution/feed.ts';
import { RecordReader } from '../support/control-client.ts';

function timeOf(work: () => void): number {
  const at = performance.now();
  work();
  return performance.now() - at;
}

function lowerQuartile(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 2] ?? Number.NaN;
}

interface Given {
  readonly first?: number;
  readonly state?: 'ready' | 'unhealthy';
  readonly padding?: number;
  /** Every so manieth endpoint is on another port. */
  readonly moved?: number;
}

function service(name: string, instances: number, given: Given = {}): Service {
  const { first = 0, state = 'ready', padding = 0, moved = 0 } = given;
  return {
    name,
    endpoints: Array.from({ length: instances }, (_, at) => {
      const index = first + at;
      const port = 20_000 + index + (moved > 0 && index % moved === 0 ? 10_000 : 0);
      return {
        service: name,
        instance: `${name}.${index}`,
        address: '127.0.36.1',
        port,
        ports: [{ name: 'http', port }],
        agentId: `S${index % 7}`,
        agentAddress: '127.0.36.1',
        weight: 1,
        state,
        startedAt: null,
        labels: padding === 0 ? {} : { pad: 'ü'.repeat(padding) },
      };
    }),
  };
}

const agent = (agentId: string, ready: boolean): PeerAgent => ({
  agentId,
  address: '127.0.36.1',
  incomingPort: 4141,
  ready,
});

/** A namespace, or what the labels of an app say. */
function documentOf(name: string, size: number, isDtab: boolean): MeshDocument {
  const text = 'x'.repeat(size);
  if (isDtab) return { kind: 'dtab', name, version: '1', dtab: text };
  const settings = { off: false, vips: [], exposed: [], policies: [], slowStartMs: size };
  return { kind: 'settings', name, settings };
}

const sortedTexts = (values: Iterable<unknown>): string[] => [...values].map((value) => JSON.stringify(value)).sort();

/** Applies records, and looks at the table after each: no frame is too large, and the digest is that of its revision. */
function applyAll(table: ServiceTable, records: readonly Buffer[], feed?: Feed): void {
  const reader = new RecordReader();
  for (const record of records) {
    expect(record.length).toBeLessThanOrEqual(MAX_RECORD_BYTES);
    for (const frame of reader.feed(record)) {
      const applied = table.apply(frame as TableFrame);
      expect(applied.kind, JSON.stringify(applied)).not.toBe('gap');
      if (applied.kind === 'applied' && feed !== undefined) expect(table.digest()).toBe(feed.digestAt(table.revision));
    }
  }
}

/** Services as a value that does not depend on how they came about: text of each endpoint by service and instance. */
function contentsOf(services: Iterable<Service>): Map<string, Map<string, string>> {
  const contents = new Map<string, Map<string, string>>();
  for (const { name, endpoints } of services) {
    contents.set(name, new Map(endpoints.map((row) => [row.instance, JSON.stringify(row)])));
  }
  return contents;
}

/** Of large values: `toEqual` takes many times as long, and is asked for its words alone. */
function expectSame(value: unknown, wanted: unknown): void {
  if (!isDeepStrictEqual(value, wanted)) expect(value).toEqual(wanted);
}

/** What one knows who only hears of changes. */
function mirrorOf(table: ServiceTable): Map<string, Map<string, string>> {
  const mirror = new Map<string, Map<string, string>>();
  table.onChange(({ services, removed }: TableChange) => {
    for (const gone of removed) expect(mirror.delete(gone)).toBe(true);
    for (const { name, set, unset, size, isNew } of services) {
      expect(mirror.has(name)).toBe(!isNew);
      const rows = mirror.get(name) ?? new Map<string, string>();
      mirror.set(name, rows);
      for (const instance of unset) expect(rows.delete(instance)).toBe(true);
      for (const row of set) {
        expect(rows.get(row.instance)).not.toBe(JSON.stringify(row));
        rows.set(row.instance, JSON.stringify(row));
      }
      expect(rows.size).toBe(size);
    }
  });
  return mirror;
}

const name = fc.constantFrom('web', 'gen', 'word', 'team/api', 'ümlaut', 'a"b');
const change = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('set' as const),
      name,
      instances: fc.oneof(fc.nat(40), fc.integer({ min: 150, max: 600 })),
      first: fc.constantFrom(0, 0, 1, 100),
      state: fc.constantFrom('ready' as const, 'unhealthy' as const),
      padding: fc.constantFrom(0, 0, 300),
      moved: fc.constantFrom(0, 0, 3, 100),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('remove' as const), name }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('agent' as const), name, ready: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('agent-gone' as const), name }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('document' as const),
      name,
      isDtab: fc.boolean(),
      size: fc.constantFrom(1, 2, 20_000, MAX_DOCUMENT_BYTES),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('document-gone' as const), name, isDtab: fc.boolean() }) },
);
const steps = fc.array(
  fc.record({ changes: fc.array(change, { maxLength: 4 }), joins: fc.boolean(), repaired: fc.boolean() }),
  { maxLength: 8 },
);

describe('snapshot and deltas', () => {
  test('reproduce the table for every follower at every revision, whenever it joined, in records of 64 kB', () => {
    fc.assert(
      fc.property(steps, (sequence) => {
        const feed = new Feed(3);
        const model = new Map<string, Service>();
        const documents = new Map<string, MeshDocument>();
        const followers: { table: ServiceTable; mirror: Map<string, Map<string, string>> }[] = [];
        for (const { changes, joins, repaired } of sequence) {
          for (const each of changes) {
            if (each.kind === 'set') {
              const wanted = service(each.name, each.instances, each);
              model.set(each.name, wanted);
              expect(feed.setService(wanted)).toEqual([]);
            } else if (each.kind === 'remove') {
              model.delete(each.name);
              feed.removeService(each.name);
            } else if (each.kind === 'agent') feed.setAgent(agent(each.name, each.ready));
            else if (each.kind === 'agent-gone') feed.removeAgent(each.name);
            else {
              const document = documentOf(each.name, each.kind === 'document' ? each.size : 0, each.isDtab);
              documents.delete(`${document.kind} ${each.name}`);
              if (each.kind === 'document-gone') feed.removeDocument(document);
              // One that is too large is not there, and neither is the one before it.
              else if (feed.setDocument(document)) documents.set(`${document.kind} ${each.name}`, document);
            }
          }
          const deltas = feed.commit();
          // A snapshot over an older table leads there too.
          const records = repaired ? feed.snapshot() : deltas;
          for (const { table } of followers) applyAll(table, records, feed);
          if (joins) {
            const table = new ServiceTable();
            followers.push({ table, mirror: mirrorOf(table) });
            applyAll(table, feed.snapshot(), feed);
          }
          const wanted = contentsOf(model.values());
          expectSame(contentsOf(feed.services()), wanted);
          for (const { table, mirror } of followers) {
            expect(table.revision).toBe(feed.revision);
            expect(table.digest()).toBe(feed.digest());
            expectSame(contentsOf(table.services()), wanted);
            expectSame(mirror, wanted);
            expect([...table.agents()]).toHaveLength(feed.agents().length);
            expect(sortedTexts(table.allDocuments())).toEqual(sortedTexts(documents.values()));
          }
        }
      }),
      { numRuns: 60 },
    );
  }, 60_000);

  test('a change that says what is known already makes no revision', () => {
    const feed = new Feed(1);
    feed.setService(service('web', 2));
    feed.setAgent(agent('S1', true));
    expect(feed.commit()).toHaveLength(1);
    const { revision } = feed;
    feed.setService(service('web', 2));
    feed.setAgent(agent('S1', true));
    feed.removeService('unknown');
    expect(feed.commit()).toEqual([]);
    // There and back again before the commit.
    feed.setService(service('web', 3));
    feed.setService(service('web', 2));
    expect(feed.commit()).toEqual([]);
    expect(feed.revision).toBe(revision);
  });

  test('a large change goes out in several deltas, each on top of the one before', () => {
    const feed = new Feed(1);
    const table = new ServiceTable();
    applyAll(table, feed.snapshot());
    for (let n = 0; n < 300; n++) feed.setService(service(`app${n}`, 5));
    const deltas = feed.commit();
    expect(deltas.length).toBeGreaterThan(3);
    for (const delta of deltas) expect(delta.length).toBeLessThanOrEqual(MAX_RECORD_BYTES);
    applyAll(table, deltas);
    expect(table.digest()).toBe(feed.digest());
    expect(feed.snapshot().length).toBeGreaterThan(3);
  });

  test('a change of one endpoint of a large service is a small delta', () => {
    const feed = new Feed(1);
    feed.setService(service('web', 2_000));
    feed.commit();
    const table = new ServiceTable();
    applyAll(table, feed.snapshot(), feed);
    const { endpoints } = service('web', 2_001, { moved: 777 });
    feed.setService({ name: 'web', endpoints: endpoints.filter(({ instance }) => instance !== 'web.5') });
    const deltas = feed.commit();
    expect(deltas).toHaveLength(1);
    expect(deltas[0]?.length).toBeLessThan(2_000);
    applyAll(table, deltas, feed);
    expect(table.service('web')?.endpoints).toHaveLength(2_000);
  });

  test('are taken in a few times what it takes to parse them, with 5,000 endpoints', () => {
    const feed = new Feed(1);
    const table = new ServiceTable();
    const ratios: number[] = [];
    const take = (records: readonly Buffer[]): void => {
      for (const record of records) {
        const text = record.toString('utf8', record.indexOf('\n') + 1);
        const parsing = timeOf(() => JSON.parse(text));
        const taking = timeOf(() => applyAll(table, [record]));
        if (record.length > MAX_RECORD_BYTES / 2) ratios.push(taking / parsing);
      }
    };
    take(feed.snapshot());
    for (let round = 0; round < 8; round++) {
      feed.setService(service('web', 5_000, { moved: round + 1 }));
      take(feed.commit());
      take(feed.snapshot());
    }
    // Measured in the same moment, so that a busy machine slows down both; the quarter that was disturbed least. It is about 4,
    // which is half of the 5 ms where parsing 64 kB takes 0.6.
    expect(lowerQuartile(ratios)).toBeLessThan(6);
    expect(ratios.length).toBeGreaterThan(100);
  });

  test('the order in which Marathon lists instances is no change', () => {
    const feed = new Feed(1);
    feed.setService(service('web', 20));
    feed.commit();
    feed.setService({ name: 'web', endpoints: service('web', 20).endpoints.reverse() });
    expect(feed.commit()).toEqual([]);
  });

  test('a large service that is replaced is at no revision without endpoints', () => {
    const feed = new Feed(1);
    feed.setService(service('web', 1_000));
    feed.commit();
    const table = new ServiceTable();
    applyAll(table, feed.snapshot(), feed);
    let fewest = Number.POSITIVE_INFINITY;
    table.onChange(() => {
      fewest = Math.min(fewest, table.service('web')?.endpoints.length ?? 0);
    });
    feed.setService(service('web', 1_000, { first: 5_000 }));
    const deltas = feed.commit();
    expect(deltas.length).toBeGreaterThan(3);
    applyAll(table, deltas, feed);
    expect(fewest).toBeGreaterThanOrEqual(1_000);
    expect(table.service('web')?.endpoints).toHaveLength(1_000);
  });

  test('an endpoint that no record can hold is left out and named, and the others are sent', () => {
    const feed = new Feed(1);
    const table = new ServiceTable();
    applyAll(table, feed.snapshot(), feed);
    const [whole] = service('web', 1).endpoints;
    const [large] = service('web', 1, { first: 1, padding: MAX_RECORD_BYTES }).endpoints;
    if (whole === undefined || large === undefined) throw new Error('two endpoints');
    expect(feed.setService({ name: 'web', endpoints: [large, whole] })).toEqual(['web.1']);
    const name = 'x'.repeat(MAX_RECORD_BYTES);
    expect(feed.setService({ name, endpoints: [whole] })).toEqual(['web.0']);
    applyAll(table, feed.commit(), feed);
    expect([...table.services()]).toEqual([{ name: 'web', endpoints: [whole] }]);
    applyAll(table, feed.snapshot(), feed);
  });

  test('the digests of long ago are forgotten', () => {
    const feed = new Feed(1);
    for (let n = 0; n < 5_000; n++) {
      feed.setAgent(agent('S1', n % 2 === 0));
      feed.commit();
    }
    expect(feed.digestAt(feed.revision)).toBe(feed.digest());
    expect(feed.digestAt(feed.revision - 4_000)).toBeDefined();
    expect(feed.digestAt(10)).toBeUndefined();
  });
});
