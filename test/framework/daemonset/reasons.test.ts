import { describe, expect, test } from 'vitest';
import { agentId, taskId } from '../../../framework/mesos-http-client/messages.ts';
import { listed } from '../sketches.ts';
import { Story, template } from '../story.ts';

function subscribed(): Story {
  const story = new Story();
  story.send.subscribed();
  return story;
}
const reason = (story: Story): string => story.node('a')?.reason ?? '';

describe('an agent without a healthy task says why, in one sentence', () => {
  test('a port outside of what the agent gives out', () => {
    const story = subscribed();
    story.send.agentList([listed('a', { ports: [{ begin: 31_000, end: 31_999 }] })]);
    story.send.offer('a', { ports: [[31_000, 31_999]] });
    expect(reason(story)).toBe(
      'The last offer did not fit: ports 4140, 4141 are not in the offered ranges 31000–31999 (use --ports).',
    );
  });

  test('a port that another task has', () => {
    const story = subscribed();
    story.send.agentList([listed('a', { ports: [{ begin: 4000, end: 5000 }] })]);
    story.event({ type: 'offers', offers: [story.offer('a', { ports: [[4141, 5000]] })] });
    expect(reason(story)).toBe('The last offer did not fit: port 4140 is taken by something else.');
    story.event({ type: 'port-holders', agentId: agentId('a'), holders: { 4140: 'linkerd.5e8a' } });
    expect(reason(story)).toBe('The last offer did not fit: port 4140 is taken by task linkerd.5e8a.');
  });

  test('asks who has the port', () => {
    const story = subscribed();
    const actions = story.event({ type: 'offers', offers: [story.offer('a', { ports: [[4141, 5000]] })] });
    expect(actions).toContainEqual({ type: 'ask-port-holders', agentId: 'a', ports: [4140] });
  });

  test('what is missing, with figures', () => {
    const story = subscribed();
    story.template = () => ({ ...template, disk: 100 });
    story.send.offer('a', { cpus: 0, mem: 63.5 });
    expect(reason(story)).toBe(
      'The last offer did not fit: 0.1 cpus missing (0.1 needed, 0 offered); ' +
        '0.5 MB of memory missing (64 needed, 63.5 offered); 100 MB of disk missing (100 needed, 0 offered).',
    );
  });

  test('not offered', () => {
    const story = subscribed();
    story.send.agentAdded('a');
    expect(reason(story)).toBe('Waiting for an offer from Mesos.');
    story.after(90_000);
    expect(reason(story)).toBe('Mesos has not offered the agent for 90 s.');
  });

  test.each([
    [
      'REASON_CONTAINER_LAUNCH_FAILED',
      'Failed to pull image',
      /could not be started: its image or files cannot be fetched \(Failed to pull image\)/,
    ],
    ['REASON_CONTAINER_LIMITATION_MEMORY', 'Memory limit exceeded', /was killed for memory \(Memory limit exceeded\)/],
    ['REASON_CONTAINER_LIMITATION_DISK', 'too much', /was killed for its disk quota \(too much\)/],
    ['REASON_EXECUTOR_REGISTRATION_TIMEOUT', 'late', /took too long to start \(late\)/],
    ['REASON_COMMAND_EXECUTOR_FAILED', 'Command exited with status 1', /failed \(Command exited with status 1\)/],
  ] as const)('%s', (cause, message, expected) => {
    const story = subscribed();
    for (const _ of [1, 2, 3, 4, 5]) {
      story.send.offer('a');
      story.send.update(story.node('a')?.taskId ?? '', 'TASK_FAILED', { reason: cause, message });
      story.after(_ === 5 ? 0 : 10_000);
    }
    expect(reason(story)).toMatch(expected);
    expect(reason(story)).toMatch(/Next attempt in 8 s\.$/);
  });

  test('fails at start, with its last words, which survive a restart of the scheduler', () => {
    const story = subscribed();
    story.send.offer('a');
    const task = story.node('a')?.taskId ?? '';
    const actions = story.send.update(task, 'TASK_FAILED', { message: 'exit 1' });
    expect(actions).toContainEqual({ type: 'ask-last-words', agentId: 'a', taskId: task });
    const words = (of: string, text: string): void => {
      story.event({ type: 'last-words', agentId: agentId('a'), taskId: taskId(of), text });
    };
    words('a-task-77', 'of another task');
    words(task, 'address in use: 4140\n');
    expect(reason(story)).toMatch(/^The last task failed \(exit 1\), and said last: address in use: 4140\. Waiting/);
    story.restart();
    expect(reason(story)).toMatch(/said last: address in use: 4140/);
  });

  test.each([
    ['TASK_UNREACHABLE', /^The agent is unreachable; its task may be alive/],
    ['TASK_LOST', /^Mesos does not know how the task is, and is being asked\.$/],
    ['TASK_KILLING', /^The task is being killed\.$/],
    ['TASK_STAGING', /^The agent is starting the task\.$/],
    ['TASK_RUNNING', /^The task runs and has not reported its health yet\.$/],
  ] as const)('%s', (state, expected) => {
    const story = subscribed();
    story.send.offer('a');
    expect(reason(story)).toBe('The launch is on its way to the agent.');
    story.send.update(story.node('a')?.taskId ?? '', state);
    expect(reason(story)).toMatch(expected);
  });
});

describe('launches', () => {
  test('are at most twenty at a time; who waits for his turn is offered again in time', () => {
    const story = subscribed();
    const agents = Array.from({ length: 50 }, (_, index) => `n${index}`);
    story.event({ type: 'offers', offers: agents.map((agent) => story.offer(agent, {})) });
    const launched = story.takeCalls('ACCEPT');
    expect(launched).toHaveLength(20);
    // The other thirty one after the other, at the pace of twenty in three seconds.
    expect(story.takeCalls('DECLINE').map((call) => call.decline.filters?.refuse_seconds)).toEqual([1, 2, 3, 4, 5, 6]);
    story.send.offer('n30');
    story.expects.nothingLaunched();
    story.send.update(story.node('n0')?.taskId ?? '', 'TASK_RUNNING');
    story.send.offer('n30');
    story.expects.launched('n30');
    story.send.offer('n31');
    story.expects.nothingLaunched();
    story.takeCalls('REVIVE');
    story.send.update(story.node('n1')?.taskId ?? '', 'TASK_RUNNING');
    story.after(60_000);
    // There is room again, and nobody was offered by himself.
    expect(story.takeCalls('REVIVE').length).toBeGreaterThan(0);
  });
});

describe('offers of the reference', () => {
  test('O4: the same agent again in another event: the second is declined while the launch is pending', () => {
    const story = subscribed();
    story.send.offer('a');
    story.send.offer('a');
    story.expects.launched('a');
    story.expects.declined(3600);
  });

  test('O7: ports at the edge and split over two ranges are taken exactly', () => {
    const story = subscribed();
    story.send.offer('a', {
      ports: [
        [4000, 4140],
        [4141, 4141],
      ],
    });
    const [accept] = story.takeCalls('ACCEPT');
    const reserve = accept?.accept.operations?.find((operation) => operation.type === 'RESERVE');
    const ranges = reserve?.reserve.resources.find((one) => one.name === 'ports')?.ranges;
    expect(ranges).toEqual({ range: [{ begin: 4140, end: 4141 }] });
  });

  test('O8: 0.1 and 0.2 cpus are exactly 0.3', () => {
    const story = subscribed();
    story.template = () => ({ ...template, cpus: 0.3 });
    story.send.offer('a', { cpus: 0.1 }, { cpus: 0.2, ports: [] });
    story.expects.launched('a');
  });

  test('O15: gpus are left alone', () => {
    const story = subscribed();
    const offer = story.offer('a', {});
    const allocation_info = { role: 'nodemesh' };
    offer.resources.push({ name: 'gpus', type: 'SCALAR', scalar: { value: 2 }, allocation_info });
    story.event({ type: 'offers', offers: [offer] });
    expect(JSON.stringify(story.takeCalls('ACCEPT'))).not.toContain('gpus');
  });

  test('O19: an agent that is new is served while all others are filtered', () => {
    const story = subscribed();
    story.served('a');
    story.send.offer('a');
    story.expects.declined(3600);
    story.send.offer('b');
    story.expects.launched('b');
  });
});
