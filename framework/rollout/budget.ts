/**
 * How many nodes the scheduler itself has down, for a rollout or for their health, and whether there is room for one more.
 * It is in the nodes' records, so that it holds over the end of a scheduler.
 */
import type { Step } from '../daemonset/effects.ts';
import type { DaemonsetState, Node } from '../daemonset/state.ts';
import type { AgentId } from '../mesos-http-client/messages.ts';

/** How many more nodes may be taken down now, for whatever reason. */
export function roomToTakeDown(state: DaemonsetState, most: number): number {
  return most - (state.rollout?.active.size ?? 0) - state.down.size;
}

/** The node counts against what may be unavailable already: taking it down costs nothing more. */
export function isCounted(state: DaemonsetState, { down, agent: { agentId } }: Node): boolean {
  return down || state.rollout?.active.has(agentId) === true;
}

/** One that is told to go may still look healthy. */
export function isWell(state: DaemonsetState, id: AgentId): boolean {
  const node = state.nodes.get(id);
  return node?.killing === null && node.task?.health?.healthy === true;
}

/** Seen to be unwell by this scheduler. */
export function isUnwell(state: DaemonsetState, id: AgentId): boolean {
  return state.nodes.get(id)?.task?.health?.healthy === false;
}

/** Whether the node is down by the scheduler's doing, apart from those that a rollout is at. */
export function noteDown(step: Step, node: Node, isDown: boolean): void {
  // Of one that is to have no task nothing is expected.
  const down = isDown && node.placed.wanted;
  if (node.down === down) return;
  node.down = down;
  if (down) step.state.down.add(node.agent.agentId);
  else step.state.down.delete(node.agent.agentId);
  step.persist(node);
}
