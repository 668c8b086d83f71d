import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseCommand, USAGE } from '../../../agent-proxy/config/options.ts';
import { ENV } from '../../../agent-proxy/control/contract.ts';
import { useTempDir } from '../../fixtures/proxy.ts';

const UNDER_SCHEDULER = {
  [ENV.agentId]: 'agent-1',
  [ENV.taskId]: 'task-1',
  [ENV.schedulers]: 'http://127.0.0.1:4180/, http://marathon.mesos:4180',
  MESOS_SANDBOX: '/sandbox',
};

async function specOf(args: string[], env: Record<string, string> = {}) {
  const command = await parseCommand(args, env, '1.2.3');
  if (command.kind !== 'run') throw new Error(`${command.kind} instead of run`);
  return command.spec;
}

async function refusal(args: string[], env: Record<string, string> = {}): Promise<string> {
  const error: unknown = await parseCommand(args, env, '1').then(
    () => null,
    (thrown: unknown) => thrown,
  );
  expect(error).toMatchObject({ exitCode: 2 });
  const { message } = error as Error;
  expect(message).not.toContain('\n');
  return message;
}

async function useConfig(text: string): Promise<string> {
  const file = join(await useTempDir(), 'linkerd.yaml');
  await writeFile(file, text);
  return file;
}

test('under a scheduler it needs an address and knows the rest', async () => {
  const spec = await specOf(['--node-ip', '127.0.1.2', '--ports', 'out=5140'], UNDER_SCHEDULER);
  expect(spec.listeners.map(({ ip, port }) => `${ip}:${port}`)).toEqual([
    '127.0.1.2:9990',
    '127.0.1.2:5140',
    '127.0.1.2:4141',
  ]);
  expect(spec).toMatchObject({ version: '1.2.3', dataDir: '/sandbox/proxy-state', accessLog: false });
  expect(spec.mode).toMatchObject({
    kind: 'mesh',
    schedulers: ['http://127.0.0.1:4180', 'http://marathon.mesos:4180'],
  });
});

test('alone it takes its routers from a file, with the defaults of linkerd', async () => {
  const file = await useConfig('routers:\n- protocol: http\n  dtab: |\n    /svc => /$/inet/127.0.0.1/8080;\n');
  const spec = await specOf([file, '--data-dir', '/data']);
  expect(spec.listeners.map(({ ip, port }) => `${ip}:${port}`)).toEqual(['127.0.0.1:9990', '127.0.0.1:4140']);
  expect(spec.mode).toMatchObject({
    kind: 'static',
    routers: [{ label: 'http', dtab: [{ prefix: ['svc'], destination: ['$', 'inet', '127.0.0.1', '8080'] }] }],
  });
  expect(spec.dataDir).toBe('/data');
});

test.each([
  ['an unknown option', ['--nope'], {}, "Unknown option '--nope'"],
  ['nothing to route by', [], {}, 'needs a CONFIG file, or a scheduler'],
  ['a bad port', ['--ports', 'out=70000'], {}, "'70000' is not a port"],
  ['an unknown port', ['--ports', 'side=1'], {}, "'side=1' is not one of"],
  ['a port twice', ['--ports', 'out=1,in=1'], {}, 'two of the ports are the same'],
  ['a bad address', ['--node-ip', 'here'], UNDER_SCHEDULER, "'here' is not an IP address"],
  ['no address', [], UNDER_SCHEDULER, '--node-ip'],
  [
    'a bad scheduler',
    ['--node-ip', '127.0.0.1'],
    { ...UNDER_SCHEDULER, [ENV.schedulers]: 'zk://x' },
    "'zk://x' is not a URL",
  ],
  ['no agent id', ['--node-ip', '127.0.0.1'], { [ENV.schedulers]: 'http://a' }, ENV.agentId],
  ['two configurations', ['a', 'b'], {}, 'one CONFIG at most'],
  ['a configuration under a scheduler', ['a.yaml'], UNDER_SCHEDULER, 'CONFIG is for a proxy without a scheduler'],
  ['a file that is not there', ['/nonexistent.yaml'], {}, 'cannot read /nonexistent.yaml'],
])('%s is refused in one line', async (_what, args, env, why) => {
  expect(await refusal(args, env)).toContain(why);
});

test.each([
  ['no routers', 'routers: []', 'routers: at least one router is needed'],
  ['another protocol', 'routers: [{protocol: thrift}]', "only protocol 'http' is supported yet"],
  ['a key of linkerd that is not supported yet', 'routers: [{protocol: http, interpreter: {}}]', '"interpreter"'],
  ['an unknown key', 'routers: [{protocol: http}]\nadmim: {}', '"admim"'],
  ['a dtab with an operator', 'routers: [{protocol: http, dtab: "/svc => /a | /b"}]', "'|' is not supported yet"],
  ['a label twice', 'routers: [{protocol: http}, {protocol: http, servers: [{port: 1}]}]', "'http' is used twice"],
  [
    'an address twice',
    'routers: [{protocol: http, servers: [{port: 9990}]}]',
    '127.0.0.1:9990 is already used by admin',
  ],
  ['a key twice', 'routers: []\nrouters: []', 'neither YAML nor JSON'],
  ['no document', '', 'Invalid input'],
])('a configuration with %s is refused with its place', async (_what, text, why) => {
  expect(await refusal([await useConfig(text)])).toContain(why);
});

test('--help names every variable of the environment', () => {
  for (const name of [...Object.values(ENV), 'MESOS_SANDBOX']) expect(USAGE).toContain(`\n  ${name} `);
  for (const line of USAGE.split('\n')) expect(line.length).toBeLessThanOrEqual(120);
});
