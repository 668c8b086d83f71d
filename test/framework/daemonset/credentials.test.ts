/** What the framework's user has kept with a task: put once in the place of what was there, and there for every later leader. */
import { expect, test } from 'vitest';
import { taskId } from '../../../framework/mesos-http-client/messages.ts';
import { Story, template } from '../story.ts';

function launched(): { story: Story; task: string } {
  const story = new Story();
  story.template = () => ({ ...template, credential: 'expected' });
  story.send.subscribed();
  story.send.offer('a');
  const [task = ''] = story.expects.launched('a');
  return { story, task };
}

const keep = (story: Story, task: string, credential: string, replaces: string | null = 'expected') =>
  story.send.order({ kind: 'credential', taskId: taskId(task), credential, replaces }).kind;

test('it is written with the launch, and its successor before the answer', () => {
  const { story, task } = launched();
  expect(story.disk.get('a')).toMatchObject({ taskId: task, credential: 'expected' });
  const order = { kind: 'credential', taskId: taskId(task), credential: 'mine', replaces: 'expected' } as const;
  const actions = story.event({ type: 'order', id: 7, order });
  const types = actions.map(({ type }) => type);
  expect(types.indexOf('persist')).toBeGreaterThanOrEqual(0);
  expect(types.indexOf('persist')).toBeLessThan(types.indexOf('answer'));
  expect(actions.find((action) => action.type === 'answer')).toMatchObject({ id: 7, outcome: { kind: 'done' } });
  expect(story.disk.get('a')?.credential).toBe('mine');
});

test('whoever comes second is refused, unless it is the same again; and so it is after a restart', () => {
  const { story, task } = launched();
  expect(keep(story, task, 'mine', null)).toBe('invalid');
  expect(keep(story, task, 'mine')).toBe('done');
  expect(keep(story, task, 'mine')).toBe('already');
  expect(keep(story, task, 'another')).toBe('invalid');
  expect(keep(story, 'some-other-task', 'another')).toBe('not-found');
  story.restart();
  expect(keep(story, task, 'mine')).toBe('already');
  expect(keep(story, task, 'another')).toBe('invalid');
});

test('the next task of the agent begins anew; one that was launched without has none', () => {
  const { story, task } = launched();
  keep(story, task, 'mine');
  story.send.update(task, 'TASK_RUNNING');
  story.send.update(task, 'TASK_FAILED');
  expect(story.disk.get('a')).toMatchObject({ taskId: null, credential: null });
  expect(keep(story, task, 'mine')).toBe('not-found');
  story.template = () => template;
  story.after(60_000);
  story.send.offer('a');
  story.expects.launched('a');
  expect(story.disk.get('a')?.credential).toBeNull();
});

test('it comes back with an agent that was taken for gone, and its task', () => {
  const { story, task } = launched();
  keep(story, task, 'mine');
  story.send.update(task, 'TASK_RUNNING');
  story.send.update(task, 'TASK_GONE_BY_OPERATOR', { reason: 'REASON_AGENT_REMOVED_BY_OPERATOR' });
  expect(story.disk.has('a')).toBe(false);
  story.send.agentAdded('a');
  expect(story.disk.get('a')).toMatchObject({ taskId: task, credential: 'mine' });
});
