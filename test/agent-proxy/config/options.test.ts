import { expect, test } from 'vitest';
import { parseConfig } from '../../../agent-proxy/config/load.ts';
import { lowLimitWarning, maxConnections } from '../../../agent-proxy/config/open-files.ts';
import { type Command, configSpec, parseCommand, USAGE } from '../../../agent-proxy/config/options.ts';
import { ENV } from '../../../agent-proxy/control/environment.ts';

const UNDER_SCHEDULER = {
  [ENV.agentId]: 'agent-1',
  [ENV.taskId]: 'task-1',
  [ENV.schedulers]: 'http://127.0.0.1:4180/, http://marathon.mesos:4180',
  MESOS_SANDBOX: '/sandbox',
};

function runOf(args: string[], env: Record<string, string> = {}): Extract<Command, { kind: 'run' }> {
  const command = parseCommand(args, env, '1.2.3');
  if (command.kind !== 'run') throw new Error(`${command.kind} instead of run`);
  return command;
}

function meshSpec(args: string[]) {
  const { source } = runOf(args, UNDER_SCHEDULER);
  if (source.kind !== 'scheduler') throw new Error('not under a scheduler');
  return source.spec;
}

function refusal(args: string[], env: Record<string, string> = {}): string {
  try {
    parseCommand(args, env, '1');
  } catch (error) {
    expect(error).toMatchObject({ exitCode: 2 });
    const { message } = error as Error;
    expect(message).not.toContain('\n');
    return message;
  }
  throw new Error('it was not refused');
}

test('under a scheduler it needs an address and knows the rest', () => {
  const spec = meshSpec(['--node-ip', '127.0.1.2', '--ports', 'out=5140']);
  expect(spec.listeners.map(({ ip, port }) => `${ip}:${port}`)).toEqual([
    '127.0.1.2:9990',
    '127.0.1.2:5140',
    '127.0.1.2:4141',
  ]);
  expect(spec).toMatchObject({ version: '1.2.3', dataDir: '/sandbox/proxy-state', accessLog: false });
  expect(spec.mesh).toMatchObject({ schedulers: ['http://127.0.0.1:4180', 'http://marathon.mesos:4180'] });
});

test('on a public agent it has an edge router, which believes nothing of a client', () => {
  const spec = meshSpec(['--node-ip', '127.0.1.2', '--ports', 'edge=80']);
  expect(spec.listeners.at(-1)).toMatchObject({ ip: '127.0.1.2', port: 80, serves: { label: 'edge', server: 0 } });
  const edge = spec.routers.find(({ label }) => label === 'edge');
  expect(edge).toMatchObject({ dstPrefix: '/marathonId', nodemesh: { localDtab: 'ignore', connect: false } });
  expect(edge?.servers.map(({ clearContext }) => clearContext)).toEqual([true]);
});

test('under a scheduler it can be told to listen on every address, and still knows its own', () => {
  const spec = meshSpec(['--node-ip', '127.0.1.2', '--bind', 'config']);
  expect(spec.listeners.map(({ ip }) => ip)).toEqual(['0.0.0.0', '0.0.0.0', '0.0.0.0']);
  expect(spec.mesh).toMatchObject({ nodeIp: '127.0.1.2' });
  expect(meshSpec(['--node-ip', '127.0.1.2', '--bind', 'node']).listeners[0]?.ip).toBe('127.0.1.2');
});

test('alone it takes its routers from a file, which is not read yet', () => {
  const { source } = runOf(['/nonexistent.yaml', '--data-dir', '/data']);
  expect(source).toMatchObject({ kind: 'file', file: '/nonexistent.yaml', common: { dataDir: '/data', nodeIp: null } });
});

test('a configuration says where to listen: the admin server, then the servers of each router', () => {
  const { config } = parseConfig('routers:\n- {protocol: http, servers: [{}, {port: 0}]}\n', 'test');
  expect(configSpec(config).listeners).toEqual([
    expect.objectContaining({ ip: '127.0.0.1', port: 9990, serves: { kind: 'admin' } }),
    { ip: '127.0.0.1', port: 4140, backlog: 1024, serves: { kind: 'router', label: 'http', server: 0 } },
    { ip: '127.0.0.1', port: 0, backlog: 1024, serves: { kind: 'router', label: 'http', server: 1 } },
  ]);
});

test('there is one worker unless it is said otherwise', () => {
  expect(runOf(['a.yaml']).workers).toBe(1);
  expect(runOf(['a.yaml', '--workers', '4']).workers).toBe(4);
  expect(runOf(['a.yaml', '--workers', 'auto']).workers).toBeGreaterThanOrEqual(1);
  expect(runOf(['--node-ip', '127.0.0.1', '--workers', '2'], UNDER_SCHEDULER).workers).toBe(2);
});

test('--validate only checks, whatever else is set', () => {
  expect(parseCommand(['--validate', 'a.yaml'], UNDER_SCHEDULER, '1')).toEqual({ kind: 'validate', file: 'a.yaml' });
});

test('a file whose name begins with a dash comes behind two of them', () => {
  expect(parseCommand(['--check', '--', '-'], {}, '1')).toEqual({ kind: 'check', file: '-' });
  expect(parseCommand(['--validate', '--', '-x.yaml'], {}, '1')).toEqual({ kind: 'validate', file: '-x.yaml' });
});

test.each([
  ['an unknown option', ['--nope'], {}, "Unknown option '--nope'"],
  ['nothing to route by', [], {}, 'needs a CONFIG file, or a scheduler'],
  ['a bad port', ['--ports', 'out=70000'], UNDER_SCHEDULER, "'70000' is not a port"],
  ['an unknown port', ['--ports', 'side=1'], UNDER_SCHEDULER, "'side=1' is not one of"],
  ['a port twice', ['--ports', 'out=1,in=1'], UNDER_SCHEDULER, 'two of the ports are the same'],
  ['ports beside a configuration', ['a.yaml', '--ports', 'out=1'], {}, '--ports is for a proxy under a scheduler'],
  [
    'an unknown place to listen',
    ['--node-ip', '127.0.0.1', '--bind', 'all'],
    UNDER_SCHEDULER,
    "--bind 'all' is neither",
  ],
  ['a place beside a configuration', ['a.yaml', '--bind', 'node'], {}, '--bind is for a proxy under a scheduler'],
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
  ['nothing to validate', ['--validate'], {}, '--validate needs a CONFIG file'],
  ['no workers', ['a.yaml', '--workers', '0'], {}, "--workers '0' is not a number from 1 to 64"],
  ['workers without a number', ['a.yaml', '--workers', 'many'], {}, "--workers 'many' is not a number"],
  ['too many workers', ['a.yaml', '--workers', '65'], {}, "--workers '65' is not a number"],
])('%s is refused in one line', (_what, args, env, why) => {
  expect(refusal(args, { ...env })).toContain(why);
});

test('--help names every variable of the environment', () => {
  for (const name of [...Object.values(ENV), 'MESOS_SANDBOX']) expect(USAGE).toContain(`\n  ${name} `);
  for (const line of USAGE.split('\n')) expect(line.length).toBeLessThanOrEqual(120);
});

test('half of the descriptors are for clients, less what the process needs for itself', () => {
  expect(maxConnections(20_000)).toBe(9_872);
  expect(maxConnections(100)).toBe(64);
  expect(maxConnections(Number.POSITIVE_INFINITY)).toBe(100_000);
});

test('a low limit of open files is told, with what follows from it', () => {
  expect(lowLimitWarning(1_024)).toContain('only 1024 files open, so each worker accepts 384 connections');
  expect(lowLimitWarning(20_000)).toBeNull();
  expect(lowLimitWarning(Number.POSITIVE_INFINITY)).toBeNull();
});
