/**
 * Two schedulers over one ZooKeeper, as operators run them: one leads, one stands by. Whatever happens to the leader, the
 * other takes over, no proxy is restarted, and the old one never speaks to Mesos again.
 */
import { connect, createServer, type Server } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../fixtures/eventually.ts';
import { getJson, send } from '../fixtures/http.ts';
import { Cluster, type NodeRow, type RunningCommand, run } from '../fixtures/local-cluster.ts';
import { timed } from '../fixtures/measure.ts';
import { startTcpLink, type TcpLink } from '../fixtures/tcp-link.ts';
import { type Ensemble, startZooKeeper } from '../fixtures/zookeeper.ts';

const NET = 61;
const HOST = `127.0.${NET}.254`;
/** The limit is 15 s; tests may allow three times as much. */
const TAKEOVER_MS = 45_000;

/** A scheduler that speaks to the master over a way of its own, which tells when it last said something. */
interface Scheduler {
  readonly url: string;
  readonly command: RunningCommand;
  /** `performance.now()` of the first and the last bytes that it sent to the master. */
  firstSpokeAt(): number;
  lastSpokeAt(): number;
  stop(): Promise<void>;
}

describe('of two schedulers', () => {
  let ensemble: Ensemble;
  let cluster: Cluster;
  let link: TcpLink;
  let port = 4180;
  const started: Scheduler[] = [];

  beforeAll(async () => {
    ensemble = await startZooKeeper();
    link = await startTcpLink(Number(ensemble.address.split(':')[1]));
    cluster = await Cluster.start(NET, ['--no-scheduler', '--no-demo', '--agents', '2', '--public-agents', '1']);
  }, 90_000);
  afterAll(async () => {
    for (const scheduler of started) await scheduler.stop();
    await cluster.stop();
    await link.close();
    await ensemble.stop();
  }, 60_000);

  async function start(zookeeper: string, more: readonly string[] = []): Promise<Scheduler> {
    const way = await watchedWay(new URL(cluster.ready.mesos));
    port += 1;
    const url = `http://${HOST}:${port}`;
    const words = [
      ...['--master', way.url, '--marathon', cluster.ready.marathon, '--state', `zk://${zookeeper}/nodemesh`],
      ...['--listen', `${HOST}:${port}`, '--proxy-archive', 'host-node', '--proxy-cpus', '0.1', ...more],
    ];
    const command = run(['scheduler', ...words], { NODEMESH_NODE: process.execPath });
    await eventually('it listens', async () => (await send(`${url}/v1/health`)).status === 200, 20_000);
    const stop = async (): Promise<void> => {
      command.child.kill('SIGCONT');
      command.child.kill('SIGTERM');
      await command.ended;
      way.server.close();
    };
    const { firstSpokeAt, lastSpokeAt } = way;
    const scheduler = { url, command, firstSpokeAt, lastSpokeAt, stop };
    started.push(scheduler);
    return scheduler;
  }

  async function leads(scheduler: Scheduler): Promise<boolean> {
    const answer = await send(`${scheduler.url}/v1/nodes`);
    if (answer.status !== 200) return false;
    const nodes = JSON.parse(answer.body) as NodeRow[];
    return nodes.length === 3 && nodes.every((node) => node.state === 'healthy');
  }

  async function identity(scheduler: Scheduler) {
    const nodes = await cluster.nodes(scheduler.url);
    const tasks = nodes.map(({ agentId, taskId }) => [agentId, taskId]).sort();
    return { framework: await cluster.frameworkId(scheduler.url), tasks };
  }

  /** Starts a standby, has something happen to the leader, and waits for the other. */
  async function takeover(what: string, leader: Scheduler, happen: () => void): Promise<Scheduler> {
    const before = await identity(leader);
    const standby = await start(ensemble.address);
    const told = await eventually('the standby knows the leader', async () => {
      const answer = await send(`${standby.url}/v1/nodes`);
      return answer.status === 503 && answer.body.includes(leader.url) ? answer : null;
    });
    expect(told.status).toBe(503);
    await timed(`${what} → the other leads, all healthy`, async () => {
      happen();
      await eventually('the other leads', () => leads(standby), TAKEOVER_MS);
    });
    expect(await identity(standby)).toEqual(before);
    return standby;
  }

  it('the second stands by and leads when the first is killed, stopped, paused, or cut off', async () => {
    const first = await start(ensemble.address);
    await eventually('it leads', () => leads(first), 60_000);

    const second = await takeover('leader killed', first, () => first.command.child.kill('SIGKILL'));
    const third = await takeover('leader stopped', second, () => second.command.child.kill('SIGTERM'));
    expect(await second.command.ended).toBe(0);

    // Paused, with work waiting for it: when it goes on it finds that it leads no more, and does nothing of it.
    const fourth = await takeover('leader paused', third, () => third.command.child.kill('SIGSTOP'));
    const [node] = cluster.ready.nodes;
    const order = fetch(`${third.url}/v1/plans/deploy/restart?phase=nodes&step=${node?.agentId}`, { method: 'POST' });
    // It ends with the answer or without one.
    order.catch(() => undefined);
    const resumedAt = performance.now();
    third.command.child.kill('SIGCONT');
    expect(await third.command.ended).toBe(1);
    expect(third.lastSpokeAt()).toBeLessThan(resumedAt);
    expect(await leads(fourth)).toBe(true);

    // Cut off from ZooKeeper alone, by a link that goes silent: it has ended before the other says a word.
    await fourth.stop();
    const fifth = await start(`127.0.0.1:${link.port}`);
    await eventually('it leads', () => leads(fifth), 60_000);
    const ended = fifth.command.ended.then((code) => ({ code, at: performance.now() }));
    const sixth = await takeover('leader cut off from ZooKeeper', fifth, () => link.freeze());
    const { code, at } = await ended;
    expect(code).toBe(1);
    expect(at).toBeLessThan(sixth.firstSpokeAt());
  }, 300_000);

  it('an uninstall takes everything away, and tells that it is done for as long as it is asked', async () => {
    const last = started.at(-1);
    await last?.stop();
    const uninstaller = await start(ensemble.address, ['--uninstall']);
    await eventually(
      'the plan is complete',
      async () => (await send(`${uninstaller.url}/v1/plans/deploy`)).status === 200,
      60_000,
    );
    const agents = await send(`${cluster.ready.mesos}/api/v1`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ type: 'GET_AGENTS' }),
    });
    expect(agents.body).toContain('total_resources');
    expect(agents.body).not.toContain('DYNAMIC');
    expect((await cluster.processes()).filter((row) => row.role === 'proxy')).toEqual([]);
    expect(await getJson(`${uninstaller.url}/v1/plans`)).toEqual(['deploy']);
    // As an installer asks. A dead framework that subscribed again would be told so within the first second.
    for (let asked = 0; asked < 20; asked += 1) {
      await sleep(100);
      expect((await send(`${uninstaller.url}/v1/plans/deploy`)).status).toBe(200);
    }
    expect(uninstaller.command.child.exitCode).toBeNull();
  }, 120_000);
});

/** A way to the master that notes when something is said on it. */
async function watchedWay(
  master: URL,
): Promise<{ url: string; server: Server; firstSpokeAt(): number; lastSpokeAt(): number }> {
  let first = Number.POSITIVE_INFINITY;
  let last = 0;
  const server = createServer((near) => {
    const far = connect(Number(master.port), master.hostname);
    near.on('data', (chunk) => {
      last = performance.now();
      first = Math.min(first, last);
      far.write(chunk);
    });
    far.on('data', (chunk) => near.write(chunk));
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      socket.on('error', () => socket.destroy());
      socket.on('close', () => other.destroy());
    }
  });
  await new Promise<void>((resolve) => server.listen(0, HOST, resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a TCP server without a port');
  return { url: `http://${HOST}:${address.port}`, server, firstSpokeAt: () => first, lastSpokeAt: () => last };
}
