/** From what Mesos says of an agent, in an offer or in a list, to the view that the framework works with. */
import type { AgentView } from '../agent.ts';
import type { Attribute, FrameworkId, Offer, OperatorAgent, Resource } from '../mesos-http-client/messages.ts';
import { isOurs, outermostRole } from '../offers/reservations.ts';
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
    port: offer.url?.address.port ?? before?.port ?? null,
    // One offer shows one role's part of the agent: it can prove that an agent is public, not that it is private.
    isPublic: before?.isPublic === true || isPublic(offer.resources),
    attributes: attributesOf(offer.attributes),
    region: offer.domain?.fault_domain?.region?.name ?? null,
    zone: offer.domain?.fault_domain?.zone?.name ?? null,
  };
}

/** Null when the entry lacks an id or an address: an offer will bring them. */
export function viewOfListed(agent: OperatorAgent, frameworkId: FrameworkId | null): ListedAgent | null {
  const { agent_info: info, pid } = agent;
  const address = pid === undefined ? null : addressOfPid(pid);
  if (info.id === undefined || address === null) return null;
  const view: AgentView = {
    agentId: info.id.value,
    hostname: info.hostname,
    ...address,
    isPublic: isPublic(agent.total_resources) || isPublic(info.resources),
    attributes: attributesOf(info.attributes),
    region: info.domain?.fault_domain?.region?.name ?? null,
    zone: info.domain?.fault_domain?.zone?.name ?? null,
  };
  const total = agent.total_resources;
  return {
    view,
    deactivated: agent.deactivated === true,
    ports: total.flatMap((resource) => (resource.name === 'ports' ? (resource.ranges?.range ?? []) : [])),
    holdsOurs: total.length === 0 ? null : total.some((resource) => isOurs(resource, frameworkId)),
  };
}

/** `slave(1)@10.0.0.5:5051`, or with an IPv6 address in brackets. */
function addressOfPid(pid: string): { ip: string; port: number } | null {
  const match = /@\[?([^@\]]+)\]?:(\d+)$/.exec(pid);
  return match?.[1] === undefined ? null : { ip: match[1], port: Number(match[2]) };
}

/**
 * What is reserved below that role (`slave_public/nodemesh`) and to nobody above says nothing: a framework may hold what it
 * likes of a private agent under any role that it has.
 */
function isPublic(resources: readonly Resource[]): boolean {
  return resources.some((resource) => outermostRole(resource) === PUBLIC_ROLE);
}

/** As Mesos prints them, which is what Marathon's constraints compare with. */
function attributesOf(attributes: readonly Attribute[]): Record<string, string> {
  return Object.fromEntries(attributes.map((attribute) => [attribute.name, printed(attribute)]));
}

function printed({ text, scalar, ranges, set }: Attribute): string {
  if (text !== undefined) return text.value;
  if (scalar !== undefined) return String(scalar.value);
  if (ranges !== undefined) return `[${(ranges.range ?? []).map(({ begin, end }) => `${begin}-${end}`).join(', ')}]`;
  return `{${(set?.item ?? []).join(', ')}}`;
}
