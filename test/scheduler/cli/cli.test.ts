/** The commands `nodes` and `services` over a fake scheduler, in this process and as a process of its own. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { build } from 'esbuild';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { main } from '../../../scheduler/cli/main.ts';
import { FakeScheduler, fakeNode, fakeService } from '../dashboard/fake-scheduler.ts';

const CONTEXT = { version: '1.2.3', dist: '/nowhere', relaunch: [] };

let scheduler: FakeScheduler;
let written: string;

beforeEach(async () => {
  scheduler = new FakeScheduler(null);
  scheduler.nodes = [
    fakeNode(1),
    fakeNode(10, { public: true }),
    fakeNode(2, { state: 'unhealthy', reason: 'The proxy has not reported for 6 s.' }),
    fakeNode(3, { hostname: '10.0.0.3', state: 'launching', running: null }),
  ];
  scheduler.services = [fakeService('web', true), fakeService('team/api', true, false)];
  scheduler.traffic = {
    windowMs: 10_000,
    nodes: [{ agentId: 'agent-S1', rps: 12.4, successRate: 0.9998, p50Ms: 1.23, p99Ms: 20 }],
    services: [{ name: 'web', rps: 20, successRate: 1, p50Ms: 1, p95Ms: 2, p99Ms: 3, retries: 1_234 }],
  };
  await scheduler.start();
  written = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((chunk) => {
    written += String(chunk);
    return true;
  });
  vi.stubEnv('NODEMESH_SCHEDULER', undefined);
});

afterEach(async () => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  await scheduler.stop();
});

const run = (...args: string[]) => main([...args, '--scheduler', scheduler.url], CONTEXT);
/** The printed table, cut at runs of spaces. */
const table = () => written.split('\n').map((line) => line.split(/ {2,}/).filter(Boolean));

describe('nodes', () => {
  test('prints a table, those that need a person first, and exits well although a node is unhealthy', async () => {
    await run('nodes');
    expect(table()).toEqual([
      ['NODE', 'KIND', 'STATE', 'SINCE', 'VERSION', 'CONFIG', 'REQUESTS/S', 'SUCCESS', 'P50', 'P99', 'REASON'],
      [
        'node2.example (10.0.0.2)',
        'private',
        'unhealthy',
        '1 h',
        '0.1.0',
        '1',
        '–',
        '–',
        '–',
        '–',
        'The proxy has not reported for 6 s.',
      ],
      ['10.0.0.3', 'private', 'launching', '1 h', '– → 0.1.0', '– → 1', '–', '–', '–', '–'],
      ['node1.example (10.0.0.1)', 'private', 'healthy', '1 h', '0.1.0', '1', '12', '99.98 %', '1.2 ms', '20 ms'],
      ['node10.example (10.0.0.10)', 'public', 'healthy', '1 h', '0.1.0', '1', '–', '–', '–', '–'],
      [],
      ['2 of 4 nodes healthy'],
      [],
    ]);
  });

  test('says when there are none', async () => {
    scheduler.nodes = [];
    await run('nodes');
    expect(written).toBe('No nodes yet: a node is listed as soon as Mesos makes an offer for its agent.\n');
  });

  test('prints its table without figures of a scheduler that has none', async () => {
    scheduler.replies.set('v1/traffic', { status: 404, body: '{}' });
    await run('nodes');
    expect(written).toContain('2 of 4 nodes healthy');
    expect(written).not.toContain('99.98 %');
  });
});

describe('services', () => {
  test('prints a table by name', async () => {
    await run('services');
    expect(table()).toEqual([
      ['SERVICE', 'INSTANCES', 'REQUESTS/S', 'SUCCESS', 'P50', 'P95', 'P99', 'RETRIES'],
      ['team/api', '1/2', '–', '–', '–', '–', '–', '–'],
      ['web', '1/1', '20', '100 %', '1.0 ms', '2.0 ms', '3.0 ms', '1\u202f234'],
      [],
      ['2 services, 2 of 3 instances healthy'],
      [],
    ]);
  });

  test('says when there are none', async () => {
    scheduler.services = [];
    await run('services');
    expect(written).toMatch(/^No services yet: /);
  });
});

describe('options', () => {
  test('--json prints the answer as it came, with keys that this version does not know', async () => {
    Object.assign(scheduler.nodes[0] ?? {}, { zone: 'b' });
    await run('nodes', '--json');
    expect(JSON.parse(written)).toEqual(scheduler.nodes);
    written = '';
    await run('services', '--json');
    expect(JSON.parse(written)).toEqual(scheduler.services);
  });

  test('the scheduler is named by the environment too, with or without a slash at the end', async () => {
    vi.stubEnv('NODEMESH_SCHEDULER', `${scheduler.url}/`);
    await main(['services'], CONTEXT);
    expect(written).toContain('team/api');
  });

  test.each([
    [['nodes', '--wide'], 'commander.unknownOption'],
    [['nodes', 'node1'], 'commander.excessArguments'],
    [['nodes', '--scheduler', 'localhost:4180'], 'commander.invalidArgument'],
    [['services', '--scheduler', 'ftp://x'], 'commander.invalidArgument'],
    [['services', '--scheduler'], 'commander.optionMissingArgument'],
  ])('%j is a usage error', async (args, code) => {
    await expect(main(args, CONTEXT)).rejects.toMatchObject({ code });
    expect(written).toBe('');
  });

  test('a bad address in the environment is a usage error that names the variable', async () => {
    vi.stubEnv('NODEMESH_SCHEDULER', 'nowhere');
    await expect(main(['nodes'], CONTEXT)).rejects.toMatchObject({
      code: 'commander.invalidArgument',
      message: expect.stringContaining('NODEMESH_SCHEDULER'),
    });
  });

  test.each(['nodes', 'services'])(
    '%s --help explains the options and the figures, and is no failure',
    async (word) => {
      await expect(main([word, '--help'], CONTEXT)).rejects.toMatchObject({ exitCode: 0 });
      expect(written).toContain(`Usage: nodemesh ${word} [options]`);
      expect(written).toContain('the last 10 seconds or so');
      expect(Math.max(...written.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
      expect(written).toContain('--scheduler <url>');
      expect(written).toContain('NODEMESH_SCHEDULER');
    },
  );
});

describe('a scheduler that cannot be asked', () => {
  test('is reported with what to do', async () => {
    await scheduler.stop();
    await expect(run('nodes')).rejects.toThrow(
      `cannot reach the scheduler at ${scheduler.url}: connection refused. Is it running? Use --scheduler URL.`,
    );
  });

  test.each([
    [503, 'no leader\nsecond line', /answered 503 to v1\/nodes: no leader$/],
    [200, '<html>', /^the answer to v1\/nodes is not JSON\. Is .* a nodemesh scheduler\?/],
    [200, '[{}]', /^the answer to v1\/nodes is not understood at 0\.agentId: .* of this version\?$/],
  ])('because it answers %s %j is reported in one line', async (status, body, message) => {
    scheduler.replies.set('v1/nodes', { status, body });
    await expect(run('nodes')).rejects.toThrow(message);
    await expect(run('nodes')).rejects.not.toThrow('\n');
    expect(written).toBe('');
  });
});

describe('as a process', () => {
  let directory: string;
  let script: string;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'nodemesh-cli-'));
    script = join(directory, 'cli.cjs');
    const source = fileURLToPath(new URL('../../../scheduler/cli/main.ts', import.meta.url));
    await build({
      stdin: {
        contents: `import { main } from ${JSON.stringify(source)};
          main(process.argv.slice(2), { version: '1.2.3', dist: '', relaunch: [] });`,
        resolveDir: directory,
      },
      outfile: script,
      bundle: true,
      platform: 'node',
      format: 'cjs',
      logLevel: 'silent',
    });
  });

  afterAll(() => rm(directory, { recursive: true, force: true }));

  function start(...args: string[]) {
    const child = spawn(process.execPath, [script, ...args, '--scheduler', scheduler.url]);
    const output = { text: '' };
    child.stdout.on('data', (chunk) => {
      output.text += String(chunk);
    });
    return { child, output, exit: once(child, 'exit') };
  }

  test('writes no colours into a pipe and ends by itself', async () => {
    const { output, exit } = start('nodes');
    expect(await exit).toEqual([0, null]);
    expect(output.text).toContain('2 of 4 nodes healthy');
    expect(stripVTControlCharacters(output.text)).toBe(output.text);
  });

  test('--watch goes on while the scheduler is away, and ends well at Ctrl-C', async () => {
    const { child, output, exit } = start('nodes', '--watch', '--json');
    try {
      let complaints = '';
      child.stderr.on('data', (chunk) => {
        complaints += String(chunk);
      });
      const soon = (assertion: () => void) => vi.waitFor(assertion, { timeout: 10_000, interval: 20 });
      await soon(() => expect(output.text.split('\n').length).toBeGreaterThanOrEqual(2));
      await scheduler.stop();
      await soon(() => expect(complaints).toContain('connection refused'));
      scheduler.nodes = [];
      await scheduler.start();
      await soon(() => expect(output.text).toMatch(/\n\[\]\n$/));
      child.kill('SIGINT');
      expect(await exit).toEqual([0, null]);
    } finally {
      child.kill('SIGKILL');
    }
  }, 30_000);
});
