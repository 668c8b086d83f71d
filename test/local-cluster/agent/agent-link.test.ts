/** The agent and its master: registration, cut and return, failover, reboot, the end. */
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { describe, expect, test } from 'vitest';
import { agentId, taskId } from '../../../framework/mesos-http-client/messages.ts';
import { Agent } from '../../../local-cluster/agent/agent.ts';
import { eventually } from '../../fixtures/eventually.ts';
import { alive, type Bench, FRAMEWORK, reached, run, StandInMaster, shellTask, startAgent } from './stand-in-master.ts';

const NAP = 'exec sleep 1000';

/** An agent with one running task, its updates acknowledged. */
async function withNap(changes: Parameters<typeof startAgent>[0] = {}): Promise<Bench & { pid: number }> {
  const bench = await startAgent(changes);
  run(bench, shellTask('nap', NAP));
  await reached(bench.master, 'nap', 'TASK_RUNNING');
  const pid = bench.agent.processes()[0]?.pid;
  if (pid === undefined) throw new Error('the task has no process');
  return { ...bench, pid };
}

describe('registration', () => {
  test('a new agent has no id and no tasks, and takes the id that the master gives', async () => {
    const { agent, master } = await startAgent();
    expect(master.registrations).toEqual([{ agentId: null, tasks: [] }]);
    expect(agent.id()).toBe('m-S0');
  });

  test('is asked again while no answer comes', async () => {
    const { agent, master } = await startAgent({ registrationRetry: { firstMs: 20, maxMs: 40 } });
    master.answers = false;
    agent.cut();
    agent.restore();
    await eventually('three attempts', () => master.registrations.length >= 4);
    master.answers = true;
    run({ agent, master } as Bench, shellTask('t', 'true'));
    await reached(master, 't', 'TASK_FINISHED');
    const attempts = master.registrations.length;
    await eventually('time for more', () => new Promise((resolve) => setTimeout(() => resolve(true), 100)));
    expect(master.registrations.length).toBeLessThanOrEqual(attempts + 1);
  });

  test('an agent that starts while nobody leads registers with the first leader', async () => {
    const { leader, options, agent: first } = await startAgent();
    await first.shutdown();
    leader.set(null);
    const agent = new Agent(options);
    const started = agent.start();
    const master = new StandInMaster('n');
    leader.set(master);
    expect(await started).toBe('n-S0');
    await agent.shutdown();
  });

  test('a private agent offers unreserved resources, the proxy ports and 200 of its own', async () => {
    const { agent } = await startAgent({ index: 3 });
    const { resources, hostname, ip, port } = agent.description;
    expect({ hostname, ip }).toEqual({ hostname: 'node-1', ip: '127.0.32.1' });
    expect(port).toBeGreaterThan(0);
    expect(resources.map(({ name }) => name)).toEqual(['cpus', 'mem', 'disk', 'ports']);
    expect(resources.every(({ reservations }) => reservations?.length === 0)).toBe(true);
    expect(resources.at(-1)?.ranges?.range).toEqual([
      { begin: 4140, end: 4143 },
      { begin: 9990, end: 9990 },
      { begin: 20_400, end: 20_599 },
    ]);
  });

  test('everything of a public agent is STATICally reserved to slave_public', async () => {
    const { agent } = await startAgent({ isPublic: true });
    for (const { reservations } of agent.description.resources) {
      expect(reservations).toEqual([{ type: 'STATIC', role: 'slave_public' }]);
    }
  });

  test('a taken port is the error of listen', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.32.9', resolve));
    const { port } = taken.address() as { port: number };
    await expect(startAgent({ ip: '127.0.32.9', port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
    await new Promise((resolve) => taken.close(resolve));
  });
});

describe('a cut agent', () => {
  test('is missed by the master, keeps its processes, and hears nothing', async () => {
    const { agent, master, pid } = await withNap();
    agent.cut();
    expect(master.disconnections).toEqual(['m-S0']);
    agent.killTask(FRAMEWORK, taskId('nap'));
    agent.runTask(FRAMEWORK, { user: 'root', name: 'test' }, shellTask('lost', NAP));
    expect(agent.processes().map(({ taskId: id }) => id)).toEqual(['nap']);
    expect(alive(pid)).toBe(true);
  });

  test('comes back with its id and its tasks', async () => {
    const { agent, master, pid } = await withNap();
    agent.cut();
    agent.restore();
    expect(master.registrations.at(-1)).toMatchObject({
      agentId: 'm-S0',
      tasks: [{ frameworkId: FRAMEWORK, frameworkInfo: { name: 'test' }, status: { state: 'TASK_RUNNING' } }],
    });
    expect(agent.processes()[0]?.pid).toBe(pid);
  });

  test('that was cut and put back twice is one agent to the next leader', async () => {
    const { agent, leader } = await withNap();
    for (let time = 0; time < 2; time++) {
      agent.cut();
      agent.restore();
    }
    const next = new StandInMaster('next');
    leader.set(next);
    expect(next.registrations).toHaveLength(1);
  });

  test('does not speak of the tasks of a framework that was shut down, though one of them still ends', async () => {
    const { agent, master } = await withNap();
    run({ agent, master } as Bench, shellTask('stubborn', 'trap "" TERM; while :; do sleep 0.05; done'));
    await reached(master, 'stubborn', 'TASK_RUNNING');
    agent.shutdownFramework(FRAMEWORK);
    agent.cut();
    agent.restore();
    expect(master.registrations.at(-1)?.tasks).toEqual([]);
  });

  test('queues what happens meanwhile and tells it on return', async () => {
    const { agent, master, pid } = await withNap();
    agent.cut();
    process.kill(pid, 'SIGKILL');
    await eventually('the process ends', () => agent.processes().length === 0);
    expect(master.states('nap')).not.toContain('TASK_FAILED');
    agent.restore();
    expect(master.registrations.at(-1)?.tasks[0]?.status.state).toBe('TASK_FAILED');
    await reached(master, 'nap', 'TASK_FAILED');
  });

  test('a task whose end is acknowledged is held no more', async () => {
    const { agent, master, pid } = await withNap();
    process.kill(pid, 'SIGKILL');
    await reached(master, 'nap', 'TASK_FAILED');
    await new Promise((resolve) => setImmediate(resolve));
    agent.cut();
    agent.restore();
    expect(master.registrations.at(-1)?.tasks).toEqual([]);
  });

  test('an update that nobody acknowledged is sent to the master at once on return', async () => {
    const bench = await startAgent();
    bench.master.acknowledges = false;
    run(bench, shellTask('nap', NAP));
    await reached(bench.master, 'nap', 'TASK_STARTING');
    bench.agent.cut();
    bench.agent.restore();
    expect(bench.master.states('nap')).toEqual(['TASK_STARTING', 'TASK_STARTING']);
  });
});

describe('master failover', () => {
  test('the agent goes to the new leader with its old id and tasks, processes untouched', async () => {
    const { agent, master, leader, pid } = await withNap();
    leader.set(null);
    const next = new StandInMaster('next');
    leader.set(next);
    expect(next.registrations).toMatchObject([{ agentId: 'm-S0', tasks: [{ status: { state: 'TASK_RUNNING' } }] }]);
    expect(agent.processes()[0]?.pid).toBe(pid);
    process.kill(pid, 'SIGKILL');
    await reached(next, 'nap', 'TASK_FAILED');
    expect(master.states('nap')).toEqual(['TASK_STARTING', 'TASK_RUNNING']);
  });

  test('a cut agent does not go to the new leader before it is back', async () => {
    const { agent, leader } = await withNap();
    agent.cut();
    const next = new StandInMaster('next');
    leader.set(next);
    expect(next.registrations).toEqual([]);
    agent.restore();
    expect(next.registrations).toHaveLength(1);
  });
});

describe('reboot', () => {
  test('kills all processes, keeps the id, and ends the tasks as FAILED with EXECUTOR_TERMINATED', async () => {
    const { agent, master, pid } = await withNap();
    await agent.reboot();
    expect(alive(pid)).toBe(false);
    expect(agent.processes()).toEqual([]);
    expect(master.disconnections).toEqual(['m-S0']);
    expect(await reached(master, 'nap', 'TASK_FAILED')).toMatchObject({
      source: 'SOURCE_AGENT',
      reason: 'REASON_EXECUTOR_TERMINATED',
      message: 'Executor terminated',
    });
    expect(master.registrations.at(-1)?.agentId).toBe('m-S0');
    run({ agent, master } as Bench, shellTask('after', 'true'));
    await reached(master, 'after', 'TASK_FINISHED');
  });

  test('of a cut agent leaves it cut', async () => {
    const { agent, master } = await withNap();
    agent.cut();
    await agent.reboot();
    await eventually('time to come back', () => new Promise((resolve) => setTimeout(() => resolve(true), 50)));
    expect(master.registrations).toHaveLength(1);
    agent.restore();
    await reached(master, 'nap', 'TASK_FAILED');
  });
});

describe('the end', () => {
  test('an agent marked gone kills everything, says nothing, and never registers again', async () => {
    const { agent, master, leader, pid } = await withNap();
    agent.gone();
    await eventually('its process dies', () => !alive(pid) && agent.processes().length === 0);
    agent.restore();
    leader.set(new StandInMaster('next'));
    expect(master.registrations).toHaveLength(1);
    expect(master.disconnections).toEqual([]);
    expect(master.states('nap')).toEqual(['TASK_STARTING', 'TASK_RUNNING']);
  });

  test('shutdown leaves no process and no port, and may be repeated', async () => {
    const { agent, master, pid } = await withNap();
    const { ip, port } = agent.description;
    await Promise.all([agent.shutdown(), agent.shutdown()]);
    await agent.shutdown();
    expect(alive(pid)).toBe(false);
    await expect(fetch(`http://${ip}:${port}/health`)).rejects.toThrow();
    expect(master.disconnections).toEqual(['m-S0']);
    await agent.reboot();
    expect(master.registrations).toHaveLength(1);
  });

  test('what an earlier run left in the work directory is removed at the next start', async () => {
    const { agent, options, workDir } = await withNap();
    await agent.shutdown();
    expect(existsSync(`${workDir}/slaves/m-S0`)).toBe(true);
    const again = new Agent(options);
    expect(await again.start()).toBe(agentId('m-S0'));
    expect(existsSync(`${workDir}/slaves/m-S0`)).toBe(false);
    await again.shutdown();
  });
});
