/** What the cluster refuses: named with what is missing, until it is allowed. */
import { expect, test } from 'vitest';
import { UnauthorizedError } from '../../../framework/mesos-http-client/auth/authorization.ts';
import type { Account } from '../../../scheduler/permissions/grants.ts';
import { Refusals } from '../../../scheduler/permissions/refusals.ts';

const account: Account = {
  ...{ uid: 'mesh', role: 'nodemesh', publicRole: 'slave_public', user: 'nobody', mesosDiscovery: true },
  marathons: ['https://marathon.mesos:8443'],
};

function setUp(of: Account | null = account) {
  const logs: string[] = [];
  const log = (fields: object, message: string): void => void logs.push(`${message} ${JSON.stringify(fields)}`);
  const refusals = new Refusals({ account: of, logger: { warn: log, info: log }, now: () => 1_000 });
  return {
    refusals,
    logs,
    grants: () => refusals.list().flatMap((each) => each.grants.map((line) => line.split(' grant mesh ')[1])),
  };
}

test('a role or a user that Mesos names is the one whose grant is missing; else all of the kind are told', () => {
  const { refusals, grants } = setUp();
  refusals.mesos('LAUNCH', "Not authorized to launch as user 'nobody'");
  expect(grants()).toEqual(['dcos:mesos:master:task:user:nobody create']);
  refusals.mesos('LAUNCH', null);
  refusals.mesos('SUBSCRIBE', "Not authorized to use role 'slave_public/nodemesh'");
  expect(grants()).toEqual(['dcos:mesos:master:framework:role:slave_public/nodemesh create']);
  refusals.mesos('SUBSCRIBE', 'refused: 403');
  expect(grants()).toEqual([
    'dcos:mesos:master:framework:role:nodemesh create',
    'dcos:mesos:master:framework:role:slave_public/nodemesh create',
  ]);
  refusals.mesos('SUBSCRIBE', null);
  refusals.mesos('GET_AGENTS', 'refused: 403');
  expect(grants()).toHaveLength(3);
  expect(refusals.list()[0]?.text).toMatch(
    /^mesos GET_AGENTS is refused: refused: 403; it may be that this is not granted: dcos sec/,
  );
});

test('is logged once, and once more when it is over', () => {
  const { refusals, logs } = setUp();
  for (let count = 0; count < 3; count += 1) refusals.marathon('https://marathon.mesos:8443', '/v2/apps/a', 403);
  expect(logs).toHaveLength(1);
  expect(refusals.list()).toMatchObject([
    {
      what: 'marathon /v2/apps',
      grants: [expect.stringContaining('dcos:service:marathon:marathon:services:/ read')],
      since: 1_000,
    },
  ]);
  refusals.marathon('https://marathon.mesos:8443', '/v2/apps', 500);
  expect(refusals.list()).toHaveLength(1);
  refusals.marathon('https://marathon.mesos:8443', '/v2/apps', 200);
  expect([refusals.list(), logs.length]).toEqual([[], 2]);
  refusals.marathon('https://marathon.mesos:8443', '/v2/events', 401);
  expect(refusals.list()).toMatchObject([{ what: 'marathon /v2/events', grants: [] }]);
});

test('on a cluster that is no DC/OS there are no grants to name', () => {
  const { refusals } = setUp(null);
  refusals.mesos('GET_AGENTS', 'refused: 403; needs view_roles');
  expect(refusals.list()).toMatchObject([
    { text: 'mesos GET_AGENTS is refused: refused: 403; needs view_roles', grants: [] },
  ]);
});

test('a login that is refused is noted until one is made', async () => {
  const { refusals } = setUp();
  let fails = true;
  const watched = refusals.watching({
    principal: 'mesh',
    header: () =>
      fails ? Promise.reject(new UnauthorizedError('answered 401; check the account')) : Promise.resolve('t'),
    renewed: () => Promise.reject(new Error('no answer')),
  });
  await expect(watched.header()).rejects.toThrow('check the account');
  await expect(watched.renewed(null)).rejects.toThrow('no answer');
  expect(refusals.list()).toMatchObject([
    { what: 'iam login', text: 'iam login is refused: answered 401; check the account' },
  ]);
  fails = false;
  expect([watched.principal, await watched.header(), refusals.list()]).toEqual(['mesh', 't', []]);
});
