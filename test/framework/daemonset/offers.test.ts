import { describe, expect, test } from 'vitest';
import { agentId } from '../../../framework/mesos-http-client/messages.ts';
import { launchesOf, Story, template } from '../story.ts';

function subscribed(): Story {
  const story = new Story();
  story.send.subscribed();
  story.forgetCalls();
  return story;
}

describe('an offer', () => {
  test('O1: of an agent without a task is used for one, written down before it is sent', () => {
    const story = subscribed();
    story.send.offer('a');
    const [task] = story.expects.launched('a');
    expect(story.disk.get('a')?.taskId).toBe(task);
    story.expects.node('a', 'launching');
  });

  test('puts the write before the call', () => {
    const story = subscribed();
    const actions = story.event({ type: 'offers', offers: [story.offer('a', {})] }).map((action) => action.type);
    expect(actions.indexOf('persist')).toBeGreaterThanOrEqual(0);
    expect(actions.indexOf('persist')).toBeLessThan(actions.indexOf('call'));
  });

  test('O21: of an agent whose task is not answered for yet is declined for 10 s, others that are known are used at once', () => {
    const story = new Story();
    story.send.subscribed();
    const task = story.served('a');
    story.send.update(story.served('b'), 'TASK_FAILED');
    story.restart();
    story.send.subscribed();
    story.send.offer('a');
    story.send.offer('b');
    story.expects.declined(10);
    story.expects.launched('b');
    story.send.reconciled(task, 'TASK_GONE');
    story.send.offer('a');
    story.expects.launched('a');
  });

  test('of an agent that nobody knew is declined while the master may still tell of a task there, after a start', () => {
    const story = new Story();
    story.send.subscribed();
    story.restart();
    story.send.subscribed();
    story.send.offer('a');
    story.expects.declined(2);
    story.expects.nothingLaunched();
    expect(story.node('a')?.reason).toBe(
      'Finding out whether a task of an earlier time still runs here. Next attempt in 2 s.',
    );
    story.after(2_000);
    story.send.offer('a');
    story.expects.launched('a');
  });

  test('O5: of an agent that has its task is declined for an hour', () => {
    const story = subscribed();
    story.served('a');
    story.send.offer('a');
    story.expects.nothingLaunched();
    story.expects.declined(3600);
  });

  test('that comes twice in one event is used once, with both offers in one ACCEPT', () => {
    const story = subscribed();
    const offers = story.send.offer('a', { cpus: 0.06 }, { cpus: 0.04, ports: [] });
    const accepts = story.takeCalls('ACCEPT');
    expect(accepts).toHaveLength(1);
    expect(accepts[0]?.accept.offer_ids.map((id) => id.value)).toEqual(offers.map((offer) => offer.id.value));
  });

  test('O3: of another role of the same agent is declined when the first one is used', () => {
    const story = subscribed();
    story.send.offer('a', { role: 'nodemesh' }, { role: 'slave_public/nodemesh', reservedTo: 'slave_public' });
    story.expects.launched('a');
    story.expects.declined(3600);
  });

  test('that lacks something is declined for a short while, and the node says what and how much', () => {
    const story = subscribed();
    story.send.offer('a', { cpus: 0.05, ports: [[4140, 4140]] });
    story.expects.nothingLaunched();
    story.expects.declined(5);
    story.expects.node(
      'a',
      'pending',
      /0\.05 cpus missing \(0\.1 needed, 0\.05 offered\); port 4141 is not offered \(offered are 4140; use --ports/,
    );
  });

  test('of a node that backs off is declined until the next attempt is due', () => {
    const story = subscribed();
    for (const _ of [1, 2]) {
      story.send.offer('a');
      const [task] = story.expects.launched('a');
      story.send.update(task ?? '', 'TASK_FAILED', { message: 'exit 1' });
    }
    story.send.offer('a');
    story.expects.nothingLaunched();
    story.expects.declined(1);
    story.expects.node('a', 'pending', /failed \(exit 1\)\. Next attempt in 1 s/);
  });

  test('of a public agent is used, with what an operator reserved to the public role as the base of our reservation', () => {
    const story = subscribed();
    story.send.offer('a', { role: 'slave_public/nodemesh', reservedTo: 'slave_public' });
    const [accept] = story.takeCalls('ACCEPT');
    const [task] = accept === undefined ? [] : launchesOf(accept);
    expect(task?.resources.map(({ name, reservations }) => [name, reservations?.map(({ role }) => role)])).toEqual(
      ['cpus', 'mem', 'ports'].map((name) => [name, ['slave_public', 'slave_public/nodemesh']]),
    );
    expect(task?.resources.map((resource) => resource.allocation_info)).toEqual(
      Array.from({ length: 3 }, () => ({ role: 'slave_public/nodemesh' })),
    );
    expect(story.node('a')?.isPublic).toBe(true);
  });

  test('of an agent in maintenance is declined, with the reason', () => {
    const story = subscribed();
    story.send.offer('a', { unavailableFrom: story.now - 1_000 });
    story.expects.nothingLaunched();
    story.expects.node('a', 'draining', /In maintenance since/);
    story.send.offer('b', { unavailableFrom: story.now + 60_000 });
    story.expects.launched('b');
  });

  test('is declined when the task cannot be described, and the others are not taken down by it', () => {
    const story = subscribed();
    story.template = (agent) => {
      if (agent === 'a') throw new Error('no artifact yet');
      return template;
    };
    story.event({ type: 'offers', offers: [story.offer('a', {}), story.offer('b', {})] });
    story.expects.launched('b');
    story.expects.declined(5);
    story.expects.node('a', 'pending', /no artifact yet/);
  });

  test('O20: one of five thousand in one event: all are answered at once, declines in a few calls', () => {
    const story = subscribed();
    const names = Array.from({ length: 5_000 }, (_, index) => `a${index}`);
    for (const name of names) story.send.offer(name);
    expect(story.takeCalls('ACCEPT')).toHaveLength(20);
    story.forgetCalls();
    story.event({ type: 'offers', offers: names.map((name) => story.offer(name, {})) });
    const calls = story.takeCalls('DECLINE');
    expect(calls.flatMap((call) => call.decline.offer_ids)).toHaveLength(5_000);
    // One filter for the twenty that have a task, and one for each second in which it is somebody's turn.
    const seconds = calls.map((call) => call.decline.filters?.refuse_seconds ?? 0).filter((one) => one < 3_600);
    expect(new Set(seconds).size).toBe(seconds.length);
    // Twenty at a time, three seconds each until more is known, with a tenth of slack.
    expect(Math.max(...seconds)).toBeLessThanOrEqual(Math.ceil((5_000 / 20) * 3 * 1.1) + 1);
  });
});

describe('an ACCEPT that the master refused', () => {
  test.each([
    ['of a launch', true],
    ['of resources that are given back', false],
  ])('%s: its offers are still open, and are declined', (_, isLaunch) => {
    const story = subscribed();
    const [offer] = story.send.offer('a');
    const [task] = story.expects.launched('a');
    const taskId = isLaunch ? (story.state.nodes.get(agentId('a'))?.task?.taskId ?? null) : null;
    expect(task).toBeDefined();
    if (offer === undefined) throw new Error('no offer');
    story.event({ type: 'accept-failed', taskId, offerIds: [offer.id.value], refused: true, text: 'no' });
    story.expects.declined(5);
  });
});

describe('REVIVE', () => {
  test('F22: is sent when nothing is offered after the end of a task, and less and less often', () => {
    const story = subscribed();
    const task = story.served('a');
    story.after(10_000);
    story.forgetCalls();
    story.send.update(task, 'TASK_FAILED');
    story.after(1_999);
    story.expects.revived(0);
    story.after(1);
    story.expects.revived(1);
    story.after(3_500);
    story.expects.revived(2);
    story.after(600_000);
    expect(story.takeCalls('REVIVE').length).toBeLessThan(12);
  });

  test('is sent once a second at most, however many nodes want one', () => {
    const story = subscribed();
    const tasks = ['a', 'b', 'c'].map((agent) => story.served(agent));
    story.after(10_000);
    story.forgetCalls();
    for (const task of tasks) {
      story.send.update(task, 'TASK_FAILED');
      story.after(100);
    }
    story.after(1_700);
    story.expects.revived(1);
    story.after(999);
    story.expects.revived(0);
    story.after(1);
    story.expects.revived(1);
  });

  test('is not sent when a task ends and what it had is offered by itself', () => {
    const story = subscribed();
    const task = story.served('a');
    story.after(10_000);
    story.forgetCalls();
    story.send.update(task, 'TASK_FAILED');
    story.after(1_000);
    story.send.offer('a');
    story.expects.launched('a');
    story.after(10_000);
    story.expects.revived(0);
  });

  test('is not sent for an agent that has just joined: it is offered by itself', () => {
    const story = subscribed();
    story.send.agentAdded('a');
    story.expects.node('a', 'pending', /Waiting for an offer/);
    story.send.offer('a');
    story.after(10_000);
    story.expects.revived(0);
  });

  test('is sent when the agent that joined is not offered', () => {
    const story = subscribed();
    story.send.agentAdded('a');
    story.after(2_000);
    story.expects.revived(1);
  });

  test('is sent when the backoff is over', () => {
    const story = subscribed();
    for (const _ of [1, 2]) {
      story.send.offer('a');
      const [task] = story.expects.launched('a');
      story.send.update(task ?? '', 'TASK_FAILED');
    }
    story.after(2_900);
    story.expects.revived(0);
    story.after(200);
    story.expects.revived(1);
  });

  test('SUPPRESS is never sent', () => {
    const story = subscribed();
    story.served('a');
    story.after(3_600_000);
    expect(story.takeCalls('SUPPRESS')).toEqual([]);
  });
});
