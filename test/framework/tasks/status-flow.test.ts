import { describe, expect, test } from 'vitest';
import { agentId } from '../../../framework/mesos-http-client/messages.ts';
import { Story } from '../story.ts';

function serving(): { story: Story; task: string } {
  const story = new Story();
  story.send.subscribed();
  const task = story.served('a');
  story.after(10_000);
  story.forgetCalls();
  return { story, task };
}

describe('an update', () => {
  test('U4 F18: with a uuid is acknowledged, also when it is repeated; one without is not', () => {
    const { story, task } = serving();
    story.send.update(task, 'TASK_RUNNING', { uuid: 'one' });
    story.send.update(task, 'TASK_RUNNING', { uuid: 'one' });
    story.send.update(task, 'TASK_RUNNING');
    story.expects.acknowledged('one', 'one');
  });

  test('U1: that ends the task is stored before it is acknowledged', () => {
    const { story, task } = serving();
    const actions = story.send.update(task, 'TASK_FAILED', { uuid: 'end' });
    const stored = actions.findIndex((action) => action.type === 'persist' && action.record.taskId === null);
    const acknowledged = actions.findIndex((action) => action.type === 'call' && action.body.type === 'ACKNOWLEDGE');
    expect(stored).toBeGreaterThanOrEqual(0);
    expect(stored).toBeLessThan(acknowledged);
  });

  test('that comes late changes nothing: a task that runs does not start again', () => {
    const { story, task } = serving();
    story.send.update(task, 'TASK_STARTING', { uuid: 'late' });
    story.expects.node('a', 'healthy');
    story.expects.acknowledged('late');
  });

  test('U5 F19: that comes late, after the end, changes nothing either', () => {
    const { story, task } = serving();
    story.send.update(task, 'TASK_KILLED', { uuid: '1' });
    story.send.update(task, 'TASK_RUNNING', { uuid: '2', source: 'SOURCE_EXECUTOR' });
    story.send.reconciled(task, 'TASK_LOST');
    story.expects.acknowledged('1', '2');
    story.expects.killed();
    expect(story.node('a')?.taskId).toBeNull();
  });
});

describe('a task that ends', () => {
  test('U13: is followed by another at once, then after 1 s doubling to 300 s', () => {
    const { story, task } = serving();
    story.send.update(task, 'TASK_FAILED');
    const waits: number[] = [];
    for (let round = 0; round < 12; round += 1) {
      let waited = 0;
      for (;;) {
        story.send.offer('a');
        const launched = story.takeCalls('ACCEPT').length;
        if (launched === 1) break;
        story.after(500);
        waited += 500;
      }
      waits.push(waited / 1000);
      story.send.update(story.node('a')?.taskId ?? '', 'TASK_FAILED');
    }
    expect(waits).toEqual([0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
  });

  test('after a minute of health is a first failure again', () => {
    const story = new Story();
    story.send.subscribed();
    for (const _ of [1, 2, 3]) {
      story.send.offer('a');
      story.send.update(story.node('a')?.taskId ?? '', 'TASK_FAILED');
      story.after(5_000);
    }
    story.send.offer('a');
    const task = story.node('a')?.taskId ?? '';
    story.send.update(task, 'TASK_RUNNING');
    story.send.healthy(task);
    story.after(60_000);
    expect(story.disk.get('a')?.failures).toBe(0);
    story.send.update(task, 'TASK_FAILED');
    story.forgetCalls();
    story.send.offer('a');
    story.expects.launched('a');
  });

  test('with TASK_ERROR says why, and is not repeated within the second', () => {
    const { story, task } = serving();
    story.send.update(task, 'TASK_ERROR', { message: 'Task uses invalid ports', reason: 'REASON_TASK_INVALID' });
    story.send.offer('a');
    story.expects.nothingLaunched();
    story.expects.node('a', 'pending', /error \(Task uses invalid ports\)/);
  });

  test('because its offer was no longer valid is launched with the next one', () => {
    const story = new Story();
    story.send.subscribed();
    story.send.offer('a');
    const [task] = story.expects.launched('a');
    story.send.update(task ?? '', 'TASK_DROPPED', { reason: 'REASON_INVALID_OFFERS' });
    story.send.offer('a');
    const [next] = story.expects.launched('a');
    story.send.update(next ?? '', 'TASK_LOST', { reason: 'REASON_INVALID_OFFERS' });
    story.after(1_000);
    story.send.offer('a');
    story.expects.launched('a');
  });

  test('in a drain waits for the agent to be active again, without a penalty', () => {
    const { story, task } = serving();
    story.send.update(task, 'TASK_KILLED', { reason: 'REASON_AGENT_DRAINING' });
    story.expects.node('a', 'draining', /drained or deactivated/);
    story.after(60_000);
    story.expects.revived(0);
    story.send.offer('a');
    story.expects.launched('a');
    expect(story.disk.get('a')?.failures).toBe(0);
  });
});

describe('health', () => {
  test('U23: comes from the user: a running task is launching until it is first reported healthy', () => {
    const story = new Story();
    story.send.subscribed();
    story.send.offer('a');
    const [task = ''] = story.expects.launched('a');
    story.send.update(task, 'TASK_RUNNING', { healthy: true });
    story.expects.node('a', 'launching', /has not reported its health/);
    story.send.healthy(task);
    story.expects.node('a', 'healthy');
    story.send.unhealthy(task, 'No report for 10 s.');
    story.expects.node('a', 'unhealthy', /No report for 10 s/);
  });

  test('of a task that is not the node’s is ignored', () => {
    const { story } = serving();
    story.send.unhealthy('a-task-99', 'old');
    story.expects.node('a', 'healthy');
  });

  test('changes `since` with the state, not with the reason', () => {
    const { story, task } = serving();
    story.send.unhealthy(task, 'one');
    const since = story.node('a')?.since;
    story.after(5_000);
    story.send.unhealthy(task, 'two');
    expect(story.node('a')).toMatchObject({ since, reason: 'two' });
  });
});

describe('an agent that is lost', () => {
  test('keeps its task, and has it again when it returns', () => {
    const { story, task } = serving();
    story.send.update(task, 'TASK_UNREACHABLE', { reason: 'REASON_AGENT_REMOVED', source: 'SOURCE_MASTER' });
    story.expects.node('a', 'lost', /unreachable/);
    story.send.offer('a');
    story.after(3_600_000);
    story.expects.nothingLaunched();
    story.send.update(task, 'TASK_RUNNING', { reason: 'REASON_AGENT_REREGISTERED', source: 'SOURCE_MASTER' });
    story.expects.node('a', 'healthy');
    expect(story.node('a')?.taskId).toBe(task);
  });

  test('F11: with TASK_LOST is asked about until Mesos knows', () => {
    const { story, task } = serving();
    story.send.update(task, 'TASK_LOST', { reason: 'REASON_AGENT_REMOVED' });
    story.expects.node('a', 'lost');
    story.after(7_000);
    expect(story.takeCalls('RECONCILE').length).toBeGreaterThanOrEqual(3);
    story.send.reconciled(task, 'TASK_GONE');
    story.forgetCalls();
    story.send.offer('a');
    story.expects.launched('a');
  });

  test('is not freed by a single UNKNOWN, even when it is offered again', () => {
    const { story, task } = serving();
    story.send.update(task, 'TASK_LOST', { reason: 'REASON_AGENT_REMOVED' });
    story.send.reconciled(task, 'TASK_UNKNOWN');
    story.send.offer('a');
    story.expects.nothingLaunched();
  });

  test('and forgotten by Mesos itself is forgotten, after it has said so for a minute', () => {
    const { story, task } = serving();
    story.send.agents();
    for (let minute = 0; minute <= 60; minute += 10) {
      story.send.reconciled(task, 'TASK_UNKNOWN');
      story.after(10_000);
    }
    story.expects.noNode('a');
  });

  test('U8: that the operator marked gone leaves nothing, and its task is killed should it appear', () => {
    const { story, task } = serving();
    story.send.update(task, 'TASK_GONE_BY_OPERATOR', { reason: 'REASON_AGENT_REMOVED_BY_OPERATOR' });
    story.expects.noNode('a');
    story.send.reconciled(task, 'TASK_RUNNING', 'a');
    story.expects.killed(task);
  });

  /** The agent is away for good, as far as the master tells: it does not list it, and knows nothing of its task. */
  const forgotten = (story: Story, task: string): void => {
    for (let at = 0; at <= 60; at += 10) {
      story.send.reconciled(task, 'TASK_UNKNOWN');
      story.after(10_000);
    }
    story.expects.noNode('a');
  };

  test('that the master removed keeps its task until the master has said what became of it', () => {
    const { story, task } = serving();
    story.send.agentRemoved('a');
    story.expects.reconciled([task]);
    story.send.reconciled(task, 'TASK_UNREACHABLE');
    story.after(3_600_000);
    story.expects.node('a', 'lost', /unreachable/);
    expect(story.disk.get('a')?.taskId).toBe(task);
    story.send.agentAdded('a');
    story.send.update(task, 'TASK_RUNNING', { reason: 'REASON_AGENT_REREGISTERED', source: 'SOURCE_MASTER' });
    story.send.offer('a');
    story.expects.nothingLaunched();
    story.expects.node('a', 'healthy');
  });

  test('that the master removed and that a new scheduler finds again is not given a second task', () => {
    const { story, task } = serving();
    story.send.agentRemoved('a');
    story.restart();
    story.send.subscribed();
    story.send.offer('a');
    story.expects.nothingLaunched();
    story.send.reconciled(task, 'TASK_RUNNING');
    story.send.healthy(task);
    expect(story.node('a')).toMatchObject({ state: 'healthy', taskId: task });
  });

  test('that the master removed leaves nothing in the end; if it is back after all, its task is asked about first', () => {
    const { story, task } = serving();
    story.send.agentRemoved('a');
    forgotten(story, task);
    story.forgetCalls();
    story.send.offer('a');
    story.expects.nothingLaunched();
    story.expects.reconciled([task]);
    story.send.reconciled(task, 'TASK_GONE');
    story.send.offer('a');
    story.expects.launched('a');
  });

  test.each([
    ['that the master removed', 'AGENT_REMOVED'],
    ['that Mesos had forgotten', 'TASK_UNKNOWN'],
  ])('%s keeps its healthy task when that is heard of before the agent', (_how, cause) => {
    const { story, task } = serving();
    if (cause === 'AGENT_REMOVED') story.send.agentRemoved('a');
    else story.send.agents();
    forgotten(story, task);
    story.forgetCalls();
    const back = { reason: 'REASON_AGENT_REREGISTERED', source: 'SOURCE_MASTER' } as const;
    const actions = story.send.update(task, 'TASK_RUNNING', back);
    expect(actions.map((action) => action.type)).toContain('list-agents');
    story.send.agentAdded('a');
    story.send.update(task, 'TASK_RUNNING', back);
    story.after(60_000);
    story.expects.killed();
    expect(story.node('a')?.taskId).toBe(task);
    expect(story.disk.get('a')?.taskId).toBe(task);
  });

  test('that was removed without a task of ours has one that turns up there adopted', () => {
    const story = new Story();
    story.send.subscribed();
    story.send.agents('a');
    story.send.agentRemoved('a');
    story.send.reconciled('a-task-77', 'TASK_RUNNING');
    story.send.agents('a');
    story.expects.killed();
    expect(story.disk.get('a')?.taskId).toBe('a-task-77');
  });

  test('that was removed with another task than the one that turns up there has that one killed', () => {
    const { story, task } = serving();
    story.send.agentRemoved('a');
    forgotten(story, task);
    story.forgetCalls();
    story.send.reconciled('a-task-77', 'TASK_RUNNING');
    story.expects.killed('a-task-77');
  });

  test('that the operator marked gone leaves nothing to keep, even if its removal was heard of first', () => {
    const { story, task } = serving();
    story.send.agentRemoved('a');
    story.send.update(task, 'TASK_GONE_BY_OPERATOR', { reason: 'REASON_AGENT_REMOVED_BY_OPERATOR' });
    story.send.reconciled(task, 'TASK_RUNNING', 'a');
    story.expects.killed(task);
  });

  test('and without a task is no node once the master does not list it', () => {
    const story = new Story();
    story.send.subscribed();
    story.send.agents('a', 'b');
    story.after(1_000);
    story.send.agents('b');
    story.expects.noNode('a');
    story.expects.node('b', 'pending');
  });
});

describe('a task of ours that is not in the books', () => {
  test('U9 U17 F12 F16: is killed when another one holds the agent, again and again until it is dead', () => {
    const { story, task } = serving();
    story.send.reconciled('a-task-77', 'TASK_RUNNING');
    story.expects.killed('a-task-77');
    story.after(5_000);
    story.expects.killed('a-task-77');
    story.send.update('a-task-77', 'TASK_KILLED', { uuid: 'k' });
    story.after(120_000);
    story.expects.killed();
    expect(story.node('a')?.taskId).toBe(task);
  });

  test('U9: is adopted when the agent has none', () => {
    const story = new Story();
    story.send.subscribed();
    story.send.agents('a');
    story.send.reconciled('a-task-77', 'TASK_RUNNING');
    expect(story.disk.get('a')?.taskId).toBe('a-task-77');
    story.send.offer('a');
    story.expects.nothingLaunched();
    story.expects.killed();
  });

  test('is adopted when its agent becomes known later', () => {
    const story = new Story();
    story.send.subscribed();
    story.send.reconciled('a-task-77', 'TASK_RUNNING');
    story.send.agents('a');
    expect(story.disk.get('a')?.taskId).toBe('a-task-77');
  });

  test('and another one of the same agent, which is known later than both: one is adopted, the other killed until it is dead', () => {
    const story = new Story();
    story.send.subscribed();
    for (const one of ['a-task-77', 'a-task-78', 'a-task-77']) story.send.reconciled(one, 'TASK_RUNNING');
    story.send.agents('a');
    expect(story.disk.get('a')?.taskId).toBe('a-task-77');
    story.expects.killed('a-task-78');
    story.after(5_000);
    story.expects.killed('a-task-78');
    story.send.update('a-task-78', 'TASK_KILLED');
    story.after(120_000);
    story.expects.killed();
    expect(story.node('a')?.taskId).toBe('a-task-77');
  });

  test('of two such ones the other is adopted when the first ends before its agent is known', () => {
    const story = new Story();
    story.send.subscribed();
    for (const one of ['a-task-77', 'a-task-78']) story.send.reconciled(one, 'TASK_RUNNING');
    story.send.update('a-task-77', 'TASK_FAILED');
    story.send.agents('a');
    story.expects.killed();
    expect(story.disk.get('a')?.taskId).toBe('a-task-78');
  });

  test('is asked about when it is adopted so, for it may have died since', () => {
    const story = new Story();
    story.send.subscribed();
    story.send.reconciled('a-task-77', 'TASK_RUNNING');
    story.forgetCalls();
    story.send.agents('a');
    story.expects.reconciled(['a-task-77']);
  });

  test.each(['TASK_FAILED', 'TASK_GONE', 'TASK_UNKNOWN'] as const)(
    'is not adopted when %s is heard before its agent becomes known',
    (state) => {
      const story = new Story();
      story.send.subscribed();
      story.send.reconciled('a-task-77', 'TASK_RUNNING');
      story.send.update('a-task-76', 'TASK_FAILED');
      story.send.update('a-task-77', state);
      story.send.agents('a');
      expect(story.node('a')?.taskId).toBeNull();
      story.send.offer('a');
      story.expects.launched('a');
    },
  );

  test('is not freed by UNKNOWN: it is killed until it is dead', () => {
    const { story } = serving();
    story.send.reconciled('a-task-77', 'TASK_RUNNING');
    story.send.reconciled('a-task-77', 'TASK_UNKNOWN');
    story.forgetCalls();
    story.after(5_000);
    story.expects.killed('a-task-77');
    story.send.reconciled('a-task-77', 'TASK_GONE');
    story.after(120_000);
    story.expects.killed();
  });

  test('and was taken for dead is killed when the master says that it lives', () => {
    const { story, task } = serving();
    story.send.update(task, 'TASK_FAILED');
    story.send.reconciled(task, 'TASK_RUNNING');
    story.expects.killed(task);
    story.send.offer('a');
    story.expects.nothingLaunched();
    story.send.update(task, 'TASK_KILLED');
    story.send.offer('a');
    story.expects.launched('a');
  });

  test('is remembered after its end for a while only, however many there were', () => {
    const { story } = serving();
    for (let at = 100; at < 130; at += 1) {
      story.send.reconciled(`a-task-${at}`, 'TASK_RUNNING');
      story.send.update(`a-task-${at}`, 'TASK_KILLED');
    }
    expect(story.state.nodes.get(agentId('a'))?.ended).toHaveLength(8);
  });

  test('is asked about first when only an old update speaks of it', () => {
    const { story } = serving();
    story.send.update('a-task-77', 'TASK_RUNNING', { source: 'SOURCE_EXECUTOR', uuid: 'old' });
    story.expects.killed();
    story.expects.reconciled(['a-task-77']);
    story.send.reconciled('a-task-77', 'TASK_GONE');
    story.after(60_000);
    story.expects.killed();
  });

  test('that does not die keeps the agent from a second launch', () => {
    const { story, task } = serving();
    story.send.reconciled('a-task-77', 'TASK_RUNNING');
    story.send.update(task, 'TASK_FAILED');
    story.send.offer('a');
    story.expects.nothingLaunched();
    story.expects.node('a', 'pending', /stray task a-task-77/);
    story.send.update('a-task-77', 'TASK_KILLED');
    story.send.offer('a');
    story.expects.launched('a');
  });
});
