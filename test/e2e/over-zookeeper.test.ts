/**
 * Schedulers over a ZooKeeper of three servers, as operators run them. First one alone while ZooKeeper fails in every way;
 * then two, one of which stands by while something happens to the one that leads. No proxy is restarted for that, nothing
 * that was written is lost, and a leader of before is heard by nobody.
 *
 * Two variables make it the long form: NODEMESH_PAUSE_SECONDS (how long a leader is paused at least) and
 * NODEMESH_ZOOKEEPER_TICK_MS (2000, ZooKeeper's default, makes sessions last the ten seconds that we ask for; here four).
 * NODEMESH_ROUNDS repeats the takeovers, for medians.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { announceProof } from '../../agent-proxy/control/enrolment.ts';
import { eventually } from '../fixtures/eventually.ts';
import { getJson, send, sendJson } from '../fixtures/http.ts';
import { Cluster, type NodeDocument } from '../fixtures/local-cluster.ts';
import { timed } from '../fixtures/measure.ts';
import { controlFigures, keyHashes, type MeshFacts, meshFacts } from '../fixtures/mesh-facts.ts';
import { SteadyDtabs, steadyNamespace } from '../fixtures/steady-dtabs.ts';
import { SteadyWrites } from '../fixtures/steady-writes.ts';
import { type WatchedOptions, WatchedScheduler } from '../fixtures/watched-scheduler.ts';
import { type Ensemble, startEnsemble } from '../fixtures/zookeeper.ts';

const NET = 61;
const HOST = `127.0.${NET}.254`;
/** The limit is 15 s; tests may allow three times as much. */
const TAKEOVER_MS = 45_000;
const HEALED_MS = 60_000;
const PAUSE_MS = Number(process.env['NODEMESH_PAUSE_SECONDS'] ?? 0) * 1000;
const TICK_MS = Number(process.env['NODEMESH_ZOOKEEPER_TICK_MS'] ?? 200);
const ROUNDS = Number(process.env['NODEMESH_ROUNDS'] ?? 1);

let ensemble: Ensemble;
let cluster: Cluster;
let nodes: NodeDocument[];
/** The one that leads, or is about to. */
let leader: WatchedScheduler;
const started: WatchedScheduler[] = [];

beforeAll(async () => {
  [ensemble, cluster] = await Promise.all([
    startEnsemble(3, TICK_MS),
    Cluster.start(NET, ['--no-scheduler', '--no-demo', '--agents', '1', '--public-agents', '1']),
  ]);
  nodes = [...cluster.ready.nodes];
  leader = await start({ kept: true });
  await allLed(leader);
}, 120_000);
afterAll(async () => {
  await Promise.all(started.map((scheduler) => scheduler.stop()));
  await Promise.all([cluster.stop(), ensemble.stop()]);
}, 90_000);

async function start(options: Pick<WatchedOptions, 'more' | 'kept'> = {}): Promise<WatchedScheduler> {
  const scheduler = await WatchedScheduler.start({ cluster, ensemble, host: HOST, ...options });
  started.push(scheduler);
  return scheduler;
}

const facts = (scheduler: WatchedScheduler): Promise<MeshFacts> => meshFacts(cluster, ensemble, scheduler);

function allLed(scheduler: WatchedScheduler, withinMs = HEALED_MS): Promise<unknown> {
  return eventually('it leads, and all nodes are healthy', () => scheduler.leads(nodes.length), withinMs);
}

/** So that something has to be written about it. */
async function killProxy(node: NodeDocument | undefined): Promise<string> {
  const { pid, agentId } = await cluster.proxy(node?.agentId ?? '');
  process.kill(pid, 'SIGKILL');
  return agentId ?? '';
}

describe('a scheduler over three servers of ZooKeeper', () => {
  async function joinNode(): Promise<string> {
    const answer = await sendJson('POST', `${cluster.ready.mesos}/local/agents`, {});
    expect(answer.status).toBe(201);
    const node = JSON.parse(answer.body) as NodeDocument;
    nodes.push(node);
    return node.agentId;
  }

  /**
   * While `fault` happens to ZooKeeper, `deed` happens on a node, and must be written down, and dealt with; every other
   * proxy runs on. A namespace of dtabs is written all the time: each write is there, or was refused. `writing`: orders come in
   * meanwhile, which must be written too.
   */
  async function through(what: string, writing: boolean, fault: () => Promise<void>, deed: () => Promise<string>) {
    const before = await facts(leader);
    const writes = writing ? new SteadyWrites(leader.url) : null;
    const { number, version } = await steadyNamespace(leader.url);
    const dtabs = new SteadyDtabs(leader.url, number);
    const { value: agentId } = await timed(`${what} → written on, and the node that needed it healthy`, async () => {
      const [, concerned] = await Promise.all([fault(), deed()]);
      const from = writes?.acknowledged ?? 0;
      if (writes !== null) await eventually('orders are written', () => writes.acknowledged > from + 5, HEALED_MS);
      await eventually(
        'it has a new proxy',
        async () => {
          const row = await cluster.node(concerned, leader.url);
          return row?.state === 'healthy' && row.taskId !== before.tasks[concerned];
        },
        HEALED_MS,
      );
      return concerned;
    });
    const frozen = (await writes?.stop()) ?? before.frozen;
    await allLed(leader);
    const told = dtabs.acknowledged;
    await eventually('a dtab is written again', () => dtabs.acknowledged > told, HEALED_MS);
    await dtabs.stop();
    const now = await steadyNamespace(leader.url);
    expect(now.number).toBe(dtabs.acknowledged);
    // What was answered is counted: of a write that was lost there would be none.
    expect(now.version).toBeGreaterThanOrEqual(version + dtabs.taken);
    expect(dtabs.odd).toEqual([]);
    const after = await facts(leader);
    expect([after.framework, after.frozen]).toEqual([before.framework, frozen]);
    const others = (processes: MeshFacts['processes']) => processes.filter((row) => row.agentId !== agentId);
    expect(others(after.processes)).toEqual(others(before.processes));
  }

  async function moveTo(at: number): Promise<void> {
    await eventually('it has gone to that server', async () => {
      const now = await leader.server();
      if (now === at) return true;
      leader.ways.zookeeper[now]?.cut();
      return false;
    });
  }

  it('is told by the doctor: three servers, one of which leads', async () => {
    const { checks } = await getJson<{ checks: { name: string; findings: { severity: string; what: string }[] }[] }>(
      `${leader.url}/v1/doctor`,
    );
    const modes =
      /^3 of 3 servers are there for the state and the lead: (?=.*\bleader\b)(?:(?:leader|follower)(?:, |$)){3}/;
    expect(checks.find(({ name }) => name === 'zookeeper')?.findings).toMatchObject([
      { severity: 'ok', what: expect.stringMatching(modes) },
    ]);
  });

  it('goes on with the same id, tasks and records, whatever happens to them', async () => {
    const follower = await ensemble.follower();
    await moveTo(ensemble.servers.indexOf(follower));
    await through(
      'its server, a follower, killed',
      true,
      () => follower.kill(),
      () => killProxy(nodes[0]),
    );
    follower.start();
    await follower.answering();

    const leading = await ensemble.leader();
    await moveTo(ensemble.servers.indexOf(leading));
    await through('its server, the leader, killed', true, () => leading.kill(), joinNode);
    leading.start();
    await leading.answering();

    const link = leader.ways.zookeeper[await leader.server()];
    await through(
      'its link half-open',
      true,
      async () => link?.freeze(),
      () => killProxy(nodes[1]),
    );
    link?.mend();
    link?.cut();

    // What was written a moment before is there for the one that comes after.
    const writes = new SteadyWrites(leader.url);
    await eventually('orders are written', () => writes.acknowledged > 3);
    await writes.stop();
    const ends = leader.ends.length;
    await through(
      'its session ended by force',
      false,
      async () => {
        await ensemble.expireSession(await leader.session());
        await eventually('it has ended', () => leader.ends.length > ends);
      },
      () => killProxy(nodes[2]),
    );

    await through(
      'all stopped, and started',
      false,
      async () => {
        await Promise.all(ensemble.servers.map((server) => server.stop()));
        for (const server of ensemble.servers) server.start();
        await Promise.all(ensemble.servers.map((server) => server.answering()));
      },
      joinNode,
    );
    expect((await send(`${leader.url}/v1/thaw`, { method: 'POST' })).status).toBeLessThan(300);
    // It ends when it may lead no longer, and for nothing else.
    for (const end of leader.ends) {
      expect(end).toEqual({ how: 1, words: expect.stringContaining('nodemesh: the lead is lost') });
    }
  }, 300_000);
});

describe('of two schedulers', () => {
  /** The one that led before. */
  let replaced: WatchedScheduler;

  /** Every proxy takes its orders from this one. */
  async function heardByAll(scheduler: WatchedScheduler): Promise<void> {
    for (const node of nodes) {
      const { connected, epoch } = await controlFigures(node);
      expect([node.agentId, connected, epoch]).toEqual([node.agentId, 1, scheduler.epoch]);
    }
  }

  async function standby(): Promise<WatchedScheduler> {
    const next = await start();
    await eventually('the standby knows the leader', async () => {
      const answer = await send(`${next.url}/v1/nodes`);
      return answer.status === 503 && answer.body.includes(leader.ways.control.url);
    });
    return next;
  }

  interface Replaced {
    readonly old: WatchedScheduler;
    readonly happenedAt: number;
    /** When its session could end at the earliest, by what ZooKeeper can have heard of it. All by `performance.now()`. */
    readonly sessionEndAt: number;
  }

  type Happening = (old: WatchedScheduler, next: WatchedScheduler) => unknown;

  /** Starts a standby, has something happen to the leader, and waits until the other leads and `taken` comes true. */
  async function takeover(what: string, happen: Happening, taken?: () => boolean): Promise<Replaced> {
    const old = leader;
    old.kept = false;
    const before = await facts(old);
    const epoch = old.epoch;
    const { timeoutMs } = await old.session();
    leader = await standby();
    const happenedAt = performance.now();
    await timed(`${what} → the other leads`, async () => {
      await happen(old, leader);
      await eventually('all is well', () => taken?.() ?? leader.leads(nodes.length), TAKEOVER_MS, 25);
    });
    if (taken === undefined) {
      expect(await facts(leader)).toEqual(before);
      await heardByAll(leader);
    }
    expect(leader.epoch).toBe(epoch + 1);
    replaced = old;
    return { old, happenedAt, sessionEndAt: old.heardByZooKeeperAt() + timeoutMs };
  }

  /** A paused leader goes on, with an order that waits for it: nobody hears a word of it, and it ends. */
  async function resumeInVain({ old, happenedAt, sessionEndAt }: Replaced): Promise<void> {
    const order = `/v1/plans/deploy/restart?phase=nodes&step=${nodes[1]?.agentId}`;
    // Whether it is answered does not matter.
    fetch(`${old.url}${order}`, { method: 'POST' }).catch(() => undefined);
    await sleep(Math.max(0, happenedAt + PAUSE_MS - performance.now()));
    const resumedAt = performance.now();
    expect(resumedAt).toBeGreaterThan(sessionEndAt);
    old.kill('SIGCONT');
    expect(await old.command.ended).toBe(1);
    expect(old.ways.master.lastSentAt).toBeLessThan(resumedAt);
    expect(old.ways.control.lastFrameAt).toBeLessThan(resumedAt);
  }

  /** An agent that can never be served is offered every few seconds, so there is always something to say to Mesos. */
  beforeAll(async () => {
    const answer = await sendJson('POST', `${cluster.ready.mesos}/local/agents`, { ports: '31000-31999' });
    expect(answer.status).toBe(201);
    const { agentId } = JSON.parse(answer.body) as NodeDocument;
    await eventually('it is known', async () => (await cluster.node(agentId, leader.url))?.state === 'pending');
  });

  const rounds = Array.from({ length: ROUNDS }, (_, index) => index + 1);
  it.each(rounds)(
    'the other takes over when the one that leads is killed, stopped, paused or cut off (%i)',
    async () => {
      await takeover('leader killed', (old) => old.kill('SIGKILL'));

      const stopped = await takeover('leader stopped', (old) => old.kill('SIGTERM'));
      expect(await stopped.old.command.ended).toBe(0);

      await resumeInVain(await takeover('leader paused', (old) => old.kill('SIGSTOP')));
      await heardByAll(leader);

      // From ZooKeeper alone, by links that go silent: it has ended before the other says a word.
      let ended: Promise<{ code: number | string; at: number }> | null = null;
      const cut = await takeover('leader cut off from ZooKeeper', (old) => {
        for (const link of old.ways.zookeeper) link.freeze();
        ended = old.command.ended.then((code) => ({ code, at: performance.now() }));
      });
      expect(await ended).toEqual({ code: 1, at: expect.any(Number) });
      const { at } = (await ended) ?? { at: Number.POSITIVE_INFINITY };
      expect(at).toBeLessThan(Math.min(leader.ways.master.firstSentAt, cut.sessionEndAt));
    },
    300_000,
  );

  it('a paused leader is stopped by its lease alone, where its stream at the master still stands', async () => {
    const before = await facts(leader);
    const paused = await takeover(
      'leader paused, the other kept from the master',
      (old, next) => {
        // So the master does not close the stream of the one before.
        next.ways.master.freeze();
        old.kill('SIGSTOP');
      },
      () => leader.ways.control.streams === nodes.length,
    );
    const { master } = paused.old.ways;
    await eventually('an offer waits for it, to be declined', () => master.lastAnsweredAt > paused.happenedAt, 20_000);
    expect(master.open).toBeGreaterThan(0);
    await resumeInVain(paused);

    leader.ways.master.mend();
    leader.ways.master.cut();
    await allLed(leader);
    expect(await facts(leader)).toEqual(before);
    await heardByAll(leader);
  }, 200_000);

  it('what an earlier leader has said is refused by every proxy that has heard a later one', async () => {
    const before = await facts(leader);
    const stale = await Promise.all(nodes.map(async (node) => (await controlFigures(node)).stale));
    const epoch = leader.epoch;
    const late = replaced.ways.control.frames;
    // A table: whole, or from where the one of the leader before it stood.
    expect(late.some(({ type }) => type === 'snapshot-end' || type === 'resume')).toBe(true);
    expect(replaced.epoch).toBeLessThan(epoch);

    // Its frames, in the midst of those of the leader: the stream is given up at the first, and nothing of them is done.
    leader.ways.control.inject(late);
    await eventually('each has refused one', async () => {
      const now = await Promise.all(nodes.map(async (node) => (await controlFigures(node)).stale));
      return now.every((count, at) => count === (stale[at] ?? 0) + 1);
    });
    // And its word that it leads. Of who is no scheduler of theirs they do not even look at it.
    const hashes = await keyHashes(ensemble);
    for (const node of nodes) {
      const body = JSON.stringify({ epoch: replaced.epoch, schedulers: [replaced.ways.control.url] });
      const proof = announceProof(hashes.get(node.agentId) ?? '', body);
      for (const [headers, status] of [
        [{ Authorization: proof }, 409],
        [{}, 401],
      ] as const) {
        const sent = await send(`${node.admin}/control/v1/announce`, { method: 'POST', body, headers });
        expect(sent.status).toBe(status);
      }
    }
    await eventually('all take their orders from the leader again', () => heardByAll(leader).then(() => true));
    await allLed(leader);
    expect(await facts(leader)).toEqual(before);
    expect(leader.epoch).toBe(epoch);
    const now = await Promise.all(nodes.map(async (node) => (await controlFigures(node)).stale));
    expect(now).toEqual(stale.map((count) => count + 2));
  }, 60_000);

  it('an uninstall takes everything away, and tells that it is done for as long as it is asked', async () => {
    await leader.stop();
    const uninstaller = await start({ more: ['--uninstall'] });
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
