import { describe, expect, test } from 'vitest';
import { Story } from '../story.ts';

describe('at a subscription', () => {
  test('all known tasks are asked for, then all that Mesos holds', () => {
    const story = new Story();
    story.send.subscribed();
    const [a, b] = ['a', 'b'].map((agent) => story.served(agent));
    story.send.disconnected();
    story.forgetCalls();
    story.send.subscribed();
    story.expects.reconciled([a ?? '', b ?? ''], []);
  });

  test('S1: the id is written down before anything else is sent', () => {
    const story = new Story();
    const actions = story.send.subscribed().map((action) => action.type);
    expect(actions[0]).toBe('persist-framework');
    expect(story.diskFramework?.frameworkId).toBe('f-1');
  });

  test('tasks that are not answered for are asked for again, less and less often, and never given up', () => {
    const story = new Story();
    story.send.subscribed();
    const [a = '', b = ''] = ['a', 'b'].map((agent) => story.served(agent));
    story.send.disconnected();
    story.send.subscribed();
    story.send.reconciled(a, 'TASK_RUNNING');
    story.forgetCalls();
    const times: number[] = [];
    for (let second = 1; second <= 100; second += 1) {
      story.after(1_000);
      const calls = story.takeCalls('RECONCILE');
      for (const call of calls) expect(call.reconcile.tasks.map((task) => task.task_id.value)).toEqual([b]);
      if (calls.length > 0) times.push(second);
    }
    expect(times).toEqual([1, 3, 7, 15, 31, 61, 91]);
    story.expects.node('b', 'healthy');
    story.send.reconciled(b, 'TASK_RUNNING');
    story.forgetCalls();
    story.after(60_000);
    story.expects.reconciled();
  });

  test('everything is asked for again after ten minutes', () => {
    const story = new Story();
    story.send.subscribed();
    const task = story.served('a');
    story.forgetCalls();
    story.after(600_000);
    story.expects.reconciled([task], []);
  });

  test('nothing is asked without a subscription', () => {
    const story = new Story();
    story.send.subscribed();
    story.served('a');
    story.send.disconnected();
    story.forgetCalls();
    story.after(3_600_000);
    story.expects.reconciled();
    story.expects.node('a', 'healthy');
  });
});

describe('a launch of which nothing is heard', () => {
  test('U16 F15: is asked for after 30 s, and launched anew when Mesos says that it is gone', () => {
    const story = new Story();
    story.send.subscribed();
    story.send.offer('a');
    const [task = ''] = story.expects.launched('a');
    story.forgetCalls();
    story.after(29_000);
    story.expects.reconciled();
    story.after(1_000);
    story.expects.reconciled([task]);
    story.send.reconciled(task, 'TASK_GONE');
    story.send.offer('a');
    story.expects.launched('a');
  });

  test('U19: is asked for at once when its ACCEPT got no answer', () => {
    const story = new Story();
    story.send.subscribed();
    story.send.offer('a');
    const [task = ''] = story.expects.launched('a');
    story.forgetCalls();
    story.event({
      type: 'accept-failed',
      taskId: story.node('a')?.taskId ?? (task as never),
      offerIds: [],
      refused: false,
      text: 'reset',
    });
    story.expects.reconciled([task]);
    story.expects.declined();
    story.expects.node('a', 'launching');
  });

  test('that the master refuses is over, with its reason, and its offer is given back', () => {
    const story = new Story();
    story.send.subscribed();
    const offerIds = story.send.offer('a').map((offer) => offer.id.value);
    const taskId = story.node('a')?.taskId;
    if (taskId === null || taskId === undefined) throw new Error('not launched');
    story.event({ type: 'accept-failed', taskId, offerIds, refused: true, text: 'bad resources' });
    story.expects.node('a', 'pending', /refused by the master \(bad resources\)/);
    const declines = story.takeCalls('DECLINE');
    expect(declines.flatMap((call) => call.decline.offer_ids.map((id) => id.value))).toEqual(offerIds);
  });

  test('F15: and that stays in its start for a quarter of an hour is killed', () => {
    const story = new Story();
    story.send.subscribed();
    story.send.offer('a');
    const [task = ''] = story.expects.launched('a');
    story.send.update(task, 'TASK_STAGING');
    story.after(14 * 60_000);
    story.expects.killed();
    story.after(60_000);
    story.expects.killed(task);
  });
});

describe('a new scheduler with the same store', () => {
  test('F1: adopts the tasks and launches nothing', () => {
    const story = new Story();
    story.send.subscribed();
    const task = story.served('a');
    story.restart();
    expect(story.state.frameworkId).toBe('f-1');
    story.expects.node('a', 'launching', /Known from the state store/);
    story.send.subscribed();
    story.expects.reconciled([task], []);
    story.send.offer('a');
    story.after(600_000);
    story.expects.nothingLaunched();
    story.send.reconciled(task, 'TASK_RUNNING');
    story.send.healthy(task);
    story.expects.node('a', 'healthy');
  });

  test('that finds a launch which never left launches again only when Mesos says so', () => {
    const story = new Story();
    story.send.subscribed();
    story.send.offer('a');
    const [task = ''] = story.expects.launched('a');
    story.restart();
    story.send.subscribed();
    story.send.offer('a');
    story.expects.nothingLaunched();
    story.send.reconciled(task, 'TASK_GONE');
    story.after(2_000);
    story.expects.revived(1);
    story.send.offer('a');
    story.expects.launched('a');
  });

  test('keeps a backoff', () => {
    const story = new Story();
    story.send.subscribed();
    for (const _ of [1, 2, 3, 4]) {
      story.send.offer('a');
      story.send.update(story.node('a')?.taskId ?? '', 'TASK_FAILED');
      story.after(_ * 2_000);
    }
    story.send.offer('a');
    story.send.update(story.node('a')?.taskId ?? '', 'TASK_FAILED');
    story.restart();
    story.send.subscribed();
    story.send.offer('a');
    story.expects.nothingLaunched();
    story.expects.node('a', 'pending', /Next attempt in 8 s/);
    story.after(8_000);
    story.send.offer('a');
    story.expects.launched('a');
  });
});

test('maintenance is agreed to', () => {
  const story = new Story();
  story.send.subscribed();
  story.event({
    type: 'inverse-offers',
    offers: [
      {
        id: { value: 'i' },
        framework_id: { value: 'f' },
        unavailability: { start: { nanoseconds: 1 } },
        resources: [],
      } as never,
    ],
  });
  expect(story.takeCalls('ACCEPT_INVERSE_OFFERS')).toHaveLength(1);
});
