/** From what the master says to what the core is told. */
import type { DaemonsetEvent } from './daemonset/events.ts';
import type { Event } from './mesos-http-client/messages.ts';

/** Null for what is nothing to the core: signs of life, and what only the shell has to do with. */
export function eventOf(event: Event): DaemonsetEvent | null {
  switch (event.type) {
    case 'SUBSCRIBED':
      return { type: 'subscribed', frameworkId: event.subscribed.framework_id.value };
    case 'OFFERS':
      return { type: 'offers', offers: event.offers.offers };
    case 'INVERSE_OFFERS':
      return { type: 'inverse-offers', offers: event.inverse_offers.inverse_offers };
    case 'RESCIND_INVERSE_OFFER':
      return { type: 'inverse-offer-rescinded', offerId: event.rescind_inverse_offer.inverse_offer_id.value };
    case 'UPDATE':
      return { type: 'update', status: event.update.status };
    case 'FAILURE':
      // Of an executor alone: the task's own update tells more.
      return event.failure.executor_id === undefined ? { type: 'agent-failure' } : null;
    default:
      return null;
  }
}

/** No offer is kept, so only one that still waits in the queue can be spared the way to the master and back. */
export function withoutOffer(waiting: DaemonsetEvent, id: string): DaemonsetEvent {
  if (waiting.type !== 'offers' || !waiting.offers.some((offer) => offer.id.value === id)) return waiting;
  return { type: 'offers', offers: waiting.offers.filter((offer) => offer.id.value !== id) };
}
