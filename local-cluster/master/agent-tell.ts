/** How the master speaks to an agent: later, in order, and only while the link that it meant is up. */
import type { AgentEndpoint } from '../agent-link.ts';
import type { AgentRecord } from './agents.ts';

export function tell(agent: AgentRecord, say: (endpoint: AgentEndpoint) => void): void {
  const link = agent.link;
  if (link.kind !== 'connected') return;
  queueMicrotask(() => {
    if (agent.link === link) say(link.endpoint);
  });
}
