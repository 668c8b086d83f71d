/** Frameworks subscribe, lose their stream, come back, and are removed. */
import {
  type EventWire,
  type FrameworkId,
  frameworkId,
  type SubscribeCall,
} from '../../framework/mesos-http-client/messages.ts';
import type { EventSink } from '../scheduler-link.ts';
import { tell } from './agent-tell.ts';
import { dropOffersOf } from './allocation.ts';
import type { MasterContext } from './context.ts';
import { unauthorizedError, validateFramework } from './framework-validation.ts';
import { completeTask, type FrameworkRecord, rolesOf } from './frameworks.ts';
import { forgetOperations } from './operation-feedback.ts';
import { masterInfo, operatorFramework } from './operator-json.ts';
import { masterStatus } from './statuses.ts';
import { Subscription } from './subscription.ts';
import { changeState } from './task-updates.ts';

export interface Subscribed {
  readonly stream: Subscription<EventWire>;
  /** Null if the stream only told an ERROR. */
  readonly framework: FrameworkRecord | null;
}

/** Opens a stream; what is wrong with the framework is told on it, as ERROR and the end. */
export function subscribeFramework(
  context: MasterContext,
  call: SubscribeCall,
  sink: EventSink,
  principal: string | null,
): Subscribed {
  const stream = new Subscription<EventWire>(context.uuid(), sink);
  const info = call.subscribe.framework_info;
  const suppressed = call.subscribe.suppressed_roles ?? [];
  const error =
    validateFramework(info, suppressed) ??
    unauthorizedError(context.settings.credentials, principal, info) ??
    removedError(context, info.id?.value);
  if (error !== null) {
    stream.send({ type: 'ERROR', error: { message: error } });
    stream.end();
    return { stream, framework: null };
  }
  const known = info.id === undefined ? undefined : context.frameworks.get(info.id.value);
  const framework = known === undefined ? admit(context, call, stream) : readmit(context, known, call, stream);
  framework.suppressed = new Set(suppressed);
  stream.send({
    type: 'SUBSCRIBED',
    subscribed: {
      framework_id: { value: framework.id },
      heartbeat_interval_seconds: context.settings.heartbeatMs / 1000,
      master_info: masterInfo(context.identity),
    },
  });
  stream.beat(context.clock, context.settings.heartbeatMs, { type: 'HEARTBEAT' });
  announce(context, framework, known === undefined);
  // So that what the scheduler before has not acknowledged does not wait for its next turn.
  if (known !== undefined) {
    for (const agent of context.agents.all()) tell(agent, (endpoint) => endpoint.updateFramework(framework.id));
  }
  context.requestAllocation();
  return { stream, framework };
}

function removedError(context: MasterContext, id: string | undefined): string | null {
  return id !== undefined && context.frameworks.isCompleted(frameworkId(id)) ? 'Framework has been removed' : null;
}

/** An id that this master has never seen is accepted: it may be from before a failover. */
function admit(context: MasterContext, call: SubscribeCall, stream: Subscription<EventWire>): FrameworkRecord {
  const info = call.subscribe.framework_info;
  const newId = (): FrameworkId => {
    const number = String(context.nextNumber('framework')).padStart(4, '0');
    return frameworkId(`${context.identity.id}-${number}`);
  };
  return context.frameworks.add(info.id?.value ?? newId(), info, { kind: 'connected', stream }, context.clock.now());
}

function readmit(
  context: MasterContext,
  framework: FrameworkRecord,
  call: SubscribeCall,
  stream: Subscription<EventWire>,
): FrameworkRecord {
  const before = framework.link;
  if (before.kind === 'connected') {
    before.stream.send({ type: 'ERROR', error: { message: 'Framework failed over' } });
    before.stream.end();
    dropOffersOf(context, framework);
  }
  if (before.kind === 'disconnected') before.stopTimer();
  const oldRoles = rolesOf(framework.info);
  // `user` and `checkpoint` stay what they were: Mesos ignores changes of them here.
  const { user, checkpoint } = framework.info;
  const info = { ...call.subscribe.framework_info, user, id: { value: framework.id } };
  framework.info = checkpoint === undefined ? info : { ...info, checkpoint };
  framework.link = { kind: 'connected', stream };
  framework.reregisteredAt = context.clock.now();
  const newRoles = rolesOf(framework.info);
  const forgotten = [...oldRoles.filter((role) => !newRoles.includes(role)), ...framework.suppressed];
  context.filters.forget(framework.id, new Set(forgotten));
  return framework;
}

/** The scheduler's stream ended from its side. */
export function disconnectFramework(
  context: MasterContext,
  framework: FrameworkRecord,
  stream: Subscription<EventWire>,
): void {
  stream.hangUp();
  if (framework.link.kind !== 'connected' || framework.link.stream !== stream) return;
  const timeoutMs = Math.max(0, framework.info.failover_timeout ?? 0) * 1000;
  const stopTimer = context.clock.after(timeoutMs, () => removeFramework(context, framework));
  framework.link = { kind: 'disconnected', stopTimer };
  context.filters.forget(framework.id);
  dropOffersOf(context, framework);
  announce(context, framework, false);
}

/** TEARDOWN, or the failover timeout has passed: its tasks are killed and the id is dead for ever. */
export function removeFramework(context: MasterContext, framework: FrameworkRecord): void {
  const now = context.clock.now();
  if (framework.link.kind === 'connected') framework.link.stream.end();
  if (framework.link.kind === 'disconnected') framework.link.stopTimer();
  dropOffersOf(context, framework);
  context.filters.forget(framework.id);
  forgetOperations(framework);
  for (const task of framework.unreachable.values()) completeTask(framework, task);
  for (const task of framework.tasks.values()) {
    const message = `Framework ${framework.id} removed`;
    const reason = 'REASON_FRAMEWORK_REMOVED';
    changeState(
      context,
      task,
      masterStatus({ taskId: task.id, agentId: task.agentId, state: 'TASK_KILLED', reason, message, now }),
    );
    completeTask(framework, task);
  }
  context.frameworks.remove(framework);
  for (const agent of context.agents.registered()) {
    tell(agent, (endpoint) => endpoint.shutdownFramework(framework.id));
  }
  context.operators.send({ type: 'FRAMEWORK_REMOVED', framework_removed: { framework_info: framework.info } });
  context.requestAllocation();
}

function announce(context: MasterContext, framework: FrameworkRecord, isNew: boolean): void {
  if (!context.operators.watched) return;
  const body = { framework: { ...operatorFramework(context, framework), unregistered_time: { nanoseconds: 0 } } };
  context.operators.send(
    isNew ? { type: 'FRAMEWORK_ADDED', framework_added: body } : { type: 'FRAMEWORK_UPDATED', framework_updated: body },
  );
}
