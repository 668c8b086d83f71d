/** What operators ask of the scheduler: rollouts, the verbs of the plans, freeze and thaw, another configuration. */
import type { Order } from '../../framework/daemonset/events.ts';
import type { Goal } from '../../framework/rollout/goal.ts';
import { isBad } from '../../framework/rollout/judged.ts';
import { PLAN_VERBS, type PlanCommand } from '../../framework/rollout/plan-view.ts';
import { isUnfinished, type Rollout } from '../../framework/rollout/rollout-state.ts';
import { BAD, GOOD } from './model/goals.ts';
import { anyStrategy, type World } from './world.ts';

/** One order, whatever comes to mind. */
export function giveOrder(world: World): void {
  const { rng } = world.context;
  const dice = rng.next();
  if (dice < 0.4) rollOut(world, rng.chance(0.75));
  else if (dice < 0.75) send(world, { kind: 'plan', command: updateCommand(world) });
  else if (dice < 0.83) send(world, { kind: 'freeze', frozen: rng.chance(0.4) });
  else if (dice < 0.88) restartNode(world);
  else if (dice < 0.93) holdOut(world);
  else reconfigure(world);
}

function send(world: World, order: Order): void {
  const { leader, context } = world;
  if (leader === null) return;
  context.tally.count('order', order.kind === 'plan' ? `${order.command.plan} ${order.command.verb}` : order.kind);
  leader.push({ type: 'order', id: context.number(), order });
}

function rollOut(world: World, isGood: boolean): void {
  const goal = world.context.rng.pick(isGood ? GOOD : BAD);
  startWith(world, goal);
}

/** Another version comes with a new start, as the scheduler brings the proxy's code with it. */
function startWith(world: World, goal: Goal): void {
  world.goal = goal;
  world.strategy = anyStrategy(world.context);
  world.context.tally.count('order', 'roll-out');
  world.leader?.end('stopped for another version');
}

function updateCommand(world: World): PlanCommand {
  const { rng } = world.context;
  const verb = rng.pick(PLAN_VERBS);
  const state = world.leader?.state;
  // One that failed, or one that waits: that can be taken for done too.
  const [node] = [...(state?.rollout?.failed ?? []), ...(state?.rollout?.queue ?? [])];
  const phase = state?.rollout?.record.phases[0]?.name;
  if (node !== undefined && phase !== undefined && rng.chance(0.3)) return { plan: 'update', verb, phase, step: node };
  return { plan: 'update', verb };
}

/** The budget is not asked: it is what the operator wants. */
function restartNode(world: World): void {
  const nodes = [...(world.leader?.state.nodes.values() ?? [])];
  if (nodes.length === 0) return;
  const node = world.context.rng.pick(nodes);
  if (node.task !== null) world.checks.budget.ordered(node.task.taskId);
  const { agentId } = node.agent;
  send(world, { kind: 'plan', command: { plan: 'recovery', verb: 'restart', phase: 'nodes', step: agentId } });
}

/** A node is left out, or taken in again. */
function holdOut(world: World): void {
  const nodes = [...(world.leader?.state.nodes.values() ?? [])];
  if (nodes.length === 0) return;
  const { agent, heldOut } = world.context.rng.pick(nodes);
  send(world, { kind: 'hold-out', node: agent.agentId, why: heldOut === null ? 'the operator says so' : null });
}

/** Options change with a new start. */
function reconfigure(world: World): void {
  const { context } = world;
  if (context.rng.chance(0.6)) world.configureConstraints();
  else world.reserve = !world.reserve;
  context.fault('configuration changes', '');
  world.leader?.end('stopped for another configuration');
}

/** Without the operator API nobody tells that an agent which was taken down is gone: the operator has to. */
function forceLost(world: World, { record }: Rollout): void {
  const known = new Set<string>(world.agents.map((agent) => agent.id));
  const gone = [...(world.leader?.state.down ?? [])].find((id) => !known.has(id));
  const phase = record.phases[0]?.name;
  if (gone === undefined || phase === undefined) return;
  send(world, { kind: 'plan', command: { plan: 'update', verb: 'forceComplete', phase, step: gone } });
}

/** What is left of agents that are gone is left behind, by hand. */
export function leaveBehind(world: World): void {
  const known = new Set<string>(world.agents.map((agent) => agent.id));
  const [gone] = [...(world.leader?.state.unclean ?? [])].filter((id) => !known.has(id));
  if (gone === undefined) return;
  const command = { plan: 'deploy', verb: 'forceComplete', phase: 'unreserve-resources', step: gone } as const;
  send(world, { kind: 'plan', command });
}

/** In the end the operator wants one good version everywhere, and sees to it. */
export function settle(world: World): void {
  const { leader } = world;
  if (leader === null) return;
  const { state } = leader;
  if (state.frozen) return send(world, { kind: 'freeze', frozen: false });
  const out = [...state.nodes.values()].find(({ heldOut }) => heldOut !== null);
  if (out !== undefined) return send(world, { kind: 'hold-out', node: out.agent.agentId, why: null });
  const { rollout } = state;
  const aim = isUnfinished(rollout) ? rollout.record.goal : state.completed;
  const isBadAim = aim?.id.includes('-') === true;
  // What was turned back by chance is not begun again by itself.
  const isTurnedBack = isBad(state, world.goal) && !BAD.includes(world.goal);
  if (isTurnedBack && (isBadAim || state.completed?.id !== world.goal.id)) {
    if (rollout?.record.status !== 'running') {
      return send(world, { kind: 'plan', command: { plan: 'update', verb: 'start' } });
    }
    // Another start would only go on with what is under way, and give its steps their whole time again, for ever.
    if (isBadAim) return send(world, { kind: 'plan', command: { plan: 'update', verb: 'interrupt' } });
  }
  if (BAD.includes(world.goal) || isBadAim) {
    const [first] = GOOD;
    if (first === undefined) return;
    return startWith(world, first);
  }
  if (!isUnfinished(rollout)) return;
  if (!world.mayList) forceLost(world, rollout);
  if (rollout.record.status === 'running') return;
  send(world, { kind: 'plan', command: { plan: 'update', verb: 'continue' } });
}
