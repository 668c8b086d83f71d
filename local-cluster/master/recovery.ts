/** What outlives a master, in Mesos in the replicated log: written here, and read by the next one. */
import { agentUnreachable } from './agent-lifecycle.ts';
import type { AgentLink, MasterRegistry } from './agents.ts';
import type { MasterContext } from './context.ts';

export function registryOf(context: MasterContext): MasterRegistry {
  const agents = context.agents.all();
  return {
    agents: agents.map((agent) => ({ ...agent.info, id: { value: agent.id } })),
    unreachable: agents.filter((agent) => agent.link.kind === 'unreachable').map((agent) => agent.id),
    gone: [...context.agents.gone],
    deactivated: agents.filter((agent) => agent.deactivated).map((agent) => agent.id),
    drains: new Map(agents.flatMap((agent) => (agent.drain === null ? [] : [[agent.id, agent.drain]]))),
    maintenance: context.maintenance.state,
  };
}

/** The agents of before are known, and awaited for `agentReregisterTimeoutMs`. */
export function recover(context: MasterContext, registry: MasterRegistry): void {
  const now = context.clock.now();
  for (const id of registry.gone) context.agents.gone.add(id);
  for (const info of registry.agents) {
    const id = info.id?.value;
    if (id === undefined || context.agents.gone.has(id)) continue;
    const unreachable = registry.unreachable?.includes(id) === true;
    const link: AgentLink = unreachable ? { kind: 'unreachable', since: now } : { kind: 'recovered' };
    const agent = context.agents.add(id, info, link, now);
    agent.deactivated = registry.deactivated?.includes(id) === true;
    agent.drain = registry.drains?.get(id) ?? null;
  }
  if (registry.maintenance !== undefined) context.maintenance.restore(registry.maintenance);
  context.clock.after(context.settings.agentReregisterTimeoutMs, () => {
    for (const agent of context.agents.recovered()) agentUnreachable(context, agent);
  });
}
