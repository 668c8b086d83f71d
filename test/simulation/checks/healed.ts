/** Invariant 2: what has to be so when the faults have stopped for long enough. An empty list: it is so. */

import type { Node, Settings } from '../../../framework/daemonset/state.ts';
import { mismatch } from '../../../framework/offers/constraints.ts';
import { isUnfinished } from '../../../framework/rollout/rollout-state.ts';
import type { Agent } from '../model/agent.ts';
import type { Master } from '../model/master.ts';
import type { Scheduler } from '../model/scheduler.ts';
import type { Store } from '../model/store.ts';

export function notHealed(
  master: Master,
  scheduler: Scheduler | null,
  store: Store,
  settings: Settings,
  isListed: boolean,
): string[] {
  if (scheduler === null || !scheduler.state.subscribed) return ['2: no scheduler is subscribed'];
  const { state } = scheduler;
  const found: string[] = [];
  const agents = [...master.agents.values()].map((entry) => entry.agent);
  for (const agent of agents) {
    const node = state.nodes.get(agent.id);
    if (node === undefined) found.push(`2: ${agent.id} has no node`);
    else found.push(...ofAgent(agent, node, scheduler, settings));
  }
  const known = new Set<string>(agents.map((agent) => agent.id));
  // Without the operator API nobody tells that an agent without a task is gone.
  for (const id of state.nodes.keys())
    if (isListed && !known.has(id))
      found.push(
        `2: the node ${id} is of no agent: ${state.nodes.get(id)?.task?.phase} ${state.nodes.get(id)?.listing} seen ${state.nodes.get(id)?.seenAt} now ${master.context.now}`,
      );
  for (const key of store.records.keys()) {
    if (isListed && key.startsWith('agents/') && !known.has(key.slice(7)))
      found.push(`2: the store has ${key}, which is of no agent`);
  }
  if (isUnfinished(state.rollout)) {
    const { record, queue, active, failed, begun } = state.rollout;
    found.push(
      `2: the rollout to ${record.goal.id} is ${record.status}, phase ${record.phase} of ${record.phases.length} ` +
        `(${record.strategy.kind}, begun ${begun}); waiting ${[...queue].join(' ')}; active ${[...active].join(' ')}; ` +
        `failed ${[...failed].join(' ')}; down ${[...state.down].map((id) => `${id} ${state.nodes.get(id)?.task?.health?.healthy} ${state.nodes.get(id)?.goal?.id} ${state.nodes.get(id)?.killing} ${state.nodes.get(id)?.task?.phase} ${state.nodes.get(id)?.placed.wanted}`).join(', ')}; most ${record.maxUnavailable}`,
    );
  }
  const stale = [...master.allocator.offers.values()].filter((offer) => master.context.now - offer.at > 5_000);
  for (const offer of stale) found.push(`4: the offer ${offer.id} of ${offer.entry.id} is never answered`);
  return found;
}

function ofAgent(agent: Agent, node: Node, { state }: Scheduler, settings: Settings): string[] {
  const where = `${agent.id} on ${agent.machine.name}`;
  const found: string[] = [];
  const alone = mismatch(settings.constraints, node.agent) === null;
  const counted = settings.constraints.some((one) => one.operator === 'AT_MOST');
  if (!alone && node.placed.wanted) found.push(`2: ${where} is placed against the constraints`);
  if (alone && !counted && !node.placed.wanted) found.push(`2: ${where} is left out: ${node.placed.why}`);
  if (node.strays.size > 0) found.push(`2: ${where} has strays`);
  const { ours } = agent.total;
  const live = agent.live;
  if (!node.placed.wanted) {
    if (live.length > 0) found.push(`2: ${where} has a proxy against the placement`);
    if (ours.cpus > 0 || ours.ports > 0 || node.reserved !== null) found.push(`2: ${where} is held for nothing`);
    return found;
  }
  const [task] = live;
  if (task === undefined || live.length > 1)
    return [
      ...found,
      `2: ${where} has ${live.length} proxies (${why(node)}, total ${JSON.stringify(agent.total.resources(''))} reserved ${node.reserved} public ${node.agent.isPublic})`,
    ];
  if (node.task?.taskId !== task.taskId)
    found.push(`2: ${where} runs ${task.taskId}, the node has ${node.task?.taskId}`);
  if (node.task?.phase !== 'running') found.push(`2: ${where} is ${node.task?.phase}`);
  if (node.task?.health?.healthy !== true)
    found.push(
      `2: ${where} is not healthy (${why(node)}, proxy hangs ${task.proxy?.isHung} links ${task.proxy?.leader !== null})`,
    );
  if (task.proxy?.goal.id !== state.completed?.id) {
    found.push(`2: ${where} runs ${task.proxy?.goal.id}, not ${state.completed?.id}`);
  }
  if (node.goal?.id !== task.proxy?.goal.id) found.push(`2: ${where} is taken for ${node.goal?.id}`);
  if (task.updates.length > 0) found.push(`2: an update of ${task.taskId} is never acknowledged`);
  return found;
}

const why = (node: Node): string =>
  `${node.task?.phase ?? 'no task'}, listing ${node.listing}, draining ${node.draining}, misfit ${JSON.stringify(node.misfit)}, not before ${node.notBefore}, health ${JSON.stringify(node.task?.health)}, killing ${node.killing}, deadlines ${JSON.stringify(node.deadlines)}`;
