/** Nodes that do what a rollout asks of them: tasks that are killed end and are launched anew, and those that can change in place do. */
import type { Settings } from '../../../framework/daemonset/state.ts';
import type { Goal, RolloutSettings } from '../../../framework/rollout/goal.ts';
import { SETTINGS, Story } from '../story.ts';

export const V2: Goal = { id: 'v2', relaunchKey: 'k2' };
export const V3: Goal = { id: 'v3', relaunchKey: 'k3' };
/** Reached from the first one without a new task. */
export const V1B: Goal = { id: 'v1b', relaunchKey: 'k1' };

export const ROLLOUT = SETTINGS.rollout;

export class Fleet {
  readonly story: Story;
  readonly agents: string[];
  /** Agents whose new task never gets healthy. */
  readonly broken = new Set<string>();
  /** The most nodes that were not healthy at a time. */
  mostDown = 0;
  /** In the order in which they were changed. */
  readonly changed: string[] = [];

  constructor(agents: readonly string[], rollout: Partial<RolloutSettings> = {}, settings: Partial<Settings> = {}) {
    this.agents = [...agents];
    this.story = new Story([], { ...settings, rollout: { ...ROLLOUT, ...rollout } });
    this.story.send.subscribed();
    for (const agent of agents) this.story.served(agent);
    this.story.after(10_000);
    this.story.forgetCalls();
  }

  /** Everybody does what was asked of him since. Returns who that was. */
  obey(): string[] {
    const { story } = this;
    const killed = story.takeCalls('KILL').map((call) => call.kill.agent_id?.value ?? '');
    const upgraded = story.takeUpgrades();
    for (const agent of upgraded) {
      const node = story.state.nodes.get(agent as never);
      const goal = story.state.rollout?.record.goal.id ?? '';
      this.look();
      if (node?.task !== null && node?.task !== undefined) story.send.runs(node.task.taskId, goal);
    }
    for (const agent of new Set(killed)) {
      const task = story.node(agent)?.taskId;
      if (task === null || task === undefined) continue;
      story.send.update(task, 'TASK_KILLED');
    }
    this.look();
    for (const agent of new Set(killed)) this.relaunch(agent);
    const asked = [...new Set([...upgraded, ...killed])];
    this.changed.push(...asked);
    return asked;
  }

  /** The agent is offered, and its new task runs. */
  relaunch(agent: string): void {
    const { story } = this;
    story.send.offer(agent);
    const task = story.node(agent)?.taskId;
    if (task === null || task === undefined) return;
    story.send.update(task, 'TASK_RUNNING');
    if (!this.broken.has(agent)) story.send.healthy(task);
  }

  look(): void {
    const down = this.agents.filter((agent) => this.story.node(agent)?.state !== 'healthy').length;
    this.mostDown = Math.max(this.mostDown, down);
  }

  /** Rolls on, gate by gate, until nothing is asked any more. */
  finish(): string[][] {
    const rounds: string[][] = [];
    for (let round = 0; round < 100; round += 1) {
      const asked = this.obey();
      if (asked.length > 0) rounds.push(asked);
      this.look();
      if (asked.length === 0 && round > 0) break;
      this.story.after(ROLLOUT.gateMs);
    }
    return rounds;
  }

  goals(): Record<string, string | null> {
    return Object.fromEntries(this.agents.map((agent) => [agent, this.story.node(agent)?.goal ?? null]));
  }
}

/** The same goal for all of the agents. */
export const all = (agents: readonly string[], goal: string): Record<string, string> =>
  Object.fromEntries(agents.map((agent) => [agent, goal]));
