/** The commands `why`, `plan`, `freeze` and `thaw` over a whole scheduler. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { NodeStatus } from '../../../framework/index.ts';
import { main } from '../../../scheduler/cli/main.ts';
import { planTree } from '../../../scheduler/cli/plan-tree.ts';
import { fakePlan, taskId } from '../support/fake-framework.ts';
import { type SchedulerUnderTest, useScheduler } from '../support/use-scheduler.ts';

const CONTEXT = { version: '1.2.3', dist: '/nowhere', relaunch: [] };

const use = useScheduler();
let written: string;

beforeEach(() => {
  written = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((chunk) => {
    written += String(chunk);
    return true;
  });
  vi.stubEnv('NODEMESH_SCHEDULER', undefined);
  vi.stubEnv('NODEMESH_API_TOKEN_FILE', undefined);
});

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

/** Runs a command, and returns what it printed. */
async function run(scheduler: SchedulerUnderTest, ...args: string[]): Promise<string> {
  written = '';
  await main([...args, '--scheduler', scheduler.running.url], CONTEXT);
  return written;
}

describe('why', () => {
  const nodes: Record<string, Partial<NodeStatus>> = {
    'c0ffee-S1': { hostname: 'node1.example', ip: '10.0.0.1', state: 'healthy', taskId: taskId('p1'), goal: 'v1' },
    'c0ffee-S2': {
      ...{ hostname: 'node2.example', ip: '10.0.0.2', region: 'eu', zone: 'z1', isPublic: true },
      ...{ state: 'pending', reason: 'The last task exited with 1. Next attempt in 8 s.' },
    },
    'c0ffee-S3': { hostname: 'twins.example', ip: '10.0.0.3', state: 'healthy', taskId: taskId('p3') },
    'c0ffee-S4': { hostname: 'twins.example', ip: '10.0.0.4', state: 'excluded', reason: 'rack r9 is not like r1.' },
  };

  test('tells of a healthy node by hostname, address or agent id, and ends well', async () => {
    const scheduler = await use.start({ nodes });
    for (const name of ['node1.example', 'NODE1.example', '10.0.0.1', 'c0ffee-S1']) {
      const text = await run(scheduler, 'why', name);
      expect(text).toMatch(/^node1\.example \(10\.0\.0\.1\), agent c0ffee-S1, private\n/);
      expect(text).toMatch(/\n {2}state {4}healthy for .* \(since 2026-01-01T00:00:00\.000Z\)\n/);
      expect(text).toContain('\n  task     p1\n  running  not known: the proxy has not said it\n');
      expect(text).toContain('\n  wanted   version 0.1.0, configuration 1\n  goal     v1\n');
      expect(text).not.toContain('reason');
    }
  });

  test('tells why a node is not healthy, with exit code 1 and no further word', async () => {
    const scheduler = await use.start({ nodes });
    await expect(run(scheduler, 'why', 'node2.example')).rejects.toMatchObject({ exitCode: 1, lines: [] });
    expect(written).toMatch(
      /^node2\.example \(10\.0\.0\.2\), agent c0ffee-S2, public, eu\/z1\n {2}state {4}pending for /,
    );
    expect(written).toContain('\n  reason   The last task exited with 1. Next attempt in 8 s.\n  task     none\n');
    expect(written).toContain('\n  running  nothing\n');
  });

  test('tells of all agents of a machine, and is content with none that is excluded', async () => {
    const scheduler = await use.start({ nodes });
    await expect(run(scheduler, 'why', 'twins.example')).rejects.toMatchObject({ exitCode: 1 });
    expect(written.match(/^twins\.example/gm)).toHaveLength(2);
    expect(written).toContain('\n  wanted   nothing\n');
  });

  test('prints the answer for programs', async () => {
    const scheduler = await use.start({ nodes });
    await expect(run(scheduler, 'why', '10.0.0.2', '--json')).rejects.toMatchObject({ exitCode: 1 });
    expect(JSON.parse(written)).toMatchObject([{ agentId: 'c0ffee-S2', zone: 'z1', state: 'pending' }]);
  });

  test.each([
    ['node9.example', "there is no node 'node9.example'; did you mean node1.example, node2.example?"],
    ['twins', "there is no node 'twins'; did you mean twins.example?"],
    ['10.0.0.33', "there is no node '10.0.0.33'; did you mean 10.0.0.3, 10.0.0.1, 10.0.0.2?"],
    ['something-else', "there is no node 'something-else'; nodemesh nodes lists them"],
  ])('says of %s that it is unknown, and what is near', async (name, message) => {
    const scheduler = await use.start({ nodes });
    await expect(run(scheduler, 'why', name)).rejects.toMatchObject({ exitCode: 2, message });
    expect(written).toBe('');
  });
});

describe('plan', () => {
  async function start(): Promise<SchedulerUnderTest> {
    const scheduler = await use.start();
    scheduler.framework.plans.set('deploy', fakePlan('deploy', 'COMPLETE', 'COMPLETE'));
    scheduler.framework.plans.set('update', {
      ...fakePlan('update', 'COMPLETE', 'ERROR', 'PENDING'),
      errors: ['node2.example failed: go back with …'],
    });
    return scheduler;
  }

  test('list is a table, and what plan does alone', async () => {
    const scheduler = await start();
    const table = (await run(scheduler, 'plan', 'list')).split('\n').map((line) => line.split(/ {2,}/));
    expect(table).toEqual([
      ['PLAN', 'STATUS', 'STEPS DONE'],
      ['deploy', 'complete', '2 of 2'],
      ['update', 'error', '1 of 3'],
      [''],
    ]);
    vi.stubEnv('NODEMESH_SCHEDULER', scheduler.running.url);
    written = '';
    await main(['plan'], CONTEXT);
    expect(written).toContain('STEPS DONE');
    expect(JSON.parse(await run(scheduler, 'plan', 'list', '--json'))).toEqual(['deploy', 'update']);
  });

  test('show is a tree with a mark for each status', async () => {
    const scheduler = await start();
    expect(await run(scheduler, 'plan', 'show', 'update')).toBe(
      [
        '✘ update (serial): error',
        '  ✘ node2.example failed: go back with …',
        '  ✘ nodes (serial): error, 1 of 3',
        '    ✔ node1.example: complete',
        '    ✘ node2.example: error: not healthy within 300 s',
        '    ○ node3.example: pending',
        '',
      ].join('\n'),
    );
    expect(await run(scheduler, 'plan', 'show')).toMatch(/^✔ deploy \(serial\): complete\n/);
    expect(JSON.parse(await run(scheduler, 'plan', 'show', 'update', '--json'))).toMatchObject({ status: 'ERROR' });
  });

  test('a tree has colours on a terminal only, no line wider than it, and no control character of the cluster', () => {
    const phase = { name: 'nodes', strategy: '', status: 'WAITING', steps: [] };
    const answer = { status: 'NEW', strategy: '', errors: ['\u001b[2J bad'], phases: [phase] };
    const screen = { width: 14, height: null, live: true, write: () => undefined, complain: () => undefined };
    const paint = (tone: string, text: string) => `<${tone}>${text}</>`;
    expect(planTree('deploy', answer, { ...screen, paint })).toBe(
      '<busy>?</> deploy: NEW\n  <bad>✘</> ?[2J bad\n  <busy>‖</> nodes: wa…\n',
    );
  });

  test.each([
    ['start', 'start'],
    ['stop', 'stop'],
    ['continue', 'continue'],
    ['interrupt', 'interrupt'],
    ['restart', 'restart'],
    ['force-complete', 'forceComplete'],
  ])('%s tells the framework, and prints what it says', async (word, verb) => {
    const scheduler = await start();
    expect(await run(scheduler, 'plan', word, 'update', '--phase', 'nodes', '--step', 'S2')).toBe('done\n');
    scheduler.framework.outcome = { kind: 'already', message: 'it is so already' };
    expect(await run(scheduler, 'plan', word, 'update')).toBe('it is so already\n');
    expect(scheduler.framework.commands).toEqual([
      { plan: 'update', verb, phase: 'nodes', step: 'S2' },
      { plan: 'update', verb },
    ]);
  });

  test('what is not there is exit code 2, what makes no sense is 1, each in one sentence', async () => {
    const scheduler = await start();
    await expect(run(scheduler, 'plan', 'show', 'depoly')).rejects.toMatchObject({
      exitCode: 2,
      message: 'there is no plan depoly; there are deploy, update',
    });
    scheduler.framework.outcome = { kind: 'not-found', message: 'there is no phase x' };
    await expect(run(scheduler, 'plan', 'stop', 'update', '--phase', 'x')).rejects.toMatchObject({
      exitCode: 2,
      message: 'there is no phase x',
    });
    await expect(run(scheduler, 'plan', 'stop', 'update', '--step', 'x')).rejects.toMatchObject({ exitCode: 2 });
    scheduler.framework.outcome = { kind: 'invalid', message: 'the rollout is over' };
    await expect(run(scheduler, 'plan', 'stop', 'update')).rejects.toThrow(
      /answered 409 to v1\/plans\/update\/stop: the rollout is over$/,
    );
    for (const args of [['plan', 'explode'], ['plan', 'stop'], ['plan', 'list', 'x'], ['why'], ['thaw', 'x']]) {
      await expect(main(args, CONTEXT), args.join(' ')).rejects.toMatchObject({
        code: expect.stringMatching(/^commander\./),
      });
    }
  });
});

describe('freeze and thaw', () => {
  test('are done once, and shown above the tables meanwhile', async () => {
    const scheduler = await use.start();
    expect(await run(scheduler, 'nodes')).not.toContain('Frozen');
    const frozen = 'Frozen: nothing changes by itself but repair. nodemesh thaw ends it.\n';
    expect(await run(scheduler, 'freeze', 'peak', 'hours')).toBe(frozen);
    expect(scheduler.framework.frozen).toBe(true);
    expect(scheduler.logs.join('\n')).toContain('peak hours');
    expect(await run(scheduler, 'freeze')).toBe('Frozen already. nodemesh thaw ends it.\n');
    expect(await run(scheduler, 'nodes')).toMatch(/^Frozen: .*\n\nNo nodes yet/);
    expect(await run(scheduler, 'services')).toMatch(/^Frozen: .*\n\nNo services yet/);
    expect(JSON.parse(await run(scheduler, 'nodes', '--json'))).toEqual([]);
    expect(await run(scheduler, 'thaw')).toBe('Thawed: what stood still goes on.\n');
    expect(await run(scheduler, 'thaw')).toBe('Not frozen.\n');
    expect(await run(scheduler, 'nodes')).not.toContain('Frozen');
  });

  test('need the token off loopback, and say how to give it', async () => {
    const path = join(use.directory, 'token');
    writeFileSync(path, 'a-token-of-enough-length\n');
    const scheduler = await use.start({
      args: ['--listen=0.0.0.0:0', '--advertise=http://x', `--api-token-file=${path}`],
    });
    await expect(run(scheduler, 'freeze')).rejects.toThrow(/answered 401 .*--api-token-file/);
    expect(await run(scheduler, 'freeze', '--api-token-file', path)).toContain('Frozen');
    vi.stubEnv('NODEMESH_API_TOKEN_FILE', path);
    expect(await run(scheduler, 'thaw')).toContain('Thawed');
    await expect(run(scheduler, 'thaw', '--api-token-file', '/nonexistent')).rejects.toThrow('cannot be read (ENOENT)');
  });
});

test.each(['why', 'plan', 'freeze', 'thaw'])('%s --help explains itself, and is no failure', async (word) => {
  await expect(main([word, '--help'], CONTEXT)).rejects.toMatchObject({ exitCode: 0 });
  expect(written).toContain(`Usage: nodemesh ${word} `);
  expect(Math.max(...written.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
});
