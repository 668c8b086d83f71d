/** Whether a node is to have a task: the operator's constraints, and whether anything is to be left at all. */
import type { AgentView } from '../agent.ts';
import { type Count, countsOf, mismatch } from '../offers/constraints.ts';
import { release } from '../offers/release.ts';
import { offerCame, wantOffer } from '../offers/revival.ts';
import { joinRollout, leaveRollout } from '../rollout/rollout.ts';
import { killTask } from '../tasks/kills.ts';
import type { Step } from './effects.ts';
import type { Node, Placed } from './state.ts';

const WANTED: Placed = { wanted: true };

/** Call when the node is new, or what is known of its agent has changed, or the rules have. */
export function placeNode(step: Step, node: Node): void {
  const before = node.placed;
  node.placed = placed(step, node);
  if (!node.placed.wanted) {
    step.touched.add(node);
    evict(step, node);
  } else if (!before.wanted) {
    step.touched.add(node);
    welcome(step, node);
  }
}

/** The agent is not what it was: what it counted for, and does no longer, another may have. */
export function changeAgent(step: Step, node: Node, view: AgentView): void {
  const { constraints } = step.environment.settings;
  const kept = new Set(countsOf(constraints, view).map(({ key }) => key));
  const lost = countsOf(constraints, node.agent).filter(({ key }) => !kept.has(key));
  node.agent = view;
  giveUp(step, node, lost, true);
  placeNode(step, node);
}

/** The node goes: what it counted for, another may have. */
export function leavePlacement(step: Step, node: Node): void {
  giveUpCounts(step, node, true);
}

function placed(step: Step, node: Node): Placed {
  const { state, environment } = step;
  if (state.mode !== 'keep') return { wanted: false, why: 'everything is being uninstalled' };
  const { constraints } = environment.settings;
  if (constraints.length === 0) return WANTED;
  const why = mismatch(constraints, node.agent);
  if (why !== null) {
    giveUpCounts(step, node, true);
    return { wanted: false, why };
  }
  return takeCounts(step, node);
}

/** All of the counts or none of them. */
function takeCounts(step: Step, node: Node): Placed {
  const { counted } = step.state;
  const { agentId } = node.agent;
  const counts = countsOf(step.environment.settings.constraints, node.agent);
  for (const count of counts) {
    const holding = counted.get(count.key);
    if (holding === undefined || holding.holders.has(agentId) || holding.holders.size < count.most) continue;
    holding.refused.add(agentId);
    giveUpCounts(step, node, false);
    return { wanted: false, why: count.full };
  }
  for (const { key } of counts) {
    const holding = counted.get(key) ?? { holders: new Set(), refused: new Set() };
    holding.holders.add(agentId);
    holding.refused.delete(agentId);
    counted.set(key, holding);
  }
  return WANTED;
}

function giveUpCounts(step: Step, node: Node, forGood: boolean): void {
  giveUp(step, node, countsOf(step.environment.settings.constraints, node.agent), forGood);
}

function giveUp(step: Step, node: Node, counts: readonly Count[], forGood: boolean): void {
  const { agentId } = node.agent;
  const { counted, nodes } = step.state;
  for (const { key } of counts) {
    const holding = counted.get(key);
    if (holding === undefined) continue;
    if (forGood) holding.refused.delete(agentId);
    if (!holding.holders.delete(agentId)) continue;
    const [next] = holding.refused;
    const other = next === undefined ? undefined : nodes.get(next);
    if (other !== undefined) placeNode(step, other);
  }
}

function evict(step: Step, node: Node): void {
  offerCame(step, node);
  leaveRollout(step, node);
  if (step.state.frozen) return;
  if (node.task === null) release(step, node);
  else if (node.task.phase !== 'lost' && node.task.phase !== 'unreachable') killTask(step, node, 'eviction');
}

function welcome(step: Step, node: Node): void {
  joinRollout(step, node);
  wantOffer(step, node);
}
