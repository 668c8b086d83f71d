/** What goes on in a large cluster: of a hundred agents, one a minute meets with something. */
import type { DaemonsetEvent } from '../../../framework/daemonset/events.ts';
import type { Rng } from '../../simulation/rng.ts';
import type { ModelAgent } from './model-agent.ts';
import { healthOf, type ModelMesos } from './model-mesos.ts';

const SHARE_A_MINUTE = 0.01;

/** How often each happens, of ten. */
const MISHAPS = [
  'lost',
  'lost',
  'lost',
  'fails',
  'fails',
  'fails',
  'replaced',
  'replaced',
  'unwell',
  'unwell',
] as const;

/** Plans all that happens in `[from, from + ms)`. */
export function planChurn(mesos: ModelMesos, dice: Rng, from: number, ms: number): void {
  const count = Math.round((mesos.agents.size * SHARE_A_MINUTE * ms) / 60_000);
  for (let index = 0; index < count; index += 1) {
    const mishap = dice.pick(MISHAPS) ?? 'fails';
    mesos.agenda.plan(from + dice.below(ms), (now) => {
      const agents = [...mesos.agents.values()];
      const agent = dice.pick(agents);
      if (agent === undefined || !agent.isUp || agent.task === null) return null;
      return happen(mesos, dice, now, agent, agent.task, mishap);
    });
  }
}

function happen(
  mesos: ModelMesos,
  dice: Rng,
  now: number,
  agent: ModelAgent,
  task: NonNullable<ModelAgent['task']>,
  mishap: (typeof MISHAPS)[number],
): DaemonsetEvent {
  switch (mishap) {
    case 'lost': {
      mesos.setUp(agent, false);
      mesos.agenda.plan(now + 10, () => ({ type: 'agent-failure' }));
      const backAt = now + 20_000 + dice.below(100_000);
      const back = (then: () => DaemonsetEvent) => () => (mesos.agents.has(agent.id) && agent.isUp ? then() : null);
      mesos.agenda.plan(backAt, () => {
        mesos.setUp(agent, true);
        if (agent.task !== task) return null;
        return mesos.status(agent, task, 'TASK_RUNNING', {
          source: 'SOURCE_MASTER',
          reason: 'REASON_AGENT_REREGISTERED',
        });
      });
      mesos.agenda.plan(
        backAt + 10,
        back(() => ({ type: 'agent-added', agent: agent.listed() })),
      );
      // The proxy's stream breaks and comes back.
      mesos.agenda.plan(now + 5_000, () => healthOf(task, false));
      mesos.agenda.plan(
        backAt + 1_000,
        back(() => healthOf(task, true)),
      );
      return mesos.status(agent, task, 'TASK_UNREACHABLE', {
        source: 'SOURCE_MASTER',
        reason: 'REASON_AGENT_REMOVED',
        message: 'health check timed out',
      });
    }
    case 'fails':
      mesos.endTask(agent);
      return mesos.executorStatus(agent, task, 'TASK_FAILED', { message: 'Command exited with status 1' });
    case 'replaced': {
      mesos.removeAgent(agent);
      mesos.agenda.plan(now + 10, () => ({ type: 'agent-failure' }));
      mesos.agenda.plan(now + 20, () => ({ type: 'agent-removed', agentId: agent.id }));
      mesos.agenda.plan(now + 30_000, () => ({ type: 'agent-added', agent: mesos.addAgent().listed() }));
      return mesos.status(agent, task, 'TASK_GONE_BY_OPERATOR', { source: 'SOURCE_MASTER' });
    }
    case 'unwell':
      mesos.agenda.plan(now + 10_000, () => healthOf(task, true));
      return healthOf(task, false);
  }
}
