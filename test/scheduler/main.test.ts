/** The scheduler as a process: exit codes and single lines for what a person can get wrong, and a clean end. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../fixtures/eventually.ts';

const directory = mkdtempSync(join(tmpdir(), 'nodemesh-scheduler-main-'));
const script = join(directory, 'nodemesh.mjs');
const children: ChildProcess[] = [];

/** What the build makes of the scheduler, with the few lines that the composition root wraps around it. */
const ROOT = `
import { main } from './scheduler/main.ts';
const context = { version: '0.1.0', dist: ${JSON.stringify(directory)}, relaunch: [] };
try {
  await main(process.argv.slice(2), context);
} catch (error) {
  const usage = typeof error.code === 'string' && error.code.startsWith('commander.');
  process.exitCode = usage ? (error.exitCode === 0 ? 0 : 2) : (error.exitCode ?? 1);
  if (process.exitCode !== 0) process.stderr.write('nodemesh: ' + error.message + '\\n');
}
`;

beforeAll(async () => {
  writeFileSync(join(directory, 'proxy.mjs'), '// the proxy\n');
  mkdirSync(join(directory, 'dashboard'));
  await build({
    stdin: { contents: ROOT, resolveDir: join(import.meta.dirname, '..', '..'), loader: 'ts' },
    outfile: script,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    banner: { js: "import { createRequire as r } from 'node:module'; const require = r(import.meta.url);" },
    logLevel: 'error',
  });
}, 30_000);

afterEach(() => {
  for (const child of children.splice(0)) if (child.exitCode === null) child.kill('SIGKILL');
});

afterAll(() => {
  rmSync(directory, { recursive: true });
});

interface Run {
  readonly child: ChildProcess;
  readonly out: () => string;
  readonly err: () => string;
  readonly exit: Promise<number | null>;
}

function run(...args: string[]): Run {
  const child = spawn(process.execPath, [script, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  children.push(child);
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  child.stderr.on('data', (chunk) => {
    err += chunk;
  });
  return { child, out: () => out, err: () => err, exit: new Promise((resolve) => child.on('close', resolve)) };
}

const state = (name: string) => `--state=file:${join(directory, name)}`;
// Nobody listens there: the scheduler lives without Mesos and Marathon.
const NOBODY = ['--master=http://127.0.0.1:9', '--marathon=http://127.0.0.1:9'];

describe('the process', () => {
  test('serves its API without Mesos and Marathon, logs JSON, and ends with 0 on SIGTERM', async () => {
    const scheduler = run(...NOBODY, state('a'), '--listen=127.0.0.1:0');
    const url = await eventually('the line that it leads', () => /"url":"([^"]+)"/.exec(scheduler.out())?.[1]);
    const health = await (await fetch(`${url}/v1/health`)).json();
    expect(health).toMatchObject({ status: 'ok', leading: true, subscribed: false });
    for (const line of scheduler.out().trim().split('\n'))
      expect(JSON.parse(line)).toMatchObject({ part: 'scheduler' });
    // An open stream does not hold it back.
    const subscribe = {
      agentId: 'a',
      taskId: 't',
      nodeIp: '127.0.36.1',
      version: '1',
      epoch: 0,
      revision: 0,
      configRevision: 0,
    };
    const ports = { outgoing: 1, incoming: 2, admin: 3 };
    const stream = await fetch(`${url}/control/v1/subscribe`, {
      method: 'POST',
      body: JSON.stringify({ ...subscribe, ports }),
    });
    expect(stream.status).toBe(200);
    scheduler.child.kill('SIGTERM');
    expect(await scheduler.exit).toBe(0);
    expect(scheduler.err()).toBe('');
    await stream.text();
  });

  test('a taken port is one line and exit code 1', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const { port } = taken.address() as AddressInfo;
    const scheduler = run(...NOBODY, state('b'), `--listen=127.0.0.1:${port}`);
    expect(await scheduler.exit).toBe(1);
    expect(scheduler.err()).toBe(
      `nodemesh: cannot listen on 127.0.0.1:${port}: another process has this port; stop it, or choose one with --listen\n`,
    );
    await new Promise((resolve) => taken.close(resolve));
  });

  test('a broken state directory is one line and exit code 1', async () => {
    writeFileSync(join(directory, 'a-file'), '');
    const scheduler = run(...NOBODY, state('a-file/state'), '--listen=127.0.0.1:0');
    expect(await scheduler.exit).toBe(1);
    expect(scheduler.err()).toMatch(/^nodemesh: state directory .*a-file\/state.*\n$/);
  });

  test('a state that is not ours is one line and exit code 1', async () => {
    mkdirSync(join(directory, 'odd', 'scheduler'), { recursive: true });
    writeFileSync(join(directory, 'odd', 'scheduler', 'epoch.json'), '{"version":1,"value":"x"}');
    const scheduler = run(...NOBODY, state('odd'), '--listen=127.0.0.1:0');
    expect(await scheduler.exit).toBe(1);
    expect(scheduler.err()).toMatch(/^nodemesh: state key scheduler\/epoch .*\n$/);
  });

  test('a second one on the same state is refused', async () => {
    const first = run(...NOBODY, state('c'), '--listen=127.0.0.1:0');
    await eventually('the first', () => first.out().includes('leads'));
    const second = run(...NOBODY, state('c'), '--listen=127.0.0.1:0');
    expect(await second.exit).toBe(1);
    expect(second.err()).toMatch(/^nodemesh: .*in use.*\n$/);
  });

  test('R15: mistakes in the options are told together, with exit code 2', async () => {
    const scheduler = run('--listen=nowhere');
    expect(await scheduler.exit).toBe(2);
    expect(scheduler.err().trim().split('\n')).toHaveLength(4);
    const unknown = run('--unknown');
    expect(await unknown.exit).toBe(2);
    expect(unknown.err()).toMatch(/^nodemesh: error: unknown option '--unknown'\n$/);
  });

  test('--help tells the options with their variables, with exit code 0', async () => {
    const scheduler = run('--help');
    expect(await scheduler.exit).toBe(0);
    expect(scheduler.out()).toContain('--master <url>');
    expect(scheduler.out()).toContain('NODEMESH_MASTER');
  });
});
