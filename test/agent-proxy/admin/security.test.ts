import { expect, test } from 'vitest';
import { type AdminSecurity, pathFilter } from '../../../agent-proxy/admin/security.ts';

const ALL: AdminSecurity = {
  uiEnabled: true,
  controlEnabled: true,
  diagnosticsEnabled: true,
  pathWhitelist: [],
  pathBlacklist: [],
};
const NONE: AdminSecurity = { ...ALL, uiEnabled: false, controlEnabled: false, diagnosticsEnabled: false };

const UI = [
  '/',
  '/files/a.css',
  '/admin/files/a.css',
  '/config.json',
  '/metrics.json',
  '/admin/metrics',
  '/admin/metrics.json',
];
const MORE_UI = ['/delegator', '/delegator.json', '/logging', '/help'];
const CONTROL = ['/admin/shutdown', '/logging.json'];
const DIAGNOSTICS = [
  '/admin/ping',
  '/requests',
  '/admin/metrics/prometheus',
  '/admin',
  '/admin/pprof/profile',
  '/else',
];

test.each([
  ['uiEnabled', [...UI, ...MORE_UI]],
  ['controlEnabled', CONTROL],
  ['diagnosticsEnabled', DIAGNOSTICS],
] as const)('%s turns its pages on and off, and no others', (key, pages) => {
  const on = pathFilter({ ...NONE, [key]: true });
  const off = pathFilter({ ...ALL, [key]: false });
  for (const path of [...UI, ...MORE_UI, ...CONTROL, ...DIAGNOSTICS]) {
    const isOurs = (pages as readonly string[]).includes(path);
    expect([path, on(path), off(path)]).toEqual([path, isOurs, !isOurs]);
  }
});

test.each([
  ['^/fooba[rz]$', '/foobar', true],
  ['^/fooba[rz]$', '/foobaz', true],
  ['^/fooba[rz]$', '/foobaf', false],
  ['^/abc/def/.*$', '/abc/def/ghi', true],
  ['^/abc/def/.*$', '/abc/def', false],
  ['/admin', '/admin/shutdown', false],
  ['/a|/b', '/bc', false],
])('a whitelist of %s and %s: %s', (pattern, path, served) => {
  expect(pathFilter({ ...NONE, pathWhitelist: [pattern] })(path)).toBe(served);
});

test('the blacklist is stronger than the whitelist, and than what is on', () => {
  const served = pathFilter({ ...ALL, pathWhitelist: ['/foo.*'], pathBlacklist: ['/foobar', '/admin/ping'] });
  expect(['/foo', '/foobar', '/admin/ping', '/admin/ready'].map(served)).toEqual([true, false, false, true]);
});
