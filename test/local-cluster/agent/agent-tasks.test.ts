/** What becomes of tasks on an agent: real processes, their environment, their end. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { describe, expect, test } from 'vitest';
import { frameworkId, type TaskStatus, taskId } from '../../../framework/mesos-http-client/messages.ts';
import { eventually } from '../../fixtures/eventually.ts';
import { alive, FRAMEWORK, framework, reached, run, shellTask, startAgent } from './stand-in-master.ts';

const KILLING = framework('TASK_KILLING_STATE');

/** The directory of the one task that runs or ran on this agent. */
function sandboxOf(workDir: string, id: string): string {
  const runs = join(workDir, 'slaves', 'm-S0', 'frameworks', FRAMEWORK, 'executors', id, 'runs');
  const names = readdirSync(runs).filter((name) => name !== 'latest');
  expect(names).toHaveLength(1);
  return join(runs, names[0] ?? '');
}

describe('how a task ends', () => {
  test.each([
    ['exit 0', 'TASK_FINISHED', 'Command exited with status 0'],
    ['exit 3', 'TASK_FAILED', 'Command exited with status 3'],
    ['kill -9 $$', 'TASK_FAILED', 'Command terminated with signal Killed'],
    ['kill -TERM $$', 'TASK_FAILED', 'Command terminated with signal Terminated'],
  ])('%s gives %s', async (command, state, message) => {
    const bench = await startAgent();
    run(bench, shellTask('t', command));
    expect(await reached(bench.master, 't', state)).toMatchObject({ message, source: 'SOURCE_EXECUTOR' });
    expect(bench.master.states('t')).toEqual(['TASK_STARTING', 'TASK_RUNNING', state]);
    expect(bench.agent.processes()).toEqual([]);
  });

  test('a program that does not exist runs for a moment and fails, as under mesos-executor', async () => {
    const bench = await startAgent();
    run(bench, shellTask('t', '', { command: { shell: false, value: '/no/such/binary', arguments: ['x'] } }));
    expect(await reached(bench.master, 't', 'TASK_FAILED')).toMatchObject({ message: 'Command exited with status 1' });
    expect(bench.master.states('t')).toEqual(['TASK_STARTING', 'TASK_RUNNING', 'TASK_FAILED']);
    const stderr = join(sandboxOf(bench.workDir, 't'), 'stderr');
    await eventually('its stderr says why', async () => (await readFile(stderr, 'utf8')).includes('ENOENT'));
  });

  test('without a shell the arguments are the argv, the first of them the name', async () => {
    const bench = await startAgent();
    const command = { shell: false, value: '/bin/sh', arguments: ['sh', '-c', 'echo "$0 $1" > said', 'a', 'b c'] };
    run(bench, shellTask('t', '', { command }));
    await reached(bench.master, 't', 'TASK_FINISHED');
    expect(await readFile(join(sandboxOf(bench.workDir, 't'), 'said'), 'utf8')).toBe('a b c\n');
  });

  test('what a task started goes with it', async () => {
    const bench = await startAgent();
    run(bench, shellTask('t', 'sleep 1000 & echo $! > child; exit 0'));
    await reached(bench.master, 't', 'TASK_FINISHED');
    const child = Number(await readFile(join(sandboxOf(bench.workDir, 't'), 'child'), 'utf8'));
    await eventually('the child dies', () => !alive(child));
  });

  test('a container image is refused in words', async () => {
    const bench = await startAgent();
    run(bench, shellTask('t', 'true', { container: { type: 'DOCKER', docker: { image: 'any' } } }));
    const { message, reason } = await reached(bench.master, 't', 'TASK_FAILED');
    expect(reason).toBe('REASON_CONTAINER_LAUNCH_FAILED');
    expect(message).toContain('no container images');
  });

  test('a task that is held already is not started twice', async () => {
    const bench = await startAgent();
    run(bench, shellTask('t', 'exec sleep 1000'));
    run(bench, shellTask('t', 'exec sleep 1000'));
    await reached(bench.master, 't', 'TASK_RUNNING');
    expect(bench.agent.processes()).toHaveLength(1);
  });
});

describe('a task at work', () => {
  test('is listed as a process, with its own pid', async () => {
    const bench = await startAgent();
    run(bench, shellTask('t', 'exec sleep 1000', { name: 'nap' }));
    const status = await reached(bench.master, 't', 'TASK_RUNNING');
    const [found] = bench.agent.processes();
    expect(found).toMatchObject({ taskId: 't', taskName: 'nap', frameworkId: FRAMEWORK, frameworkName: 'test' });
    // Its shell has become what it was told to become, soon.
    const commandLine = (): boolean => readFileSync(`/proc/${found?.pid}/cmdline`, 'utf8') === 'sleep\x001000\x00';
    await eventually('the shell has become sleep', async () => commandLine());
    expect(status.container_status?.executor_pid).toBe(found?.pid);
    expect(Date.now() - Date.parse(found?.startedAt ?? '')).toBeLessThan(10_000);
  });

  test('has an environment of its own: little of ours, all that Mesos sets, and what it asked for', async () => {
    process.env['NODEMESH_TEST_SECRET'] = 'must not be passed on';
    const bench = await startAgent({ environment: { CLUSTER: 'mark' } });
    delete process.env['NODEMESH_TEST_SECRET'];
    const variables = [
      { name: 'COLOUR', value: 'green' },
      { name: 'PORT0', value: '80' },
      { name: 'CLUSTER', value: 'other' },
    ];
    const task = shellTask('t', 'env -0 > environment', {
      command: { value: 'env -0 > environment', environment: { variables } },
      resources: [
        {
          name: 'ports',
          type: 'RANGES',
          ranges: {
            range: [
              { begin: 20_005, end: 20_006 },
              { begin: 20_009, end: 20_009 },
            ],
          },
        },
      ],
    });
    run(bench, task);
    await reached(bench.master, 't', 'TASK_FINISHED');
    const sandbox = sandboxOf(bench.workDir, 't');
    const text = await readFile(join(sandbox, 'environment'), 'utf8');
    const found = Object.fromEntries(
      text
        .split('\0')
        .filter(Boolean)
        .map((line) => line.split(/=(.*)/s, 2)),
    );
    expect(found).toMatchObject({
      ...{ HOST: '127.0.32.1', PORT0: '80', PORT1: '20006', PORT2: '20009', PORTS: '20005,20006,20009' },
      ...{ COLOUR: 'green', CLUSTER: 'mark', MESOS_SANDBOX: sandbox, MESOS_TASK_ID: 't' },
      ...{ MESOS_AGENT_ID: 'm-S0', MESOS_FRAMEWORK_ID: FRAMEWORK },
    });
    expect(found['PATH']?.split(':')[0]).toBe(dirname(process.execPath));
    expect(found).not.toHaveProperty('NODEMESH_TEST_SECRET');
  });

  test('writes to stdout and stderr files in its sandbox', async () => {
    const bench = await startAgent();
    run(bench, shellTask('t', 'echo out; echo err >&2; pwd'));
    await reached(bench.master, 't', 'TASK_FINISHED');
    const sandbox = sandboxOf(bench.workDir, 't');
    expect(await readFile(join(sandbox, 'stdout'), 'utf8')).toBe(`out\n${sandbox}\n`);
    expect(await readFile(join(sandbox, 'stderr'), 'utf8')).toBe('err\n');
  });

  test('only the last sandboxes are kept', async () => {
    const bench = await startAgent({ keptSandboxes: 2 });
    for (const id of ['a', 'b', 'c', 'd']) {
      run(bench, shellTask(id, 'true'));
      await reached(bench.master, id, 'TASK_FINISHED');
    }
    const executors = join(bench.workDir, 'slaves', 'm-S0', 'frameworks', FRAMEWORK, 'executors');
    await eventually('the oldest go', () => readdirSync(executors).join() === 'c,d');
  });

  test('sixty at once leave the rest of the process its turns', async () => {
    const bench = await startAgent();
    const delay = monitorEventLoopDelay({ resolution: 5 });
    delay.enable();
    const ids = Array.from({ length: 60 }, (_, index) => `t${index}`);
    const since = performance.now();
    for (const id of ids) run(bench, shellTask(id, 'exec sleep 1000'));
    await eventually(
      'all run',
      () => bench.agent.processes().length === 60 && ids.every((id) => bench.master.states(id).length === 2),
    );
    delay.disable();
    // All in one turn would be nearly all of the time that it takes, on whatever machine.
    expect(delay.max / 1e6).toBeLessThan((performance.now() - since) / 3);
    await bench.agent.shutdown();
    expect(bench.agent.processes()).toEqual([]);
  });
});

describe('kill', () => {
  test('SIGTERM ends a task at once, as KILLED', async () => {
    const bench = await startAgent();
    run(bench, shellTask('t', 'exec sleep 1000'));
    await reached(bench.master, 't', 'TASK_RUNNING');
    bench.agent.killTask(FRAMEWORK, taskId('t'));
    const status = await reached(bench.master, 't', 'TASK_KILLED');
    expect(status).toMatchObject({ message: 'Command terminated with signal Terminated' });
    expect(status).not.toHaveProperty('reason');
    expect(status).not.toHaveProperty('healthy');
    expect(bench.master.states('t')).not.toContain('TASK_KILLING');
  });

  test('a framework with TASK_KILLING_STATE hears of the kill first; KILLED even if the task then exits with 0', async () => {
    const bench = await startAgent();
    run(bench, shellTask('t', 'trap "exit 0" TERM; echo > ready; while :; do sleep 0.05; done'), KILLING);
    await reached(bench.master, 't', 'TASK_RUNNING');
    await eventually('the trap is set', () => existsSync(join(sandboxOf(bench.workDir, 't'), 'ready')));
    bench.agent.killTask(FRAMEWORK, taskId('t'));
    expect(await reached(bench.master, 't', 'TASK_KILLED')).toMatchObject({ message: 'Command exited with status 0' });
    expect(bench.master.states('t')).toEqual(['TASK_STARTING', 'TASK_RUNNING', 'TASK_KILLING', 'TASK_KILLED']);
  });

  const stubborn = (graceMs: number) =>
    shellTask('t', 'trap "" TERM; echo > ready; while :; do sleep 0.05; done', {
      kill_policy: { grace_period: { nanoseconds: graceMs * 1e6 } },
    });

  test('a task that ignores SIGTERM gets SIGKILL after the grace period of its own kill policy', async () => {
    const bench = await startAgent();
    run(bench, stubborn(300), KILLING);
    await reached(bench.master, 't', 'TASK_RUNNING');
    await eventually('the trap is set', () => existsSync(join(sandboxOf(bench.workDir, 't'), 'ready')));
    const begun = performance.now();
    bench.agent.killTask(FRAMEWORK, taskId('t'));
    const { message } = await reached(bench.master, 't', 'TASK_KILLED');
    expect(message).toBe('Command terminated with signal Killed');
    expect(performance.now() - begun).toBeGreaterThanOrEqual(295);
  });

  test('the grace period of a KILL call counts for nothing, unless the agent is told to heed it', async () => {
    const plain = await startAgent();
    const heeding = await startAgent({ ip: '127.0.32.2', honourKillGrace: true });
    for (const bench of [plain, heeding]) {
      run(bench, stubborn(60_000));
      await reached(bench.master, 't', 'TASK_RUNNING');
      await eventually('the trap is set', () => existsSync(join(sandboxOf(bench.workDir, 't'), 'ready')));
      bench.agent.killTask(FRAMEWORK, taskId('t'), 0.05);
    }
    await reached(heeding.master, 't', 'TASK_KILLED');
    expect(plain.agent.processes()).toHaveLength(1);
  });

  test('a shutdown of the framework ends its tasks and says nothing', async () => {
    const bench = await startAgent();
    run(bench, shellTask('t', 'exec sleep 1000'));
    await reached(bench.master, 't', 'TASK_RUNNING');
    bench.agent.shutdownFramework(FRAMEWORK);
    await eventually('it is gone', () => bench.agent.processes().length === 0);
    expect(bench.master.states('t')).toEqual(['TASK_STARTING', 'TASK_RUNNING']);
  });

  test('after a TEARDOWN a task that ignores SIGTERM lives on for its whole grace period', async () => {
    const bench = await startAgent();
    const kill_policy = { grace_period: { nanoseconds: 400e6 } };
    run(bench, shellTask('t', 'trap "" TERM; touch ready; while :; do sleep 0.05; done', { kill_policy }));
    await reached(bench.master, 't', 'TASK_RUNNING');
    await eventually('it ignores SIGTERM', () => existsSync(join(sandboxOf(bench.workDir, 't'), 'ready')));
    const from = performance.now();
    bench.agent.shutdownFramework(FRAMEWORK);
    await eventually('it is gone', () => bench.agent.processes().length === 0);
    expect(performance.now() - from).toBeGreaterThan(390);
  });
});

describe('unacknowledged updates', () => {
  test('are sent again at once when their framework has subscribed again', async () => {
    const bench = await startAgent();
    bench.master.acknowledges = false;
    run(bench, shellTask('t', 'true'));
    await eventually('sent', () => bench.master.of('t').length === 1);
    bench.agent.updateFramework(frameworkId('another'));
    expect(bench.master.of('t')).toHaveLength(1);
    bench.agent.updateFramework(FRAMEWORK);
    expect(bench.master.states('t')).toEqual(['TASK_STARTING', 'TASK_STARTING']);
  });

  test('hold up all later ones of their task, and are sent again', async () => {
    const bench = await startAgent({ updateRetry: { firstMs: 30, maxMs: 60 } });
    bench.master.acknowledges = false;
    run(bench, shellTask('t', 'true'));
    await eventually('sent again', () => bench.master.of('t').length >= 3);
    expect(new Set(bench.master.of('t').map(({ uuid }) => uuid)).size).toBe(1);
    expect(bench.master.states('t')[0]).toBe('TASK_STARTING');
    bench.master.acknowledges = true;
    await reached(bench.master, 't', 'TASK_FINISHED');
    const states = bench.master.states('t').filter((state, index, all) => state !== all[index - 1]);
    expect(states).toEqual(['TASK_STARTING', 'TASK_RUNNING', 'TASK_FINISHED']);
  });
});

const RECORDINGS = '../shared/recordings';
describe.runIf(existsSync(RECORDINGS))('compared with a real agent (not run: no ../shared)', () => {
  /** Keys and fixed words of a status, without what differs from run to run. */
  function shape(status: TaskStatus): unknown {
    const { task_id, agent_id, executor_id, timestamp, uuid, container_status, message, ...words } = status;
    const varying = { task_id, agent_id, executor_id, timestamp, uuid };
    const container = container_status && {
      keys: Object.keys(container_status).sort(),
      networks: container_status.network_infos?.map(({ ip_addresses }) => ip_addresses?.map((one) => Object.keys(one))),
    };
    return {
      ...words,
      message: message?.replaceAll(/[0-9a-f-]{36}/g, '<id>'),
      container,
      keys: Object.entries(varying).map(([key, value]) => [key, typeof value]),
      uuidBytes: uuid === undefined ? 0 : Buffer.from(uuid, 'base64').length,
    };
  }

  test('each update of exits_finished_failed has the same shape, words and order', async () => {
    const lines = readFileSync(join(RECORDINGS, 'exits_finished_failed/01-subscribe.events.jsonl'), 'utf8')
      .trim()
      .split('\n');
    const real = lines
      .map((line) => (JSON.parse(line) as { event: { type: string; update?: { status: TaskStatus } } }).event)
      .flatMap((event) => (event.update === undefined ? [] : [event.update.status]));
    const bench = await startAgent();
    const uris = [{ value: 'http://127.0.0.1:1/none' }];
    for (const task of [
      shellTask('ok', 'sleep 0.1; exit 0'),
      shellTask('bad', 'sleep 0.1; exit 3'),
      shellTask('sig', 'sleep 0.1; kill -9 $$'),
      shellTask('nofetch', '', { command: { value: 'true', uris } }),
    ]) {
      run(bench, task);
      const wanted = real.filter((status) => status.task_id.value === task.name).map(shape);
      await eventually(`the end of ${task.name}`, () => bench.master.of(task.name).length === wanted.length);
      expect(bench.master.of(task.name).map(shape)).toEqual(wanted);
    }
  });
});
