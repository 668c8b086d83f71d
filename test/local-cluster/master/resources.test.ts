import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Resource } from '../../../framework/mesos-http-client/messages.ts';
import { formatRanges, subtractRanges } from '../../../local-cluster/master/ranges.ts';
import {
  add,
  allocate,
  contains,
  formatResources,
  normalise,
  quantities,
  resources,
  subtract,
  toWire,
  unallocate,
} from '../../../local-cluster/master/resources.ts';
import { ports, scalar } from './support/stand-in-agent.ts';

const dynamic = {
  type: 'DYNAMIC' as const,
  role: 'web',
  principal: 'p',
  labels: { labels: [{ key: 'k', value: 'v' }] },
};

const anyScalar = fc
  .record({ name: fc.constantFrom('cpus', 'mem'), milli: fc.integer({ min: 1, max: 5000 }), reserved: fc.boolean() })
  .map(({ name, milli, reserved }) => scalar(name, milli / 1000, reserved ? { reservations: [dynamic] } : {}));
const anyPorts = fc
  .tuple(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 0, max: 20 }))
  .map(([begin, more]) => ports(begin, begin + more));
const anyResources = fc.array(fc.oneof(anyScalar, anyPorts), { maxLength: 6 }).map(resources);

describe('resource arithmetic', () => {
  it('takes away what was added, whatever the floating point', () => {
    fc.assert(
      fc.property(fc.array(anyScalar).map(resources), fc.array(anyScalar).map(resources), (a, b) => {
        const back = subtract(add(a, b), b);
        expect(contains(back, a) && contains(a, back)).toBe(true);
      }),
    );
  });

  it('contains each part of a sum', () => {
    fc.assert(fc.property(anyResources, anyResources, (a, b) => contains(add(a, b), b)));
  });

  it('leaves nothing that was taken away', () => {
    fc.assert(
      fc.property(anyResources, anyResources, (a, b) => {
        const left = subtract(a, b);
        expect(contains(a, left)).toBe(true);
        const more = left.filter((resource) => resource.type === 'RANGES');
        const cut = b.filter((resource) => resource.type === 'RANGES');
        expect(subtract(more, cut)).toEqual(more);
      }),
    );
  });

  it('counts in thousandths: 0.1 three times is 0.3', () => {
    const third = resources([scalar('cpus', 0.1)]);
    expect(add(add(third, third), third)).toEqual(resources([scalar('cpus', 0.3)]));
  });

  it('keeps different reservations apart', () => {
    const both = resources([scalar('cpus', 1), scalar('cpus', 1, { reservations: [dynamic] })]);
    expect(both).toHaveLength(2);
    expect(contains(both, resources([scalar('cpus', 2)]))).toBe(false);
    expect(quantities(both).get('cpus')).toBe(2000);
  });

  it('cuts holes into ranges and prints them as Mesos does', () => {
    expect(formatRanges(subtractRanges([{ begin: 1, end: 10 }], [{ begin: 4, end: 5 }]))).toBe('[1-3, 6-10]');
    expect(formatResources(allocate(resources([scalar('cpus', 64), ports(80, 80)]), '*'))).toBe(
      'cpus(allocated: *):64; ports(allocated: *):[80-80]',
    );
  });

  it('forgets the allocation when resources go back to the agent', () => {
    const offered = allocate(resources([scalar('mem', 10)]), 'web');
    expect(unallocate(offered)).toEqual(resources([scalar('mem', 10)]));
  });
});

describe('the two shapes of a resource', () => {
  const shapes: [name: string, refined: Resource, older: Resource][] = [
    ['unreserved', scalar('cpus', 1), scalar('cpus', 1, { role: '*' })],
    [
      'statically reserved',
      scalar('cpus', 1, { reservations: [{ type: 'STATIC', role: 'slave_public' }] }),
      scalar('cpus', 1, { role: 'slave_public' }),
    ],
    [
      'dynamically reserved',
      scalar('cpus', 1, { reservations: [dynamic] }),
      scalar('cpus', 1, { role: 'web', reservation: { principal: 'p', labels: dynamic.labels } }),
    ],
  ];
  it.each(shapes)('are written and read alike: %s', (_name, refined, older) => {
    expect(toWire(normalise(refined), false)).toEqual(older);
    expect(toWire(normalise(older), true)).toEqual(refined);
  });
});
