/** linkerd's package options become an options file that the package renders. */
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { movePackageOptions } from '../../../scheduler/migrate/linkerd-package.ts';
import { expectUsable, moved, renderedWith, told, untold } from './moving.ts';

const movedOptions = (linkerd: object, others: object = {}) =>
  moved((draft) => movePackageOptions({ linkerd, ...others }, draft));

describe('the options of a site', () => {
  const site = {
    ...{ instances: 12, 'admin-port': 9991, 'internal-port': 5141, 'routing-port': 5140, cpus: 0.5, mem: 384.5 },
    ...{ 'marathon-host': 'master.mesos', 'marathon-port': 443, 'marathon-uri-prefix': '/marathon' },
    ...{ secret_name: 'linkerd-secret', 'heap-size': 512 },
  };
  const migration = movedOptions(site);

  it('become those of the package, and render', () => {
    expect(migration.options).toEqual({
      proxies: {
        public_listeners: 'all',
        admin_port: 9991,
        incoming_port: 5141,
        outgoing_port: 5140,
        cpus: 0.5,
        mem: 385,
      },
      discovery: { marathons: ['https://master.mesos:443/marathon'] },
      service: { service_account_secret: 'linkerd-secret' },
    });
    expect(renderedWith(migration)['env']).toMatchObject({
      NODEMESH_PORTS: 'out=5140,in=5141,admin=9991,edge=4143',
      NODEMESH_PROXY_CPUS: '0.5',
      NODEMESH_PROXY_MEM: '385',
      NODEMESH_MARATHON: 'https://master.mesos:443/marathon\n',
    });
  });

  it('are told of one by one', () => {
    expect(told(migration, 'linkerd.instances')).toEqual(['left-out linkerd.instances']);
    expect(told(migration, 'linkerd.mem')).toEqual(['changed linkerd.mem → proxies.mem: 385']);
    expect(told(migration, 'linkerd.heap-size')).toEqual(['not-understood linkerd.heap-size']);
    expect(told(migration, 'linkerd.secret_name')).toEqual([
      'changed linkerd.secret_name → service.service_account_secret',
    ]);
    expect(untold({ linkerd: site }, '', migration.findings)).toEqual([]);
  });
});

it('an empty file is a linkerd with all defaults, and renders', () => {
  const migration = movedOptions({});
  expect(migration.options).toEqual({ proxies: { public_listeners: 'all' } });
  expectUsable(migration);
});

it('a file of another package is refused', () => {
  expect(() => moved((draft) => movePackageOptions({ 'marathon-lb': {} }, draft))).toThrow(/no block "linkerd"/);
});

const SCHEMA = resolve(import.meta.dirname, '../../../../shared/fixtures/universe-linkerd/config.json');
it.runIf(existsSync(SCHEMA))("the defaults of linkerd's package render (not run: no ../shared)", () => {
  const { properties } = JSON.parse(readFileSync(SCHEMA, 'utf8')).properties.linkerd;
  const defaults = Object.fromEntries(
    Object.entries<{ default: unknown }>(properties).map(([key, option]) => [key, option.default]),
  );
  const migration = movedOptions(defaults);
  expect(told(migration, 'linkerd').filter((line) => line.startsWith('not-understood'))).toEqual([]);
  expect(untold({ linkerd: defaults }, '', migration.findings)).toEqual([]);
  expectUsable(migration);
});

it('whatever is set is told of, and what comes of it renders', () => {
  const anything = fc.oneof(
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.string(),
    fc.boolean(),
  );
  const key = fc.oneof(
    fc.constantFrom('instances', 'admin-port', 'internal-port', 'routing-port', 'cpus', 'mem', 'secret_name'),
    fc.constantFrom('marathon-host', 'marathon-port', 'marathon-uri-prefix'),
    fc.stringMatching(/^[a-z-]{1,12}$/),
  );
  fc.assert(
    fc.property(
      fc.dictionary(key, anything),
      fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), anything),
      (linkerd, more) => {
        const { linkerd: _taken, ...others } = more;
        const migration = movedOptions(linkerd, others);
        expect(untold({ linkerd, ...others }, '', migration.findings)).toEqual([]);
        expectUsable(migration);
      },
    ),
    { numRuns: 20 },
  );
});
