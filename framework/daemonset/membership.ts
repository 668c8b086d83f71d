/** Whether a node is to have a task: the operator's constraints, and whether anything is to be left at all. */
import type { AgentView } from '../agent.ts';
import type { AgentId } from '../mesos-http-client/messages.ts';
import { countsOf, mismatch } from '../offers/constraints.ts';
import { release } from '../offers/release.ts';
import { offerCame, wantOffer } from '../offers/revival.ts';
import { joinRollout, leaveRollout } from '../rollout/rollout.ts';
import { killTask } from '../tasks/kills.ts';
import type { Step } from './effects.ts';
import type { Holding, Node, Placed } from './state.ts';

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
  const lost = keysOf(step, node).filter((key) => !kept.has(key));
  node.agent = view;
  placeNode(step, node);
  giveUp(step, node, lost, true);
}

/** The node goes: what it counted for, another may have. */
export function leavePlacement(step: Step, node: Node): void {
  const { agentId } = node.agent;
  for (const key of [...keysOf(step, node), ...node.owed]) {
    step.state.counted.get(key)?.refused.delete(agentId);
    handOn(step, key, agentId);
  }
  node.owed = [];
}

/** The task of a node that was left out is dead: now another may have what it counted for. */
export function settleCounts(step: Step, node: Node): void {
  if (node.owed.length === 0 || isOccupied(node)) return;
  const owed = node.owed;
  node.owed = [];
  for (const key of owed) handOn(step, key, node.agent.agentId);
}

function placed(step: Step, node: Node): Placed {
  const { state, environment } = step;
  if (state.mode !== 'keep') return { wanted: false, why: 'everything is being uninstalled' };
  const { constraints } = environment.settings;
  if (constraints.length === 0 && node.heldOut === null) return WANTED;
  const why = node.heldOut ?? mismatch(constraints, node.agent);
  if (why !== null) {
    const keys = keysOf(step, node);
    // A task counts while it lives, whoever launched it under which constraints.
    if (isOccupied(node)) for (const key of keys) holdingOf(step, key).holders.add(node.agent.agentId);
    node.placed = { wanted: false, why };
    giveUp(step, node, keys, true);
    return node.placed;
  }
  return takeCounts(step, node);
}

/** All of the counts or none of them. */
function takeCounts(step: Step, node: Node): Placed {
  const { agentId } = node.agent;
  const counts = countsOf(step.environment.settings.constraints, node.agent);
  const followed: Node[] = [];
  for (const count of counts) {
    const holding = holdingOf(step, count.key);
    if (holding.holders.has(agentId) || holding.holders.size < count.most) continue;
    const before = predecessorOf(step, holding.holders, node);
    if (before !== null) {
      followed.push(before);
      continue;
    }
    holding.refused.add(agentId);
    node.placed = { wanted: false, why: count.full };
    giveUp(step, node, keysOf(step, node), false);
    return node.placed;
  }
  for (const { key } of counts) {
    const holding = holdingOf(step, key);
    for (const before of followed) holding.holders.delete(before.agent.agentId);
    holding.holders.add(agentId);
    holding.refused.delete(agentId);
  }
  const keys = new Set(counts.map(({ key }) => key));
  node.owed = node.owed.filter((key) => !keys.has(key));
  for (const before of followed) placeNode(step, before);
  return WANTED;
}

/**
 * The agent that was at this one's address before, and is not any more: Mesos removes an agent when another one registers at
 * its address (Master::_registerSlave), so that it will not come back.
 */
function predecessorOf({ state }: Step, holders: ReadonlySet<AgentId>, { agent, listing }: Node): Node | null {
  if (agent.port === null || listing === 'missing') return null;
  for (const holder of holders) {
    const other = state.nodes.get(holder);
    if (other === undefined || other.agent.ip !== agent.ip || other.agent.port !== agent.port) continue;
    if (other.listing === 'missing' || other.task?.phase === 'lost') return other;
  }
  return null;
}

/** There may be a live task of ours on the agent. */
const isOccupied = ({ task, strays }: Node): boolean => task !== null || strays.size > 0;

const keysOf = (step: Step, { agent }: Node): string[] =>
  countsOf(step.environment.settings.constraints, agent).map(({ key }) => key);

function holdingOf({ state }: Step, key: string): Holding {
  const holding = state.counted.get(key) ?? { holders: new Set(), refused: new Set() };
  state.counted.set(key, holding);
  return holding;
}

/** At once, or, by a node that is left out and whose task is still to be killed, when that is dead. */
function giveUp(step: Step, node: Node, keys: readonly string[], forGood: boolean): void {
  const { agentId } = node.agent;
  const later = !node.placed.wanted && isOccupied(node);
  for (const key of keys) {
    const holding = step.state.counted.get(key);
    if (holding === undefined) continue;
    if (forGood) holding.refused.delete(agentId);
    if (!holding.holders.has(agentId)) continue;
    if (!later) handOn(step, key, agentId);
    else if (!node.owed.includes(key)) node.owed = [...node.owed, key];
  }
}

function handOn(step: Step, key: string, from: AgentId): void {
  const holding = step.state.counted.get(key);
  if (holding?.holders.delete(from) !== true) return;
  const [next] = holding.refused;
  const other = next === undefined ? undefined : step.state.nodes.get(next);
  if (other !== undefined) placeNode(step, other);
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
