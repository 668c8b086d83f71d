/** ACCEPT at the master: RESERVE, UNRESERVE and LAUNCH in order, with exactly what was offered. */
import type { CallBody, Resource, TaskInfo } from '../../../framework/mesos-http-client/messages.ts';
import type { AgentEntry, OutstandingOffer } from './entry.ts';
import type { Master } from './master.ts';
import { Pools } from './pools.ts';

type Accept = Extract<CallBody, { type: 'ACCEPT' }>['accept'];

/** A change of reservations, as the agent does it too. */
type Change = (total: Pools) => void;

export function answerAccept(master: Master, accept: Accept): void {
  const { allocator, context } = master;
  const offers = accept.offer_ids.map(({ value }) => allocator.offers.get(value));
  const valid = offers.filter((offer): offer is OutstandingOffer => offer !== undefined);
  for (const offer of valid) allocator.offers.delete(offer.id);
  const [first] = valid;
  const tasks = (accept.operations ?? []).flatMap((operation) =>
    operation.type === 'LAUNCH' ? operation.launch.task_infos : [],
  );
  const mixed = valid.some((offer) => offer.entry !== first?.entry || offer.role !== first.role);
  if (first === undefined || valid.length < offers.length || mixed) {
    context.tally.count('network', 'invalid offer accepted');
    for (const task of tasks) refuse(master, task, 'REASON_INVALID_OFFERS');
    for (const offer of valid) allocator.look(offer.entry);
    return;
  }
  const { entry, role } = first;
  if (master.agents.get(entry.id) !== entry || entry.state !== 'registered') {
    for (const task of tasks) refuse(master, task, 'REASON_AGENT_REMOVED');
    return;
  }
  const left = new Pools();
  for (const offer of valid) left.addAll(offer.pools);
  const changes: Change[] = [];
  for (const operation of accept.operations ?? []) {
    switch (operation.type) {
      case 'RESERVE':
      case 'UNRESERVE': {
        const isReserve = operation.type === 'RESERVE';
        const resources = isReserve
          ? operation.type === 'RESERVE' && operation.reserve.resources
          : operation.type === 'UNRESERVE' && operation.unreserve.resources;
        const change = resources ? move(resources, isReserve, left) : null;
        context.tally.count('network', `${operation.type} ${change === null ? 'refused' : 'done'}`);
        if (change === null) break;
        change(left);
        change(entry.total);
        changes.push(change);
        break;
      }
      case 'LAUNCH':
        for (const task of operation.launch.task_infos) launch(master, entry, task, left, changes.splice(0));
        break;
      default:
        throw new Error(`the model has no operation ${operation.type}`);
    }
  }
  if (changes.length > 0) {
    const { agent } = entry;
    agent.owesRelease = true;
    agent.receive(() => {
      agent.owesRelease = false;
      for (const change of changes) change(agent.total);
    });
  }
  allocator.filter(entry, role, left, accept.filters?.refuse_seconds ?? 5);
}

/** Null: not what was offered, so the operation is dropped without a word. */
function move(resources: readonly Resource[], isReserve: boolean, left: Pools): Change | null {
  const base = Pools.of(resources.map((one) => ({ ...one, reservations: (one.reservations ?? []).slice(0, -1) })));
  const held = Pools.of(resources);
  if (base === null || held === null) return null;
  const [from, to] = isReserve ? [base, held] : [held, base];
  if (!left.has(from)) return null;
  return (total) => {
    if (!total.has(from)) return;
    total.takeAll(from);
    total.addAll(to);
  };
}

function launch(master: Master, entry: AgentEntry, task: TaskInfo, left: Pools, changes: readonly Change[]): void {
  const pools = Pools.of(task.resources);
  if (pools === null || !left.has(pools)) {
    master.context.tally.count('network', 'launch with what was not offered');
    return refuse(master, task, 'REASON_TASK_INVALID', 'TASK_ERROR');
  }
  left.takeAll(pools);
  const taskId = task.task_id.value;
  entry.tasks.set(taskId, { taskId, state: 'TASK_STAGING', uuid: null, resources: pools });
  const goalId = task.labels?.labels?.find(({ key }) => key === 'goal')?.value ?? '';
  const { agent } = entry;
  agent.receive(() => {
    for (const change of changes) change(agent.total);
    agent.launch(taskId, goalId, pools);
  });
}

function refuse(
  master: Master,
  task: TaskInfo,
  reason: string,
  state: 'TASK_DROPPED' | 'TASK_ERROR' = 'TASK_DROPPED',
): void {
  master.status(task.agent_id.value, task.task_id.value, state, reason);
}
