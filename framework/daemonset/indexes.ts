/** Sets of nodes that follow from the nodes themselves, kept up to date for those that a step has touched. */
import { leaveTurns } from '../offers/turns.ts';
import type { DaemonsetState, Node } from './state.ts';

export function indexNode(state: DaemonsetState, node: Node): void {
  const { agentId } = node.agent;
  const isThere = state.nodes.get(agentId) === node;
  const { task } = node;
  keep(state.inFlight, agentId, isThere && (task?.phase === 'launching' || task?.phase === 'starting'));
  keep(state.unwell, agentId, isThere && task?.phase === 'running' && task.health?.healthy === false);
  keep(state.unclean, agentId, isThere && (task !== null || node.strays.size > 0 || node.reserved !== null));
  if (!isThere || task !== null || !node.placed.wanted) leaveTurns(state.turns, agentId);
  if (!isThere) state.away.delete(agentId);
}

function keep<T>(set: Set<T>, member: T, isIn: boolean): void {
  if (isIn) set.add(member);
  else if (set.size > 0) set.delete(member);
}
