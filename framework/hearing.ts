/** From what the master says to what the core is told. */
import type { DaemonsetEvent } from './daemonset/events.ts';
import type { AgentId, Event, Offer } from './mesos-http-client/messages.ts';

/**
 * A master offers all that it has at once. So much of it is worked on in one go: what else happens, and the proxies'
 * control streams, must not wait for thousands.
 */
const MOST_OFFERS = 100;
const MOST_AGENTS = 500;

/** Nothing for what is nothing to the core: signs of life, and what only the shell has to do with. */
export function eventsOf(event: Event): DaemonsetEvent[] {
  switch (event.type) {
    case 'SUBSCRIBED':
      return [{ type: 'subscribed', frameworkId: event.subscribed.framework_id.value }];
    case 'OFFERS':
      return portionsOf(event.offers.offers);
    case 'INVERSE_OFFERS':
      return [{ type: 'inverse-offers', offers: event.inverse_offers.inverse_offers }];
    case 'RESCIND_INVERSE_OFFER':
      return [{ type: 'inverse-offer-rescinded', offerId: event.rescind_inverse_offer.inverse_offer_id.value }];
    case 'UPDATE':
      return [{ type: 'update', status: event.update.status }];
    case 'FAILURE':
      // Of an executor alone: the task's own update tells more.
      return event.failure.executor_id === undefined ? [{ type: 'agent-failure' }] : [];
    default:
      return [];
  }
}

/** What one agent offers stays together: it may be used together. */
function portionsOf(offers: readonly Offer[]): DaemonsetEvent[] {
  if (offers.length <= MOST_OFFERS) return [{ type: 'offers', offers }];
  const byAgent = new Map<AgentId, Offer[]>();
  for (const offer of offers) {
    const its = byAgent.get(offer.agent_id.value);
    if (its === undefined) byAgent.set(offer.agent_id.value, [offer]);
    else its.push(offer);
  }
  const portions: Offer[][] = [];
  let portion: Offer[] = [];
  for (const its of byAgent.values()) {
    if (portion.length + its.length > MOST_OFFERS && portion.length > 0) {
      portions.push(portion);
      portion = [];
    }
    portion.push(...its);
  }
  return [...portions, portion].map((some) => ({ type: 'offers', offers: some }));
}

/** A list of agents, in parts for the same reason. */
export function partsOfList(list: Extract<DaemonsetEvent, { type: 'agents' }>): DaemonsetEvent[] {
  const { registered } = list;
  const parts: DaemonsetEvent[] = [];
  let from = 0;
  for (; registered.length - from > MOST_AGENTS; from += MOST_AGENTS) {
    parts.push({ type: 'some-agents', registered: registered.slice(from, from + MOST_AGENTS) });
  }
  const before = registered.slice(0, from).map((listed) => listed.view.agentId);
  return [...parts, { ...list, registered: registered.slice(from), before }];
}

/** No offer is kept, so only one that still waits in the queue can be spared the way to the master and back. */
export function withoutOffer(waiting: DaemonsetEvent, id: string): DaemonsetEvent {
  if (waiting.type !== 'offers' || !waiting.offers.some((offer) => offer.id.value === id)) return waiting;
  return { type: 'offers', offers: waiting.offers.filter((offer) => offer.id.value !== id) };
}
