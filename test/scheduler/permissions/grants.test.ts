/** What an account needs on Enterprise DC/OS, as resources of its IAM and as commands. */
import { describe, expect, test } from 'vitest';
import { type Account, grantCommand, grantsOf, marathonName } from '../../../scheduler/permissions/grants.ts';

const account: Account = {
  uid: 'mesh',
  role: 'nodemesh',
  publicRole: 'slave_public',
  user: 'nodemesh',
  mesosDiscovery: true,
  marathons: ['https://marathon.mesos:8443'],
};
const lines = (changes: Partial<Account> = {}) =>
  grantsOf({ ...account, ...changes }).map(({ resource, action }) => `${resource} ${action}`);

describe('the grants', () => {
  test('of a scheduler with all that it does', () => {
    expect(lines()).toEqual([
      'dcos:mesos:master:framework:role:nodemesh create',
      'dcos:mesos:master:reservation:role:nodemesh create',
      'dcos:mesos:master:framework:role:slave_public/nodemesh create',
      'dcos:mesos:master:reservation:role:slave_public/nodemesh create',
      'dcos:mesos:master:reservation:principal:mesh delete',
      'dcos:mesos:master:task:user:nodemesh create',
      'dcos:mesos:master:framework:role read',
      'dcos:mesos:master:task:app_id read',
      'dcos:mesos:master:executor:app_id read',
      'dcos:mesos:agent:framework:role:nodemesh read',
      'dcos:mesos:agent:framework:role:slave_public/nodemesh read',
      'dcos:mesos:agent:executor:app_id read',
      'dcos:mesos:agent:task:app_id read',
      'dcos:mesos:agent:sandbox:app_id read',
      'dcos:service:marathon:marathon:services:/ read',
      'dcos:service:marathon:marathon:admin:events read',
    ]);
  });

  test('are fewer where less is done, and more as root', () => {
    expect(lines({ publicRole: null }).filter((line) => line.includes('slave_public'))).toEqual([]);
    expect(lines({ mesosDiscovery: false }).filter((line) => line.includes('master:task:app_id'))).toEqual([]);
    expect(lines({ mesosDiscovery: false })).toContain('dcos:mesos:master:framework:role:nodemesh read');
    expect(lines({ user: 'root' })).toContain('dcos:mesos:agent:task:user:root create');
  });

  test('of several Marathons are those of each, and of the way to it', () => {
    const marathons = [
      'https://leader.mesos/service/marathon',
      'https://leader.mesos/service/team/',
      'https://user.marathon.mesos:8443',
    ];
    expect(
      lines({ marathons }).filter((line) => line.includes('admin:events') || line.includes('adminrouter')),
    ).toEqual([
      'dcos:service:marathon:marathon:admin:events read',
      'dcos:adminrouter:service:marathon full',
      'dcos:service:marathon:team:admin:events read',
      'dcos:adminrouter:service:team full',
      'dcos:service:marathon:user:admin:events read',
    ]);
  });
});

test.each([
  ['http://marathon.mesos:8080', 'marathon'],
  ['http://10.0.0.1:8080', 'marathon'],
  ['https://leader.mesos/marathon', 'marathon'],
  ['https://leader.mesos/service/eu', 'eu'],
  ['http://eu.marathon.mesos:10000', 'eu'],
])('the Marathon at %s is called %s', (url, name) => {
  expect(marathonName(url)).toBe(name);
});

test('a command is one that a shell reads as it is meant', () => {
  expect(grantCommand('mesh', { resource: 'dcos:mesos:master:task:user:nobody', action: 'create' })).toBe(
    'dcos security org users grant mesh dcos:mesos:master:task:user:nobody create',
  );
  expect(grantCommand("o'neil", { resource: 'dcos:x:*', action: 'full' })).toBe(
    String.raw`dcos security org users grant 'o'\''neil' 'dcos:x:*' full`,
  );
});
