/**
 * Maintenance: the operator says when a machine goes. The framework is never in the way: it accepts, keeps its task until
 * the machine goes (the apps there still call through it), takes it away in time, and launches again when the machine is back.
 */
import type { Step } from '../daemonset/effects.ts';
import type { Maintenance, Node } from '../daemonset/state.ts';
import { type InverseOffer, millisecondsOf, type Offer, type OfferId } from '../mesos-http-client/messages.ts';
import { killTask } from '../tasks/kills.ts';
import { SERVED_REFUSE_SECONDS } from './launch.ts';
import { isAway, wantOffer } from './revival.ts';

export function answerInverseOffers(step: Step, offers: readonly InverseOffer[]): void {
  if (offers.length === 0) return;
  for (const offer of offers) {
    const node = offer.agent_id === undefined ? undefined : step.state.nodes.get(offer.agent_id.value);
    if (node !== undefined) schedule(step, node, windowOf(offer.unavailability, offer.id.value));
  }
  step.call({
    type: 'ACCEPT_INVERSE_OFFERS',
    accept_inverse_offers: {
      inverse_offer_ids: offers.map((offer) => ({ value: offer.id.value })),
      filters: { refuse_seconds: SERVED_REFUSE_SECONDS },
    },
  });
}

/** Any change of the operator's schedule takes all inverse offers back; those that still hold are made again. */
export function rescindInverseOffer(step: Step, id: OfferId): void {
  for (const node of step.state.away) {
    const found = step.state.nodes.get(node);
    if (found?.maintenance?.inverseOffer === id) schedule(step, found, null);
  }
}

/** What an offer says of the machine is the latest word. */
export function seeMaintenance(step: Step, node: Node, offer: Offer): void {
  const { unavailability } = offer;
  // The inverse offer that told of it first may still be taken back.
  if (unavailability !== undefined)
    schedule(step, node, windowOf(unavailability, node.maintenance?.inverseOffer ?? null));
  else if (node.maintenance !== null) schedule(step, node, null);
}

function schedule(step: Step, node: Node, window: Maintenance | null): void {
  const { agentId } = node.agent;
  node.maintenance = window;
  step.touched.add(node);
  step.disarm(node, 'maintenance');
  if (window === null) {
    step.state.away.delete(agentId);
    wantOffer(step, node);
    return;
  }
  step.state.away.add(agentId);
  meetMaintenance(step, node);
}

/** The deadline `maintenance`: the machine goes now, or is back. */
export function meetMaintenance(step: Step, node: Node): void {
  const { maintenance } = node;
  if (maintenance === null) return;
  if (step.now < maintenance.from) {
    step.arm(node, 'maintenance', maintenance.from);
  } else if (isAway(node, step.now)) {
    killTask(step, node, 'maintenance');
    if (maintenance.until !== null) step.arm(node, 'maintenance', maintenance.until);
  } else {
    schedule(step, node, null);
  }
}

function windowOf(unavailability: InverseOffer['unavailability'], inverseOffer: OfferId | null): Maintenance {
  const from = millisecondsOf(unavailability.start);
  const { duration } = unavailability;
  return { from, until: duration === undefined ? null : from + millisecondsOf(duration), inverseOffer };
}
