/**
 * ACCEPT and DECLINE: offers are spent on operations, one after the other, and what is left goes back with a filter.
 * Always 202 for the caller; what went wrong comes as updates.
 */
import type {
  CallBody,
  Filters,
  OfferId,
  Operation,
  TaskInfo,
  TaskState,
} from '../../framework/mesos-http-client/messages.ts';
import { tell } from './agent-tell.ts';
import { type AgentRecord, use } from './agents.ts';
import { rescindOffersOf } from './allocation.ts';
import type { MasterContext } from './context.ts';
import { type FrameworkRecord, hasCapability, isPartitionAware, sendTo } from './frameworks.ts';
import { type OfferRecord, refusalMs } from './offers.ts';
import { operationFailed, operationFinished } from './operation-feedback.ts';
import { apply, convert, type ResourceOperation, volumesIn } from './operations.ts';
import { operatorTask } from './operator-json.ts';
import { add, checkpointedOf, normalise, type Resources, subtract, unallocate } from './resources.ts';
import { masterStatus } from './statuses.ts';
import { validateTask } from './task-validation.ts';
import type { TaskRecord } from './tasks.ts';

type Accept = Extract<CallBody, { type: 'ACCEPT' }>['accept'];
type Decline = Extract<CallBody, { type: 'DECLINE' }>['decline'];

/** Offers of one agent and one role that are being spent. */
interface Purchase {
  readonly framework: FrameworkRecord;
  readonly agent: AgentRecord;
  readonly role: string;
  /** What is left, allocated to the role. */
  left: Resources;
}

export function accept(context: MasterContext, framework: FrameworkRecord, call: Accept): void {
  const ids = call.offer_ids.map((id) => id.value);
  const operations = call.operations ?? [];
  const problem = invalidOffers(context, framework, ids);
  const offers = takeOffers(context, framework, ids);
  const [first] = offers;
  const agent = first === undefined ? undefined : context.agents.get(first.agentId);
  if (problem !== null || first === undefined || agent === undefined) {
    refuseAll(context, framework, operations, problem ?? 'No offers specified');
  } else {
    const left = offers.reduce<Resources>((sum, offer) => add(sum, offer.resources), []);
    const purchase: Purchase = { framework, agent, role: first.role, left };
    for (const operation of operations) perform(context, purchase, operation);
    refuse(context, purchase, call.filters);
  }
  context.requestAllocation();
}

export function decline(context: MasterContext, framework: FrameworkRecord, call: Decline): void {
  for (const { value } of call.offer_ids) {
    for (const offer of takeOffers(context, framework, [value])) {
      const agent = context.agents.get(offer.agentId);
      if (agent !== undefined)
        refuse(context, { framework, agent, role: offer.role, left: offer.resources }, call.filters);
    }
  }
  context.requestAllocation();
}

/** The reason why the offers cannot be used together, in the words of Mesos; null if they can. */
function invalidOffers(context: MasterContext, framework: FrameworkRecord, ids: readonly OfferId[]): string | null {
  const [firstId] = ids;
  if (firstId === undefined) return 'No offers specified';
  const first = context.offers.get(firstId);
  for (const [index, id] of ids.entries()) {
    const offer = context.offers.get(id);
    if (offer === undefined || first === undefined) return `Offer ${id} is no longer valid`;
    if (ids.indexOf(id) !== index) return `Duplicate offer ${id} in offer list`;
    if (offer.frameworkId !== framework.id) {
      return `Offer ${id} has invalid framework ${offer.frameworkId} while framework ${framework.id} is expected`;
    }
    if (offer.agentId !== first.agentId) {
      return `Aggregated offers must belong to one single agent. Offer ${id} uses agent ${offer.agentId} and agent ${first.agentId}`;
    }
    if (offer.role !== first.role) {
      return `Aggregated offers must be allocated to the same role. Offer ${id} uses role '${offer.role}' and role '${first.role}'`;
    }
  }
  return null;
}

/** An offer that was named in an answer is gone, whatever the answer was worth. */
function takeOffers(context: MasterContext, framework: FrameworkRecord, ids: readonly OfferId[]): OfferRecord[] {
  return [...new Set(ids)].flatMap((id) => {
    const offer = context.offers.get(id);
    if (offer === undefined || offer.frameworkId !== framework.id) return [];
    context.offers.remove(id);
    return [offer];
  });
}

function refuseAll(
  context: MasterContext,
  framework: FrameworkRecord,
  operations: readonly Operation[],
  problem: string,
): void {
  const state: TaskState = isPartitionAware(framework) ? 'TASK_DROPPED' : 'TASK_LOST';
  for (const operation of operations) {
    for (const task of tasksOf(operation)) {
      const message = `Task launched with invalid offers: ${problem}`;
      tellTask(context, framework, task, state, 'REASON_INVALID_OFFERS', message);
    }
    operationFailed(framework, null, operation, 'OPERATION_DROPPED', problem);
  }
}

function perform(context: MasterContext, purchase: Purchase, operation: Operation): void {
  switch (operation.type) {
    case 'LAUNCH':
      for (const task of operation.launch.task_infos) launch(context, purchase, task);
      return;
    case 'LAUNCH_GROUP':
      for (const task of tasksOf(operation)) {
        const message = 'Task groups are not supported here: use LAUNCH';
        tellTask(context, purchase.framework, task, 'TASK_ERROR', 'REASON_TASK_GROUP_INVALID', message);
      }
      return;
    default:
      performConversion(context, purchase, operation);
  }
}

function launch(context: MasterContext, purchase: Purchase, task: TaskInfo): void {
  const { framework, agent, role } = purchase;
  const injected = task.resources.map((resource) => ({
    ...resource,
    allocation_info: resource.allocation_info ?? { role },
  }));
  // Not merged yet: a refusal prints what was asked for.
  const needs = injected.map(normalise);
  const error = validateTask(task, needs, {
    agentId: agent.id,
    available: purchase.left,
    isTaken: (id) => framework.tasks.has(id) || framework.unreachable.has(id),
  });
  if (error !== null) {
    tellTask(context, framework, task, 'TASK_ERROR', 'REASON_TASK_INVALID', error);
    return;
  }
  const info: TaskInfo = { ...task, resources: injected };
  const resources = add([], needs);
  const record: TaskRecord = {
    id: task.task_id.value,
    frameworkId: framework.id,
    agentId: agent.id,
    info,
    resources,
    state: 'TASK_STAGING',
    statuses: [],
    update: null,
  };
  purchase.left = subtract(purchase.left, resources);
  use(agent, resources);
  framework.tasks.set(record.id, record);
  if (context.operators.watched) {
    context.operators.send({ type: 'TASK_ADDED', task_added: { task: operatorTask(record) } });
  }
  const frameworkInfo = framework.info;
  tell(agent, (endpoint) => endpoint.runTask(framework.id, frameworkInfo, info));
}

function performConversion(context: MasterContext, purchase: Purchase, operation: ResourceOperation): void {
  const { framework, agent, role } = purchase;
  // Recorded: other offers with a volume that is to be destroyed are taken back, even if it is not destroyed then.
  if (operation.type === 'DESTROY') rescindOffersOf(context, agent.id, volumesIn(operation));
  const conversion = convert(operation, {
    role,
    principal: framework.info.principal,
    refined: hasCapability(framework.info, 'RESERVATION_REFINEMENT'),
    available: purchase.left,
  });
  if (conversion.kind === 'refused') {
    operationFailed(framework, agent, operation, 'OPERATION_ERROR', conversion.reason);
    return;
  }
  purchase.left = apply(purchase.left, conversion);
  agent.total = apply(agent.total, {
    kind: 'converted',
    consumed: unallocate(conversion.consumed),
    converted: unallocate(conversion.converted),
  });
  const checkpointed = checkpointedOf(agent.total);
  tell(agent, (endpoint) => endpoint.checkpoint(checkpointed));
  operationFinished(context, framework, agent, operation);
}

/** What was not used goes back, with a filter that keeps this framework from being offered it again at once. */
function refuse(context: MasterContext, purchase: Purchase, filters: Filters | undefined): void {
  if (purchase.left.length === 0) return;
  context.filters.add({
    frameworkId: purchase.framework.id,
    role: purchase.role,
    agentId: purchase.agent.id,
    refused: unallocate(purchase.left),
    until: refusedUntil(context, refusalMs(filters)),
  });
}

/** As in Mesos: refusing for no time means until the next allocation, for any time at least one interval. */
function refusedUntil(context: MasterContext, ms: number): number {
  if (ms === 0) return context.nextRoundAt();
  return context.clock.now() + Math.max(ms, context.settings.allocationIntervalMs);
}

function tasksOf(operation: Operation): readonly TaskInfo[] {
  if (operation.type === 'LAUNCH') return operation.launch.task_infos;
  if (operation.type !== 'LAUNCH_GROUP') return [];
  const group = operation.launch_group as { task_group?: { tasks?: TaskInfo[] } } | undefined;
  return group?.task_group?.tasks ?? [];
}

function tellTask(
  context: MasterContext,
  framework: FrameworkRecord,
  task: TaskInfo,
  state: TaskState,
  reason: string,
  message: string,
): void {
  const status = masterStatus({
    taskId: task.task_id.value,
    agentId: task.agent_id.value,
    state,
    reason,
    message,
    now: context.clock.now(),
  });
  sendTo(framework, { type: 'UPDATE', update: { status } });
}
