/** What operators bring upon an agent: drain, maintenance, reservations to keep; and the kernel's memory limit. */
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Agent } from '../../../local-cluster/agent/agent.ts';
import { eventually } from '../../fixtures/eventually.ts';
import { alive, framework, reached, run, shellTask, startAgent } from './stand-in-master.ts';

const NAP = 'exec sleep 1000';

describe('drain', () => {
  test('kills every task with the reason, and says so while it lasts to those who know TASK_KILLING', async () => {
    const bench = await startAgent();
    run(bench, shellTask('nap', NAP), framework('TASK_KILLING_STATE'));
    run(bench, shellTask('other', NAP));
    await reached(bench.master, 'nap', 'TASK_RUNNING');
    await reached(bench.master, 'other', 'TASK_RUNNING');
    bench.agent.drain({ maxGraceSeconds: null, markGone: false });
    const reason = 'REASON_AGENT_DRAINING';
    expect(await reached(bench.master, 'nap', 'TASK_KILLING')).toMatchObject({ reason });
    expect(await reached(bench.master, 'nap', 'TASK_KILLED')).toMatchObject({ reason, source: 'SOURCE_EXECUTOR' });
    expect(await reached(bench.master, 'other', 'TASK_KILLED')).toMatchObject({ reason });
  });

  test('shortens the grace period of a task that will not end', async () => {
    const bench = await startAgent();
    const directory = await mkdtemp(join(tmpdir(), 'nodemesh-test-'));
    onTestFinished(() => rm(directory, { recursive: true, force: true }));
    const deaf = join(directory, 'deaf');
    const stubborn = `trap "" TERM; touch '${deaf}'; while :; do sleep 0.05; done`;
    const kill_policy = { grace_period: { nanoseconds: 600e9 } };
    run(bench, shellTask('stubborn', stubborn, { kill_policy }));
    await reached(bench.master, 'stubborn', 'TASK_RUNNING');
    await eventually('it ignores SIGTERM', () => existsSync(deaf));
    bench.agent.drain({ maxGraceSeconds: 0.2, markGone: false });
    expect((await reached(bench.master, 'stubborn', 'TASK_KILLED')).message).toContain('Killed');
  });

  test('of an agent that leaves is the end by the operator, for those who know that state', async () => {
    const bench = await startAgent();
    run(bench, shellTask('knows', NAP), framework('PARTITION_AWARE'));
    run(bench, shellTask('knows-not', NAP));
    await reached(bench.master, 'knows', 'TASK_RUNNING');
    await reached(bench.master, 'knows-not', 'TASK_RUNNING');
    bench.agent.drain({ maxGraceSeconds: null, markGone: true });
    await reached(bench.master, 'knows', 'TASK_GONE_BY_OPERATOR');
    await reached(bench.master, 'knows-not', 'TASK_KILLED');
  });
});

test('an agent whose machine goes down exits without a word and comes back empty, with its id', async () => {
  const bench = await startAgent();
  run(bench, shellTask('nap', NAP));
  await reached(bench.master, 'nap', 'TASK_RUNNING');
  const pid = bench.agent.processes()[0]?.pid ?? 0;
  bench.agent.shutDown();
  await eventually('it registers again', () => bench.master.registrations.length === 2);
  expect(bench.master.registrations.at(-1)).toEqual({ agentId: 'm-S0', tasks: [] });
  expect(alive(pid)).toBe(false);
  expect(bench.master.states('nap')).toEqual(['TASK_STARTING', 'TASK_RUNNING']);
});

describe('what is reserved on an agent', () => {
  const reservations = [{ type: 'DYNAMIC' as const, role: 'nodemesh', principal: 'p' }];
  const resources = [{ name: 'cpus', type: 'SCALAR' as const, scalar: { value: 1 }, reservations }];

  test('is there again after a reboot, and in the process that is started next on its work directory', async () => {
    const { agent, master, options } = await startAgent();
    agent.checkpoint(resources);
    await agent.reboot();
    await eventually('it registers again', () => master.registrations.length === 2);
    expect(agent.checkpointed).toEqual(resources);
    await agent.shutdown();
    const next = new Agent(options);
    await next.start();
    expect(next.checkpointed).toEqual(resources);
    await next.shutdown();
  });

  test('is no more when the agent is gone', async () => {
    const { agent, options } = await startAgent();
    agent.checkpoint(resources);
    agent.gone();
    await agent.shutdown();
    const next = new Agent(options);
    await next.start();
    expect(next.checkpointed).toEqual([]);
    await next.shutdown();
  });
});

test('a task that exceeds its memory is killed, and its agent says why', async () => {
  const bench = await startAgent();
  run(bench, shellTask('nap', NAP));
  await reached(bench.master, 'nap', 'TASK_RUNNING');
  expect(bench.agent.exceedMemory('nap')).toBe(true);
  expect(await reached(bench.master, 'nap', 'TASK_FAILED')).toMatchObject({
    source: 'SOURCE_AGENT',
    reason: 'REASON_CONTAINER_LIMITATION_MEMORY',
    message: expect.stringContaining('Memory limit exceeded: Requested: 32MB'),
    limitation: { resources: [{ name: 'mem', scalar: { value: 32 } }] },
  });
  expect(bench.agent.exceedMemory('nap')).toBe(false);
});

test('the last words of a task that failed can be read when its end is long acknowledged', async () => {
  const bench = await startAgent();
  run(bench, shellTask('broken', 'echo first >&2; echo cannot bind 4140 >&2; exit 1'));
  expect(await reached(bench.master, 'broken', 'TASK_FAILED')).toMatchObject({
    message: 'Command exited with status 1',
  });
  const { ip, port } = bench.agent.description;
  const base = `http://${ip}:${port}/slave(1)`;
  const completed = await eventually('it is among the completed', async () => {
    const state = (await (await fetch(`${base}/state`)).json()) as {
      completed_frameworks: { completed_executors: { id: string; directory: string }[] }[];
    };
    return state.completed_frameworks[0]?.completed_executors[0];
  });
  expect(completed.id).toBe('broken');
  const path = encodeURIComponent(`${completed.directory}/stderr`);
  const whole = (await (await fetch(`${base}/files/read?path=${path}&offset=-1`)).json()) as { offset: number };
  expect(whole.offset).toBe(23);
  const last = await fetch(`${base}/files/read?path=${path}&offset=6&length=100`);
  expect(await last.json()).toEqual({ data: 'cannot bind 4140\n', offset: 6 });
});
