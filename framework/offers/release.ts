/**
 * Giving back what was reserved on an agent that is to have no task any more: its reserved resources have to be offered,
 * are unreserved in the answer, and a list of agents (or, without one, the next offer) tells that they are free.
 */
import type { Step } from '../daemonset/effects.ts';
import type { Node } from '../daemonset/state.ts';
import type { CallBody, OfferId, Resource } from '../mesos-http-client/messages.ts';
import { wantOffer, wantRelease } from './revival.ts';

/** After so long without a word it is looked at again. */
const PATIENCE_MS = 10_000;
/** What was unreserved is offered again soon, which tells that it worked. */
const REFUSE_SECONDS = 1;

/** No role's name may contain a space (src/common/roles.cpp), so no offer is of this one. */
const UNKNOWN_ROLE = 'not known';

/** The node has no task, and is to have none or none with resources of its own. */
export function release(step: Step, node: Node): void {
  if (step.state.frozen || !holdsInVain(step, node)) return;
  wantRelease(step, node);
  step.arm(node, 'release', step.now + PATIENCE_MS);
}

/** True for a node whose resources are held for nothing, or in a role that tasks are not launched in any more. */
export function holdsInVain({ environment }: Step, node: Node): boolean {
  const { reserve, roles } = environment.settings;
  const isNeeded = node.placed.wanted && reserve && node.reserved !== null && roles.includes(node.reserved);
  return node.reserved !== null && !isNeeded && node.task === null && node.strays.size === 0;
}

/** The deadline `release`. */
export function releaseAgain(step: Step, node: Node): void {
  if (step.state.frozen || !holdsInVain(step, node)) return;
  step.listAgents();
  release(step, node);
}

/** An offer of a node that holds resources in vain: true when it was used. */
export function unreserve(step: Step, node: Node, offerIds: readonly OfferId[], ours: readonly Resource[]): boolean {
  if (ours.length > 0) {
    step.call(unreserveCall(offerIds, ours));
    step.state.counters.unreserved += 1;
    step.listAgents();
    return true;
  }
  // All that is free was offered, and nothing of it is ours. A list of agents tells better, where there is one.
  if (step.state.isListed) step.listAgents();
  else released(step, node);
  return false;
}

/** Nothing of the agent is held for us any more. */
export function released(step: Step, node: Node): void {
  if (!holdsInVain(step, node)) return;
  node.reserved = null;
  step.disarm(node, 'release');
  step.state.revival.hungry.delete(node.agent.agentId);
  wantOffer(step, node);
  step.persist(node);
  const { agentId, hostname } = node.agent;
  step.log('info', 'the reserved resources of the agent are given back', { agentId, hostname });
}

/** A list of agents shows that resources are held for us there, and no record says so: an agent kept them under a new id. */
export function heldUnknown(step: Step, node: Node): void {
  node.reserved = UNKNOWN_ROLE;
  step.persist(node);
  release(step, node);
}

function unreserveCall(offerIds: readonly OfferId[], resources: readonly Resource[]): CallBody {
  return {
    type: 'ACCEPT',
    accept: {
      offer_ids: offerIds.map((value) => ({ value })),
      operations: [{ type: 'UNRESERVE', unreserve: { resources: [...resources] } }],
      filters: { refuse_seconds: REFUSE_SECONDS },
    },
  };
}
