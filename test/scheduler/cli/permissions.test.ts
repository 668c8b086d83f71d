/** `nodemesh permissions`: commands that a shell takes as they are. */
import { execFileSync } from 'node:child_process';
import { beforeEach, expect, test } from 'vitest';
import { permissions } from '../../../scheduler/cli/permissions.ts';

let out = '';
const screen = {
  ...{ width: null, height: null, live: false },
  paint: (_tone: unknown, text: string) => text,
  write: (text: string) => {
    out += text;
  },
  complain: () => undefined,
};
const run = (...args: string[]) => permissions(args, '1.2.3', screen);
const commands = () => out.split('\n').filter((line) => /^(dcos|rm) /.test(line));

beforeEach(() => {
  out = '';
});

test('strict: the account, its secret, and all grants', async () => {
  await run(
    '--strict',
    '--service-account',
    'mesh',
    '--secret',
    'team/mesh/account',
    '--role',
    'mesh',
    '--user',
    'mesh',
  );
  expect(commands().slice(0, 4)).toEqual([
    'dcos security org service-accounts keypair mesh-private.pem mesh-public.pem',
    "dcos security org service-accounts create -p mesh-public.pem -d 'nodemesh, the service mesh' mesh",
    'dcos security secrets create-sa-secret --strict mesh-private.pem mesh team/mesh/account',
    'rm mesh-private.pem',
  ]);
  expect(commands().filter((line) => line.includes(' grant '))).toHaveLength(16);
  expect(out).toContain(
    'dcos security org users grant mesh dcos:mesos:master:task:user:mesh create  # launch proxies as mesh\n',
  );
  expect(out).not.toContain('useradd');
  // A shell finds nothing wrong with it.
  execFileSync('sh', ['-n'], { input: out });
});

test('permissive: no grants of Mesos, and a secret without --strict', async () => {
  await run();
  expect(commands()).toEqual([
    'dcos security org service-accounts keypair nodemesh-private.pem nodemesh-public.pem',
    "dcos security org service-accounts create -p nodemesh-public.pem -d 'nodemesh, the service mesh' nodemesh",
    'dcos security secrets create-sa-secret nodemesh-private.pem nodemesh nodemesh/service-account',
    'rm nodemesh-private.pem',
    'dcos security org users grant nodemesh dcos:service:marathon:marathon:services:/ read  # read the apps and pods',
    'dcos security org users grant nodemesh dcos:service:marathon:marathon:admin:events read  # hear of changes at once',
  ]);
});

test('a user of its own is recommended, and Marathon is granted the user of the scheduler', async () => {
  await run('--strict');
  expect(out).toMatch(/# Proxies would run as nobody.*\n# A user of their own is better.*useradd/);
  out = '';
  await run('--strict', '--user', 'mesh', '--scheduler-user', 'mesh');
  expect(commands().at(-1)).toBe('dcos security org users grant dcos_marathon dcos:mesos:master:task:user:mesh create');
  expect(out).toContain('Scheduler and proxies run as the same user');
});

test('--json for programs', async () => {
  await run(
    '--strict',
    '--json',
    '--public-role',
    'none',
    '--no-mesos-discovery',
    '--marathon',
    'https://m/service/eu',
  );
  const grants: { resource: string; needed: boolean; command: string }[] = JSON.parse(out);
  expect(grants.map(({ resource }) => resource)).toContain('dcos:service:marathon:eu:services:/');
  expect(grants.filter(({ needed }) => !needed)).toHaveLength(4);
  expect(grants[0]?.command).toBe(
    'dcos security org users grant nodemesh dcos:mesos:master:framework:role:nodemesh create',
  );
});

test.each([
  ['--role', '$(reboot)'],
  ['--user', 'a b'],
  ['--marathon', 'marathon.mesos:8080'],
])('%s %s is refused', async (option, value) => {
  await expect(run(option, value)).rejects.toMatchObject({ code: 'commander.invalidArgument' });
});
