import fc from 'fast-check';
import { expect, test } from 'vitest';
import { HostIndex, hostNamesOf, normalizeHost } from '../../../agent-proxy/routing/host-names.ts';

function indexOf(...services: string[]): HostIndex {
  const index = new HostIndex();
  for (const service of services) index.add(service);
  return index;
}

test.each([
  ['web', 'web'],
  ['WEB', 'web'],
  ['web.', 'web'],
  ['web:4140', 'web'],
  ['Web.Marathon.Mesos.:80', 'web.marathon.mesos'],
  ['web:', 'web'],
  ['[::1]:80', '[::1]'],
  ['[::1]', '[::1]'],
  ['.', '.'],
])('the host %s is normally written %s', (host, normal) => {
  expect(normalizeHost(host)).toBe(normal);
});

test('a flat id answers to its name with and without the domain', () => {
  const index = indexOf('web');
  expect(index.lookup('web')).toBe('web');
  expect(index.lookup('web.marathon.mesos')).toBe('web');
  expect(index.lookup('web.marathon')).toBeUndefined();
});

test('a nested id answers to its segments from the last to the first, and to the name that Mesos-DNS gives it', () => {
  const index = indexOf('team/api');
  expect(index.lookup('api.team')).toBe('team/api');
  expect(index.lookup('api.team.marathon.mesos')).toBe('team/api');
  expect(index.lookup('api-team.marathon.mesos')).toBe('team/api');
  expect(index.lookup('api-team')).toBeUndefined();
  expect(index.lookup('team.api')).toBeUndefined();
});

test('a service of that very name has a name before one that Mesos-DNS would give it', () => {
  const index = indexOf('team/api', 'api-team');
  expect(index.lookup('api-team.marathon.mesos')).toBe('api-team');
  index.remove('api-team');
  expect(index.lookup('api-team.marathon.mesos')).toBe('team/api');
});

const segment = fc.constantFrom('a', 'b', 'a-b', 'b-a', 'a.b');
const service = fc.array(segment, { minLength: 1, maxLength: 3 }).map((segments) => segments.join('/'));

test('which service a name means depends on the services there are, not on the order in which they came and went', () => {
  fc.assert(
    fc.property(fc.uniqueArray(service, { maxLength: 8 }), fc.uniqueArray(service, { maxLength: 4 }), (kept, gone) => {
      const passing = gone.filter((name) => !kept.includes(name));
      const direct = indexOf(...kept);
      const detour = indexOf(...passing, ...kept.toReversed(), ...kept);
      for (const name of passing) detour.remove(name);
      const hosts = [...kept, ...passing].flatMap((name) => hostNamesOf(name).map(({ host }) => host));
      for (const host of hosts) expect(detour.lookup(host)).toBe(direct.lookup(host));
    }),
  );
});

test('every service that is alone answers to all of its names, in any spelling', () => {
  fc.assert(
    fc.property(service, fc.boolean(), fc.boolean(), fc.boolean(), (name, upper, dot, port) => {
      const index = indexOf(name);
      for (const { host } of hostNamesOf(name)) {
        const spelt = `${upper ? host.toUpperCase() : host}${dot ? '.' : ''}${port ? ':8080' : ''}`;
        expect(index.lookup(normalizeHost(spelt))).toBe(name);
      }
    }),
  );
});
