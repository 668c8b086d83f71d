/** Which services there are, and what became of Marathon's tasks, after any course of events and snapshots. */
import { describe, expect, test } from 'vitest';
import { type MesosChange, MesosTable } from '../../../scheduler/discovery/mesos-table.ts';
import { added, agent, event, framework, subscribed, task, updated } from './mesos-tasks.ts';

const KNOWN = { ownName: 'nodemesh', marathons: ['http://10.0.0.9:8080'] };
const NAME = '#io.nodemesh.mesos/hello-world/node-0';
const node = (rest: object = {}) => task('node-0__1', { name: 'node-0', ...rest });
const ofMarathon = (id: string, rest: object = {}) => task(id, { framework: 'M1', ...rest });

class Story {
  readonly table = new MesosTable(KNOWN);
  now = 1_000_000;

  snapshot(draft: Parameters<typeof subscribed>[0] = {}, unreadable = 0): MesosChange {
    const first = event(subscribed(draft));
    if (first.type !== 'SUBSCRIBED') throw new Error('no snapshot');
    const loading = this.table.load({ ...first.subscribed, unreadable }, this.now);
    for (;;) {
      const step = loading.next();
      if (step.done) return step.value;
    }
  }

  hear(json: object): MesosChange {
    return this.table.apply(event(json), this.now);
  }

  states(name = NAME): string[] | undefined {
    return this.table.service(name)?.endpoints.map(({ instance, address, state }) => `${instance} ${address} ${state}`);
  }
}

describe('services', () => {
  test('are the tasks of a framework that have one name, wherever they run', () => {
    const story = new Story();
    const change = story.snapshot({
      tasks: [node(), task('node-0__2', { name: 'node-0', agent: 'S2' }), task('other')],
    });
    expect([...change.services].sort()).toEqual([NAME, '#io.nodemesh.mesos/hello-world/other']);
    expect(story.table.service(NAME)).toEqual({
      name: NAME,
      endpoints: [
        {
          service: NAME,
          instance: 'node-0__1',
          address: '10.0.0.1',
          port: 31_000,
          ports: [{ name: 'http', port: 31_000 }],
          agentId: 'S1',
          agentAddress: '10.0.0.1',
          weight: 1,
          state: 'ready',
          startedAt: 1_795_192_464_500,
          labels: {},
        },
        expect.objectContaining({ instance: 'node-0__2', address: '10.0.0.2', agentId: 'S2' }),
      ],
    });
  });

  test.each([
    ['Marathon, by its name', framework('X', 'marathon-user')],
    ['Marathon, by its address', framework('X', 'scheduler', { webui_url: 'http://10.0.0.9:8080/' })],
    ['the mesh itself', framework('X', 'nodemesh')],
  ])('are none of %s', (_name, other) => {
    const story = new Story();
    story.snapshot({ frameworks: [other], tasks: [node({ framework: 'X' })] });
    expect(story.table.names()).toEqual([]);
    expect(story.table.counts().named).toBe(0);
  });

  test('follow a task from its launch to its end', () => {
    const story = new Story();
    story.snapshot();
    story.hear(added(node({ state: 'TASK_STAGING', health_check: {} })));
    expect(story.states()).toEqual([]);
    story.hear(updated('node-0__1', 'TASK_RUNNING'));
    expect(story.states()).toEqual(['node-0__1 10.0.0.1 unhealthy']);
    const change = story.hear(updated('node-0__1', 'TASK_RUNNING', { healthy: true }));
    expect([...change.services]).toEqual([NAME]);
    expect(story.states()).toEqual(['node-0__1 10.0.0.1 ready']);
    story.hear(updated('node-0__1', 'TASK_KILLING'));
    expect(story.states()).toEqual(['node-0__1 10.0.0.1 draining']);
    // The update is not acknowledged yet, and the task is further than it says.
    expect([...story.hear(updated('node-0__1', 'TASK_KILLING', { latest: 'TASK_KILLED' })).services]).toEqual([NAME]);
    expect(story.states()).toBeUndefined();
  });

  test('keep a task whose agent is out of sight as suspect, and have it back when it returns', () => {
    const story = new Story();
    story.snapshot({ tasks: [node()] });
    story.hear(updated('node-0__1', 'TASK_UNREACHABLE'));
    expect(story.states()).toEqual(['node-0__1 10.0.0.1 suspect']);
    // As a new snapshot has it: the agent is in no list, and where it is nobody says any more.
    story.snapshot({ agents: [], unreachable: [node({ state: 'TASK_UNREACHABLE' })] });
    expect(story.states()).toEqual(['node-0__1 10.0.0.1 suspect']);
    story.hear(added(node()));
    story.hear({ type: 'AGENT_ADDED', agent_added: { agent: agent('S1', '10.0.0.7') } });
    expect(story.states()).toEqual(['node-0__1 10.0.0.7 ready']);
  });

  test('lose a task that its agent did not bring back', () => {
    const story = new Story();
    story.snapshot({ tasks: [node()] });
    story.hear(updated('node-0__1', 'TASK_UNREACHABLE'));
    const change = story.hear({ type: 'AGENT_ADDED', agent_added: { agent: agent('S1', '10.0.0.1') } });
    expect([...change.services]).toEqual([NAME]);
    expect(story.states()).toBeUndefined();
  });

  test('lose the tasks of an agent and of a framework that are removed', () => {
    const story = new Story();
    story.snapshot({ tasks: [node(), task('node-0__2', { name: 'node-0', agent: 'S2' })] });
    story.hear({ type: 'AGENT_REMOVED', agent_removed: { agent_id: { value: 'S1' } } });
    expect(story.states()).toEqual(['node-0__2 10.0.0.2 ready']);
    const { framework_info } = framework('F1', 'hello-world') as { framework_info: object };
    story.hear({ type: 'FRAMEWORK_REMOVED', framework_removed: { framework_info } });
    expect(story.table.names()).toEqual([]);
  });

  test('have their name when the framework is known, also where its task was told first', () => {
    const story = new Story();
    story.snapshot({ frameworks: [] });
    story.hear(added(node()));
    expect(story.table.names()).toEqual([]);
    story.hear({ type: 'FRAMEWORK_ADDED', framework_added: { framework: framework('F1', 'hello-world') } });
    expect(story.states()).toEqual(['node-0__1 10.0.0.1 ready']);
    const renamed = { framework: framework('F1', 'good-bye') };
    const change = story.hear({ type: 'FRAMEWORK_UPDATED', framework_updated: renamed });
    expect([...change.services].sort()).toEqual(['#io.nodemesh.mesos/good-bye/node-0', NAME]);
    expect(story.table.names()).toEqual(['#io.nodemesh.mesos/good-bye/node-0']);
  });

  test('that a new snapshot has as they were are not told of again', () => {
    const story = new Story();
    const draft = { tasks: [node(), task('other')] };
    story.snapshot(draft);
    expect([...story.snapshot(draft).services]).toEqual([]);
    expect([...story.snapshot({ tasks: [node({ state: 'TASK_KILLING' }), task('other')] }).services]).toEqual([NAME]);
  });
});

describe('a master that has just taken over', () => {
  const recovered = [{ hostname: 'h', id: { value: 'S1' } }];

  test('does not take tasks away whose agent it still waits for', () => {
    const story = new Story();
    story.snapshot({ tasks: [node(), ofMarathon('web.1')] });
    const change = story.snapshot({ agents: [agent('S2', '10.0.0.2')], recovered });
    expect(change.ended).toEqual([]);
    expect(story.states()).toEqual(['node-0__1 10.0.0.1 ready']);
    expect(story.table.look('web.1', 'S1')).toBe('unknown');
    // The agent comes with one of the two.
    story.hear(added(node()));
    expect(story.hear({ type: 'AGENT_ADDED', agent_added: { agent: agent('S1', '10.0.0.1') } }).ended).toEqual([
      { taskId: 'web.1', agentId: 'S1' },
    ]);
    expect(story.states()).toEqual(['node-0__1 10.0.0.1 ready']);
    expect(story.table.look('web.1', 'S1')).toBe('gone');
  });

  test('keeps them as suspect where it knows nothing of the agent, and for fifteen minutes', () => {
    const story = new Story();
    story.snapshot({ tasks: [node(), ofMarathon('web.1')] });
    expect(story.snapshot({ agents: [], frameworks: [] }).ended).toEqual([]);
    expect(story.states()).toEqual(['node-0__1 10.0.0.1 suspect']);
    story.now += 15 * 60_000 - 1;
    story.hear({ type: 'HEARTBEAT' });
    // Another snapshot without it does not make it any younger.
    story.snapshot({ agents: [], frameworks: [] });
    expect(story.states()).toHaveLength(1);
    story.now += 1;
    expect([...story.hear({ type: 'HEARTBEAT' }).services]).toEqual([NAME]);
    expect(story.states()).toBeUndefined();
    expect(story.table.look('web.1', 'S1')).toBe('unknown');
  });
});

describe('a second look at a task of Marathon', () => {
  test('says that it lives, that it has ended, or that nobody knows', () => {
    const story = new Story();
    story.snapshot({ tasks: [ofMarathon('web.1'), ofMarathon('web.2'), ofMarathon('web.3'), ofMarathon('web.4')] });
    expect(story.table.look('web.1', 'S1')).toBe('alive');
    expect(story.table.look('web.1', 'S2')).toBe('unknown');
    expect(story.table.look('never-seen', 'S1')).toBe('unknown');
    expect(story.hear(updated('web.1', 'TASK_FAILED', { framework: 'M1' })).ended).toEqual([
      { taskId: 'web.1', agentId: 'S1' },
    ]);
    expect(story.table.look('web.1', 'S1')).toBe('gone');
    expect(story.hear(updated('web.2', 'TASK_UNREACHABLE', { framework: 'M1' })).ended).toEqual([]);
    expect(story.table.look('web.2', 'S1')).toBe('unknown');
    story.hear(updated('web.3', 'TASK_KILLING', { framework: 'M1' }));
    expect(story.table.look('web.3', 'S1')).toBe('alive');
    const { ended } = story.hear({ type: 'AGENT_REMOVED', agent_removed: { agent_id: { value: 'S1' } } });
    expect(ended.map(({ taskId }) => taskId).sort()).toEqual(['web.2', 'web.3', 'web.4']);
    expect(story.table.look('web.4', 'S1')).toBe('gone');
  });

  test('says gone of what ended while nobody listened', () => {
    const story = new Story();
    story.snapshot({ tasks: [ofMarathon('web.1'), ofMarathon('web.2')] });
    expect(story.snapshot({ tasks: [ofMarathon('web.2')] }).ended).toEqual([{ taskId: 'web.1', agentId: 'S1' }]);
    expect(story.table.look('web.1', 'S1')).toBe('gone');
    expect(story.table.look('web.2', 'S1')).toBe('alive');
  });

  test('does not say gone where the snapshot may not have shown it', () => {
    const story = new Story();
    const tasks = [ofMarathon('web.1')];
    story.snapshot({ tasks });
    // One task could not be read: it may have been this one.
    expect(story.snapshot({}, 1).ended).toEqual([]);
    expect(story.table.look('web.1', 'S1')).toBe('unknown');
    story.snapshot({ tasks });
    // The master shows us Marathon no more: its tasks neither.
    expect(story.snapshot({ frameworks: [framework('F1', 'hello-world')] }).ended).toEqual([]);
    expect(story.table.look('web.1', 'S1')).toBe('unknown');
    story.snapshot({ tasks });
    // A framework that is torn down has no tasks.
    expect(story.snapshot({ frameworks: [], completed: [framework('M1', 'marathon')] }).ended).toEqual([
      { taskId: 'web.1', agentId: 'S1' },
    ]);
  });

  test('takes back what it said of a task that came back', () => {
    const story = new Story();
    story.snapshot({ tasks: [ofMarathon('web.1')] });
    story.hear(updated('web.1', 'TASK_GONE_BY_OPERATOR', { framework: 'M1' }));
    expect(story.table.look('web.1', 'S1')).toBe('gone');
    story.hear(added(ofMarathon('web.1')));
    expect(story.table.look('web.1', 'S1')).toBe('alive');
  });

  test('remembers the last twenty thousand ends', () => {
    const story = new Story();
    story.snapshot();
    for (let index = 0; index <= 20_000; index += 1) {
      story.hear(added(ofMarathon(`t.${index}`)));
      story.hear(updated(`t.${index}`, 'TASK_FINISHED', { framework: 'M1' }));
    }
    expect(story.table.look('t.0', 'S1')).toBe('unknown');
    expect(story.table.look('t.1', 'S1')).toBe('gone');
    expect(story.table.counts()).toEqual({ named: 0, marathon: 0, other: 0 });
  });
});
