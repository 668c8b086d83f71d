/** The scheduler event streams, case by case, in virtual time: each test does what the recording's client did. */
import { describe, expect, it } from 'vitest';
import type { AgentId, EventWire, OfferWire } from '../../../framework/mesos-http-client/messages.ts';
import type { OperatorEventWire } from '../../../local-cluster/master/operator-stream.ts';
import { haveRecordings, type RecordedEvent, recordedStream } from './recordings.ts';
import { type OurStream, Replay } from './replay.ts';
import { shapeOf } from './shape.ts';

const title = haveRecordings ? 'as recorded' : 'as recorded (not run: no ../shared)';

function only(replay: Replay): OurStream {
  const [stream] = replay.streams;
  if (stream === undefined) throw new Error('a stream was expected');
  return stream;
}

/** Of each kind as many, in the same shape, and the agent's return told after its tasks. */
function expectSameOperatorEvents(events: readonly OperatorEventWire[], recorded: readonly RecordedEvent[]): void {
  const read = JSON.parse(JSON.stringify(events)) as OperatorEventWire[];
  const theirs = recorded.map(({ event }) => event as unknown as OperatorEventWire);
  const kinds = (list: readonly OperatorEventWire[]): string[] => list.map((event) => event.type).sort();
  expect(kinds(read)).toEqual(kinds(theirs));
  for (const type of ['FRAMEWORK_ADDED', 'TASK_UPDATED', 'AGENT_ADDED']) {
    const of = (list: readonly OperatorEventWire[]): string[] =>
      // A real agent that returns does not say that it checkpoints.
      shapeOf(list.filter((event) => event.type === type)).filter((path) => !path.includes('checkpoint'));
    expect({ type, shape: of(read) }).toEqual({ type, shape: of(theirs) });
  }
  const after = (list: readonly OperatorEventWire[]): string[] =>
    list.slice(list.findIndex((event) => event.type === 'AGENT_ADDED') - 2).map((event) => event.type);
  const withoutBeats = (types: readonly string[]): string[] => types.filter((type) => type !== 'HEARTBEAT');
  expect(withoutBeats(after(read))).toEqual(withoutBeats(after(theirs)));
}

describe.runIf(haveRecordings)(title, () => {
  it('subscribe', async () => {
    const replay = new Replay('subscribe');
    const stream = await replay.subscribe('subscribe');
    await replay.until(30_010);
    expect(await replay.send('teardown')).toBeNull();
    replay.expectSame(stream);
    expect(stream.events.filter(({ event }) => event.type === 'HEARTBEAT').map(({ t_ms }) => t_ms)).toEqual([
      0, 15_000, 30_000,
    ]);
    expect(stream.closed).toBe(true);
  });

  it('launch_ack_reconcile_kill', async () => {
    const replay = new Replay('launch_ack_reconcile_kill');
    const stream = await replay.subscribe('subscribe');
    await replay.send('accept');
    await replay.until(1245);
    await replay.send('reconcile-explicit');
    await replay.until(2255);
    await replay.send('reconcile-implicit');
    await replay.until(3300);
    await replay.send('kill');
    await replay.until(3334);
    for (const kill of ['kill-again', 'kill-unknown-no-agent', 'kill-unknown-with-agent']) await replay.send(kill);
    await replay.until(4345);
    await replay.send('reconcile-after-terminal');
    replay.expectSame(stream);
  });

  it('task_error', async () => {
    const replay = new Replay('task_error', { phaseMs: 610 });
    const stream = await replay.subscribe('subscribe');
    const steps: [ms: number, exchange: string][] = [
      [5, 'accept-too-big'],
      [1391, 'accept-no-resources'],
      [3393, 'accept-wrong-agent'],
      [5405, 'accept-zero-cpus'],
      [15_380, 'accept-command-and-executor'],
      [16_411, 'accept-no-command'],
      [18_413, 'accept-slash-in-task-id'],
      [20_415, 'accept-other-role'],
      [22_420, 'accept-port-not-offered'],
      [24_430, 'accept-duplicate-task-id'],
      [24_435, 'accept-used-offer'],
      [24_436, 'accept-unknown-offer'],
    ];
    for (const [ms, exchange] of steps) {
      await replay.until(ms);
      expect(await replay.send(exchange)).toBeNull();
    }
    await replay.until(27_500);
    replay.expectSame(stream);
  });

  it('partition_aware_invalid_offer', async () => {
    const replay = new Replay('partition_aware_invalid_offer');
    const stream = await replay.subscribe('subscribe');
    await replay.send('accept-unknown-offer');
    await replay.send('reconcile');
    replay.expectSame(stream);
  });

  it('decline_suppress_revive', async () => {
    const replay = new Replay('decline_suppress_revive');
    const stream = await replay.subscribe('subscribe');
    const steps: [ms: number, exchange: string][] = [
      [10, 'decline'],
      [4300, 'decline-1000s'],
      [8310, 'revive'],
      [8320, 'suppress'],
      [10_320, 'decline-no-filters'],
      [17_330, 'revive-roles'],
    ];
    for (const [ms, exchange] of steps) {
      await replay.until(ms);
      expect(await replay.send(exchange)).toBeNull();
    }
    await replay.until(18_000);
    replay.expectSame(stream);
    // Four rounds of offers, at the same times but for the phase of the allocator's clock.
    const times = (events: readonly { t_ms: number; event: { type: string } }[]): number[] =>
      events.filter(({ event }) => event.type === 'OFFERS').map(({ t_ms }) => t_ms);
    const ours = times(stream.events);
    const theirs = times(stream.recorded);
    expect(ours).toHaveLength(theirs.length);
    for (const [index, t] of theirs.entries()) expect(Math.abs((ours[index] ?? 0) - t)).toBeLessThanOrEqual(1000);
  });

  it('unacknowledged', async () => {
    const replay = new Replay('unacknowledged', { acknowledging: false, eager: true });
    const stream = await replay.subscribe('subscribe');
    await replay.send('accept');
    await replay.until(37_000);
    const updates = (): number => stream.events.filter(({ event }) => event.type === 'UPDATE').length;
    // A wrong uuid first, then the right one twice: the agent sends here the uuids that it sent then.
    expect(await replay.send('03-acknowledge')).toBeNull();
    expect(updates()).toBe(3);
    await replay.send('04-acknowledge');
    expect(updates()).toBe(4);
    await replay.send('05-acknowledge');
    expect(updates()).toBe(4);
    await replay.until(38_500);
    await replay.send('06-acknowledge');
    await replay.send('07-acknowledge');
    await replay.until(39_000);
    replay.expectSame(stream);
  });

  it('framework_failover', async () => {
    const replay = new Replay('framework_failover');
    const first = await replay.subscribe('subscribe-1');
    await replay.send('accept');
    await replay.until(910);
    const second = await replay.subscribe('subscribe-2-same-id');
    expect(await replay.send('old-stream-id-after-failover', first)).toMatchObject({
      status: 400,
      message: expect.stringMatching(/^The stream ID '.*' included in this request didn't match/),
    });
    await replay.until(2930);
    await replay.send('reconcile-new');
    replay.expectSame(first);
    expect(first.closed).toBe(true);
    replay.expectSame(second);
    await replay.until(3930);
    second.connection.close();
    await replay.until(5930);
    const third = await replay.subscribe('subscribe-3-same-id');
    await replay.until(6940);
    await replay.send('reconcile-3');
    await replay.send('teardown');
    replay.expectSame(third);
    expect(third.closed).toBe(true);
    for (const exchange of ['subscribe-4-removed-id', 'subscribe-5-unknown-id']) {
      const stream = await replay.subscribe(exchange);
      replay.expectSame(stream);
      expect(stream.closed).toBe(exchange === 'subscribe-4-removed-id');
      stream.connection.close();
    }
    const sixth = await replay.subscribe('subscribe-6-short-timeout');
    await replay.send('accept-6');
    await replay.clock.advance(1500);
    replay.expectSame(sixth, { heartbeats: false });
    sixth.connection.close();
    await replay.clock.advance(2000);
    const seventh = await replay.subscribe('subscribe-7-after-failover-timeout');
    replay.expectSame(seventh);
    expect(seventh.closed).toBe(true);
  });

  it('agent_lost_and_back', async () => {
    const replay = new Replay('agent_lost_and_back', { agentPingTimeoutMs: 3780 });
    const operator: OperatorEventWire[] = [];
    replay.master.operatorSubscribe({ event: (event) => operator.push(event), closed: () => {} });
    const plain = await replay.subscribe('subscribe-plain');
    await replay.send('accept-plain');
    await replay.until(225);
    const pa = await replay.subscribe('subscribe-partition-aware');
    await replay.until(1100);
    await replay.send('accept-pa');
    await replay.until(1110);
    const nocp = await replay.subscribe('subscribe-no-checkpoint');
    await replay.until(2200);
    await replay.send('accept-nocp');
    await replay.until(7600);
    const agent = replay.agent('127.0.0.2');
    agent.cut();
    await replay.until(9100);
    await replay.send('reconcile-pa-while-disconnected');
    await replay.until(17_100);
    await replay.send('reconcile-pa-while-unreachable');
    await replay.send('reconcile-plain-while-unreachable');
    await replay.until(18_100);
    await replay.send('kill-pa-while-unreachable');
    await replay.until(21_700);
    // Executors without checkpoint do not outlive the agent's process.
    agent.tasks.delete('nocp-1' as never);
    agent.join(replay.master);
    await replay.until(29_820);
    for (const ask of ['reconcile-plain-after', 'reconcile-pa-after', 'reconcile-nocp-after']) await replay.send(ask);
    await replay.until(31_300);
    replay.expectSame(plain, { rescinds: false });
    replay.expectSame(pa, { rescinds: false });
    replay.expectSame(nocp, { rescinds: false });
    for (const stream of [plain, pa, nocp]) stream.connection.call({ type: 'TEARDOWN' });
    await replay.clock.advance(0);
    expectSameOperatorEvents(operator, recordedStream('agent_lost_and_back', 'operator-subscribe'));
  });

  it('agent_restart_quick', async () => {
    const replay = new Replay('agent_restart_quick', { agentPingTimeoutMs: 75_000 });
    const stream = await replay.subscribe('subscribe');
    await replay.send('accept');
    await replay.until(6200);
    replay.agent('127.0.0.2').cut();
    await replay.until(11_110);
    replay.agent('127.0.0.2').join(replay.master);
    await replay.until(21_110);
    await replay.send('reconcile');
    await replay.until(22_150);
    await replay.send('kill');
    await replay.until(22_500);
    replay.expectSame(stream);
  });

  it.each(['agent_hangs_a', 'agent_hangs_b'])('%s', async (name) => {
    const replay = new Replay(name, { agentPingTimeoutMs: 2740 });
    const agent = replay.agent('127.0.0.2');
    const report = agent.onRun;
    const plain = await replay.subscribe('subscribe-plain');
    await replay.send('accept-before');
    await replay.until(280);
    // The agent hangs: what it is told lies in its socket.
    agent.onRun = () => {};
    const pa = await replay.subscribe('subscribe-pa');
    await replay.until(1300);
    await replay.send('accept-to-hanging-agent');
    await replay.send('kill-on-hanging-agent');
    await replay.until(1600);
    await replay.send('reconcile-on-hanging-agent');
    await replay.until(1700);
    // Nobody is pinged here: the cut link stands for the pings that are not answered.
    agent.cut();
    await replay.until(9850);
    // Awake: the kill is carried out; the launch ran in one recording and was lost in the other.
    const before = [...agent.tasks.values()].find(({ task }) => task.name === 'before');
    const killed = plain.recorded.map(({ event }) => event).findLast((event) => event.type === 'UPDATE');
    if (before !== undefined && killed?.type === 'UPDATE') {
      const status = killed.update.status as typeof before.latest;
      before.latest = { ...status, agent_id: { value: agent.id as AgentId } };
      before.queue.push(before.latest);
    }
    const late = agent.tasks.get('into-the-void' as never);
    if (name === 'agent_hangs_a') agent.tasks.delete('into-the-void' as never);
    else if (late !== undefined) {
      report(late.task);
      await replay.until(10_330);
    }
    agent.join(replay.master);
    await replay.until(22_500);
    await replay.send('reconcile-f');
    await replay.send('reconcile-g');
    replay.expectSame(plain, { collapseResent: true, heartbeats: false, rescinds: false });
    replay.expectSame(pa, { collapseResent: true, heartbeats: false, rescinds: false });
  });

  it('agent_graceful_shutdown', async () => {
    const replay = new Replay('agent_graceful_shutdown');
    const pa = await replay.subscribe('subscribe-pa');
    await replay.send('accept-pa');
    await replay.until(210);
    const plain = await replay.subscribe('subscribe-plain');
    await replay.until(1300);
    await replay.send('accept-plain');
    await replay.until(6400);
    replay.master.unregister(replay.agent('127.0.0.2').id as AgentId);
    await replay.until(11_590);
    await replay.send('reconcile');
    // Which of two frameworks is offered the leftover, and so has it rescinded, is chance.
    replay.expectSame(pa, { rescinds: false });
    replay.expectSame(plain, { rescinds: false });
  });

  it('master_failover', async () => {
    const replay = new Replay('master_failover');
    const first = await replay.subscribe('subscribe-1');
    await replay.send('accept');
    await replay.until(3230);
    replay.failOver();
    await replay.until(12_000);
    expect(first.closed).toBe(true);
    replay.expectSame(first);
    const task = replay.agents.find((agent) => agent.tasks.size > 0);
    task?.join(replay.master);
    expect(replay.master.getAgents().recovered_agents).toHaveLength(1);
    const second = await replay.subscribe('subscribe-2-new-leader');
    await replay.send('reconcile-at-once-explicit');
    await replay.clock.advance(500);
    await replay.send('reconcile-at-once-implicit');
    await replay.clock.advance(300);
    replay.agents.find((agent) => agent !== task)?.join(replay.master);
    await replay.clock.advance(14_700);
    await replay.send('reconcile-later');
    expect(await replay.send('kill')).toBeNull();
    if (task !== undefined) await replay.report(task, 'subscribe-2-new-leader', 'mf-1');
    replay.expectSame(second);
  });

  it('master_restart_agent_missing', async () => {
    const replay = new Replay('master_restart_agent_missing');
    const first = await replay.subscribe('subscribe-1');
    await replay.send('accept-agent2');
    await replay.send('accept-agent1');
    await replay.until(960);
    replay.failOver();
    await replay.clock.advance(0);
    expect(first.closed).toBe(true);
    replay.expectSame(first);
    const second = await replay.subscribe('subscribe-2');
    const start = replay.clock.now();
    const at = (ms: number): Promise<void> => replay.clock.advance(start + ms - replay.clock.now());
    await replay.send('reconcile-at-once');
    await at(640);
    replay.agent('127.0.0.1').join(replay.master);
    await at(6020);
    await replay.send('reconcile-after-6s');
    await at(7030);
    await replay.send('reconcile-implicit-after-7s');
    await at(8050);
    replay.agent('127.0.0.2').join(replay.master);
    await at(16_040);
    await replay.send('reconcile-all-back');
    replay.expectSame(second);
  });

  it('reserve_create_volume', async () => {
    const replay = new Replay('reserve_create_volume', { phaseMs: 74 });
    const stream = await replay.subscribe('subscribe');
    await replay.send('reserve');
    await replay.until(1050);
    await replay.send('create-and-launch');
    await replay.until(4184);
    expect(await replay.send('reconcile-operations')).toBeNull();
    await replay.until(5190);
    await replay.send('destroy-unreserve');
    await replay.until(6100);
    replay.expectSame(stream);
    const summary = (events: readonly { event: EventWire }[]): string[] =>
      events.map(({ event }) => event.type).filter((type) => type !== 'UPDATE' && type !== 'HEARTBEAT');
    expect(summary(stream.events)).toEqual(summary(stream.recorded));
    const amounts = (events: readonly { event: EventWire }[]): unknown[] =>
      events.flatMap(({ event }) => (event.type === 'OFFERS' ? [event.offers.offers?.map(amountsOf)] : [])).slice(1);
    expect(amounts(stream.events)).toEqual(amounts(stream.recorded));
  });
});

function amountsOf(offer: OfferWire): string[] {
  const lines = (offer.resources ?? []).map(
    ({ name, scalar, role, disk }) => `${name} ${scalar?.value} of ${role} ${JSON.stringify(disk ?? null)}`,
  );
  return lines.sort();
}

/** Where all is said by executors: the master passes it on, and keeps its books. */
describe.runIf(haveRecordings)('passed on as recorded', () => {
  const cases: [name: string, end: number, steps: [ms: number, exchange: string][]][] = [
    ['exits_finished_failed', 1500, [[5, 'accept']]],
    ['executor_killed', 1700, [[5, 'accept']]],
    [
      'kill_grace',
      15_100,
      [
        [5, 'accept'],
        [1570, 'kill-graceful'],
        [1570, 'kill-stubborn'],
        [1575, 'kill-override'],
      ],
    ],
    [
      'kill_grace_http_command_executor',
      3100,
      [
        [5, 'accept'],
        [1290, 'kill-override'],
      ],
    ],
    [
      'health_checks',
      10_300,
      [
        [5, 'accept'],
        [9090, 'reconcile-implicit'],
      ],
    ],
  ];
  it.each(cases)('%s', async (name, end, steps) => {
    const replay = new Replay(name, name.endsWith('_http_command_executor') ? { hosts: ['127.0.0.1'] } : {});
    await replay.subscribe('subscribe');
    for (const [ms, exchange] of steps) {
      await replay.until(ms);
      expect(await replay.send(exchange)).toBeNull();
    }
    await replay.until(end);
    replay.expectSame(only(replay));
  });
});
