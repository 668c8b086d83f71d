/** From what Mesos says of an agent, in an offer or in a list, to the view that the framework works with. */
import type { AgentView } from '../contract.ts';
import type { Attribute, Offer, OperatorAgent, Resource } from '../mesos-http-client/messages.ts';
import { rolesOf } from '../offers/placement.ts';
import type { ListedAgent } from './events.ts';

/** DC/OS marks a public agent by reserving all that it has to this role. */
const PUBLIC_ROLE = 'slave_public';

/** Null when neither the offer nor `before` knows the agent's address. */
export function viewOfOffer(offer: Offer, before: AgentView | undefined): AgentView | null {
  const ip = offer.url?.address.ip ?? before?.ip;
  if (ip === undefined) return null;
  return {
    agentId: offer.agent_id.value,
    hostname: offer.hostname,
    ip,
    // One offer shows one role's part of the agent: it can prove that an agent is public, not that it is private.
    isPublic: before?.isPublic === true || isPublic(offer.resources),
    attributes: textAttributes(offer.attributes),
  };
}

/** Null when the entry lacks an id or an address: an offer will bring them. */
export function viewOfListed(agent: OperatorAgent): ListedAgent | null {
  const { agent_info: info, pid } = agent;
  const ip = pid === undefined ? null : ipOfPid(pid);
  if (info.id === undefined || ip === null) return null;
  const view: AgentView = {
    agentId: info.id.value,
    hostname: info.hostname,
    ip,
    isPublic: isPublic(agent.total_resources) || isPublic(info.resources),
    attributes: textAttributes(info.attributes),
  };
  return { view, deactivated: agent.deactivated === true };
}

/** `slave(1)@10.0.0.5:5051`, or with an IPv6 address in brackets. */
function ipOfPid(pid: string): string | null {
  const match = /@\[?([^@\]]+)\]?:\d+$/.exec(pid);
  return match?.[1] ?? null;
}

function isPublic(resources: readonly Resource[]): boolean {
  return resources.some((resource) => rolesOf(resource)[0]?.split('/')[0] === PUBLIC_ROLE);
}

function textAttributes(attributes: readonly Attribute[]): Record<string, string> {
  const texts: Record<string, string> = {};
  for (const { name, text } of attributes) if (text !== undefined) texts[name] = text.value;
  return texts;
}
