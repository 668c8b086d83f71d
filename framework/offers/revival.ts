/**
 * Asking for offers. Offers are never suppressed, only declined for long, so a new agent is always offered by itself; but an
 * agent that was declined and now needs its task must be asked for. REVIVE is for whole roles: every agent is offered
 * again, so it is sent at once when work appears, once a second at most, and ever less often while nothing comes.
 */

import type { Step } from '../daemonset/effects.ts';
import type { Node } from '../daemonset/state.ts';
import type { CallBody } from '../mesos-http-client/messages.ts';

const MIN_INTERVAL_MS = 1_000;
const MAX_INTERVAL_MS = 300_000;
/**
 * What is new, or more than was declined, is offered by itself within an allocation interval (1 s): a new agent, what a
 * task that ended had, an agent whose filter is over. (Mesos, allocator/mesos/hierarchical.cpp, RefusedOfferFilter.)
 */
export const OFFER_GRACE_MS = 2_000;

/** True when nothing but an offer is missing for a launch. */
export function isReady(node: Node, now: number): boolean {
  if (node.task !== null || node.strays.size > 0 || node.draining || node.listing === 'missing') return false;
  if (!node.placed.wanted || isAway(node, now)) return false;
  return node.notBefore === null || node.notBefore <= now;
}

/** True in the time that the operator has set for maintenance. */
export function isAway(node: Node, now: number): boolean {
  const { maintenance } = node;
  if (maintenance === null || now < maintenance.from) return false;
  return maintenance.until === null || now < maintenance.until;
}

/** The node may have become ready: wants an offer now, or after `graceMs` in which one should come by itself. */
export function wantOffer(step: Step, node: Node, graceMs = 0): void {
  if (!isReady(node, step.now)) return;
  node.waitingSince ??= step.now;
  if (graceMs > 0) {
    step.arm(node, 'hungry', step.now + graceMs);
    return;
  }
  hunger(step, node);
}

/** The node's reserved resources are to be offered, so that they can be given back. */
export function wantRelease(step: Step, node: Node): void {
  hunger(step, node);
}

function hunger(step: Step, node: Node): void {
  const { revival } = step.state;
  if (revival.hungry.has(node.agent.agentId)) return;
  revival.hungry.add(node.agent.agentId);
  revival.delay = MIN_INTERVAL_MS;
  revival.at = Math.max(step.now, revival.lastAt + MIN_INTERVAL_MS);
}

/** An offer came (and was used or has a short filter), or the node needs none any more. */
export function offerCame(step: Step, node: Node): void {
  step.disarm(node, 'hungry');
  node.waitingSince = null;
  step.state.revival.hungry.delete(node.agent.agentId);
}

/** After a subscription: filters of the one before may still hold. */
export function reviveSoon(step: Step): void {
  const { revival } = step.state;
  if (revival.hungry.size > 0) revival.at = Math.max(step.now, revival.lastAt + MIN_INTERVAL_MS);
}

/** At the end of every step: REVIVE if it is time. */
export function reviveIfDue(step: Step): void {
  const { revival, subscribed } = step.state;
  if (revival.hungry.size === 0) {
    revival.at = null;
    return;
  }
  if (!subscribed || revival.at === null || revival.at > step.now) return;
  const revive: CallBody = { type: 'REVIVE' };
  step.call(revive);
  step.state.counters.revives += 1;
  revival.lastAt = step.now;
  revival.at = step.now + revival.delay;
  revival.delay = Math.min(MAX_INTERVAL_MS, revival.delay * 2);
}
