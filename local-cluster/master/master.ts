/**
 * The miniature Mesos master: who is in the cluster, who is offered what, which task is where. It speaks to frameworks
 * as a real master does (recorded and compared case by case in test/local-cluster/conformance), to agents by method
 * calls. Everything happens in memory and in order; only timers and the subscribers' streams are asynchronous.
 */
import { randomUUID } from 'node:crypto';
import type {
  AgentId,
  EventWire,
  FrameworkId,
  SubscribeCall,
  TaskInfo,
  TaskStatus,
} from '../../framework/mesos-http-client/messages.ts';
import type { AgentEndpoint, HeldTask, MasterEndpoint } from '../agent-link.ts';
import type { EventSink, Refusal, SchedulerApi, SchedulerConnection } from '../scheduler-link.ts';
import { accept, decline } from './accept.ts';
import { disconnectAgent, registerAgent, removeAgent } from './agent-lifecycle.ts';
import { type AgentLink, AgentTable, type MasterRegistry } from './agents.ts';
import { runAllocation } from './allocation.ts';
import { type Clock, systemClock } from './clock.ts';
import type { MasterContext } from './context.ts';
import { disconnectFramework, removeFramework, subscribeFramework } from './framework-lifecycle.ts';
import { strangerError } from './framework-validation.ts';
import { type FrameworkRecord, FrameworkTable, rolesOf } from './frameworks.ts';
import type { Credential } from './http-auth.ts';
import { answerInverseOffers } from './inverse-offers.ts';
import { MaintenanceBook } from './maintenance.ts';
import { OfferBook, OfferFilters } from './offers.ts';
import { acknowledgeOperation, type MasterCall, reconcileOperations } from './operation-feedback.ts';
import { applyChange, type OperatorChange, settleDrains } from './operator-changes.ts';
import { getAgents, getState } from './operator-json.ts';
import { type OperatorSink, OperatorStreams } from './operator-stream.ts';
import { reconcile } from './reconciliation.ts';
import { recover, registryOf } from './recovery.ts';
import type { Subscription } from './subscription.ts';
import { acknowledge, forwardUpdate, kill } from './task-updates.ts';

export interface MasterOptions {
  /** A UUID, new with each master. */
  readonly id?: string;
  readonly ip: string;
  readonly port: number;
  readonly hostname?: string;
  /** How long an agent may be cut off before its tasks are TASK_UNREACHABLE. */
  readonly agentPingTimeoutMs: number;
  /** How long agents from the registry may take to come back after a failover (default 10 min). */
  readonly agentReregisterTimeoutMs?: number;
  readonly allocationIntervalMs?: number;
  readonly heartbeatMs?: number;
  /** Who may call over HTTP; without any, everybody. */
  readonly credentials?: readonly Credential[];
  readonly clock?: Clock;
  readonly uuid?: () => string;
  /** What the master before this one knew: `registry()` of it. */
  readonly registry?: MasterRegistry;
}

export interface AgentSummary {
  readonly id: AgentId;
  readonly hostname: string;
  readonly ip: string | null;
  readonly state: AgentLink['kind'];
}

export interface TaskSummary {
  readonly frameworkId: FrameworkId;
  readonly frameworkName: string;
  readonly agentId: AgentId;
  readonly info: TaskInfo;
  readonly state: TaskStatus['state'];
  readonly latest: TaskStatus | null;
}

export class Master implements MasterEndpoint, SchedulerApi {
  /** Read by the HTTP layer, changed only from here. */
  readonly context: MasterContext;
  #alive = true;
  #allocationRequested = false;
  #nextRoundAt = 0;
  readonly #stopTimers = new Set<() => void>();
  readonly #numbers = { agent: 0, framework: 0, offer: 0 };

  constructor(options: MasterOptions) {
    const clock = options.clock ?? systemClock;
    this.context = {
      identity: {
        id: options.id ?? randomUUID(),
        ip: options.ip,
        port: options.port,
        hostname: options.hostname ?? options.ip,
        startedAt: clock.now(),
      },
      settings: {
        agentPingTimeoutMs: options.agentPingTimeoutMs,
        agentReregisterTimeoutMs: options.agentReregisterTimeoutMs ?? 600_000,
        allocationIntervalMs: options.allocationIntervalMs ?? 1000,
        heartbeatMs: options.heartbeatMs ?? 15_000,
        credentials: options.credentials ?? [],
      },
      clock: { now: () => clock.now(), after: (ms, run) => this.#after(clock, ms, run) },
      uuid: options.uuid ?? randomUUID,
      agents: new AgentTable(),
      frameworks: new FrameworkTable(),
      offers: new OfferBook(),
      filters: new OfferFilters(),
      maintenance: new MaintenanceBook(),
      operators: new OperatorStreams(),
      requestAllocation: () => this.#requestAllocation(),
      nextRoundAt: () => this.#nextRoundAt,
      nextNumber: (kind) => this.#numbers[kind]++,
    };
    if (options.registry !== undefined) recover(this.context, options.registry);
    this.#allocateRegularly();
  }

  get id(): string {
    return this.context.identity.id;
  }

  // ---- frameworks (SchedulerApi) -----------------------------------------------------------------------------------

  /** `principal`: as whom the caller has authenticated, if he had to. */
  subscribe(call: SubscribeCall, sink: EventSink, principal: string | null = null): SchedulerConnection | Refusal {
    if (!this.#alive) return NOT_LEADING;
    const stranger = strangerError(principal, call.subscribe.framework_info);
    if (stranger !== null && call.subscribe.framework_info.principal !== undefined) {
      return { status: 400, message: `Failed to validate scheduler::Call: ${stranger}` };
    }
    const claimed = call.framework_id?.value;
    const infoId = call.subscribe.framework_info.id?.value;
    if (claimed !== infoId) {
      const message = "Failed to validate scheduler::Call: 'framework_id' differs from 'subscribe.framework_info.id'";
      return { status: 400, message };
    }
    const { stream, framework } = subscribeFramework(this.context, call, sink, principal);
    return new Connection(this, stream, framework);
  }

  /** One call of a framework, with the checks of the HTTP API in its order. Null when accepted. */
  call(
    frameworkId: FrameworkId,
    streamId: string | null,
    body: MasterCall,
    principal: string | null = null,
  ): Refusal | null {
    if (!this.#alive) return NOT_LEADING;
    const framework = this.context.frameworks.get(frameworkId);
    if (framework === undefined) return { status: 400, message: 'Framework cannot be found' };
    const stranger = strangerError(principal, framework.info);
    if (stranger !== null) return { status: 400, message: stranger };
    if (framework.link.kind !== 'connected') return { status: 403, message: 'Framework is not subscribed' };
    if (streamId === null) {
      return { status: 400, message: "All non-subscribe calls should include the 'Mesos-Stream-Id' header" };
    }
    if (streamId !== framework.link.stream.streamId) {
      const message = `The stream ID '${streamId}' included in this request didn't match the stream ID currently associated with framework ID ${frameworkId}`;
      return { status: 400, message };
    }
    this.#perform(framework, body);
    settleDrains(this.context);
    return null;
  }

  #perform(framework: FrameworkRecord, body: MasterCall): void {
    switch (body.type) {
      case 'ACCEPT':
        return accept(this.context, framework, body.accept);
      case 'DECLINE':
        return decline(this.context, framework, body.decline);
      case 'REVIVE':
        return this.#revive(framework, body.revive?.roles);
      case 'SUPPRESS':
        for (const role of this.#named(framework, body.suppress?.roles)) framework.suppressed.add(role);
        return;
      case 'ACKNOWLEDGE':
        return acknowledge(this.context, framework, body.acknowledge);
      case 'KILL':
        return kill(this.context, framework, body.kill);
      case 'RECONCILE':
        return reconcile(this.context, framework, body.reconcile.tasks ?? []);
      case 'RECONCILE_OPERATIONS':
        return reconcileOperations(this.context, framework, body.reconcile_operations.operations);
      case 'ACKNOWLEDGE_OPERATION_STATUS':
        return acknowledgeOperation(framework, body.acknowledge_operation_status);
      case 'TEARDOWN':
        return removeFramework(this.context, framework);
      case 'ACCEPT_INVERSE_OFFERS':
        return answerInverseOffers(this.context, framework, 'ACCEPT', body.accept_inverse_offers);
      case 'DECLINE_INVERSE_OFFERS':
        return answerInverseOffers(this.context, framework, 'DECLINE', body.decline_inverse_offers);
      case 'SHUTDOWN':
      case 'MESSAGE':
      case 'REQUEST':
      case 'UPDATE_FRAMEWORK':
        // Executors, and changes of a framework that is subscribed, are not modelled.
        return;
    }
  }

  #revive(framework: FrameworkRecord, roles: readonly string[] | undefined): void {
    const revived = new Set(this.#named(framework, roles));
    for (const role of revived) framework.suppressed.delete(role);
    this.context.filters.forget(framework.id, revived);
    this.context.maintenance.endQuiet(framework.id);
    this.context.requestAllocation();
  }

  /** No roles means all of the framework's; others than its own are ignored. */
  #named(framework: FrameworkRecord, roles: readonly string[] | undefined): readonly string[] {
    const own = rolesOf(framework.info);
    return roles === undefined || roles.length === 0 ? own : own.filter((role) => roles.includes(role));
  }

  // ---- agents (MasterEndpoint) -------------------------------------------------------------------------------------

  register(agent: AgentEndpoint, agentId: AgentId | null, tasks: readonly HeldTask[]): void {
    if (!this.#alive) return;
    registerAgent(this.context, agent, agentId, tasks);
    settleDrains(this.context);
  }

  statusUpdate(agentId: AgentId, frameworkId: FrameworkId, status: TaskStatus): void {
    if (this.#alive) forwardUpdate(this.context, agentId, frameworkId, status);
  }

  disconnected(agentId: AgentId): void {
    const agent = this.context.agents.get(agentId);
    if (this.#alive && agent !== undefined) disconnectAgent(this.context, agent);
  }

  /** A graceful shutdown: the agent leaves and its tasks are lost at once. */
  unregister(agentId: AgentId): void {
    const agent = this.context.agents.get(agentId);
    if (!this.#alive || agent === undefined) return;
    const message = `Agent ${agent.info.hostname} removed: the agent unregistered`;
    removeAgent(this.context, agent, { state: 'TASK_LOST', reason: 'REASON_AGENT_REMOVED', message });
    this.context.requestAllocation();
  }

  // ---- the operator ------------------------------------------------------------------------------------------------

  /** Opens an event stream; returns how to hang up. */
  operatorSubscribe(sink: OperatorSink): () => void {
    const { operators, settings, clock, uuid } = this.context;
    const snapshot = {
      type: 'SUBSCRIBED' as const,
      subscribed: { get_state: getState(this.context), heartbeat_interval_seconds: settings.heartbeatMs / 1000 },
    };
    const stream = operators.open(uuid(), sink, snapshot, clock, settings.heartbeatMs);
    return () => operators.hangUp(stream);
  }

  /** What GET_AGENTS answers. */
  getAgents(): ReturnType<typeof getAgents> {
    return getAgents(this.context);
  }

  /** Null when it is done. */
  operate(change: OperatorChange): Refusal | null {
    if (!this.#alive) return NOT_LEADING;
    const refusal = applyChange(this.context, change);
    settleDrains(this.context);
    this.context.requestAllocation();
    return refusal;
  }

  /** Its processes die and it is never let in again. False if there is no such agent. */
  markAgentGone(agentId: AgentId): boolean {
    return this.operate({ type: 'MARK_AGENT_GONE', agentId }) === null;
  }

  agents(): AgentSummary[] {
    return this.context.agents.all().map((agent) => ({
      id: agent.id,
      hostname: agent.info.hostname,
      ip: agent.description?.ip ?? null,
      state: agent.link.kind,
    }));
  }

  /** The tasks that the master holds, unreachable ones included, completed ones not. */
  tasks(): TaskSummary[] {
    return this.context.frameworks.all().flatMap((framework) =>
      [...framework.tasks.values(), ...framework.unreachable.values()].map((task) => ({
        frameworkId: framework.id,
        frameworkName: framework.info.name,
        agentId: task.agentId,
        info: task.info,
        state: task.state,
        latest: task.statuses.at(-1) ?? null,
      })),
    );
  }

  /** What the next master must know. */
  registry(): MasterRegistry {
    return registryOf(this.context);
  }

  /** This master is no more: every stream ends, every timer stops, calls are refused with 503. */
  shutdown(): void {
    if (!this.#alive) return;
    this.#alive = false;
    for (const framework of this.context.frameworks.all()) {
      if (framework.link.kind === 'connected') framework.link.stream.end();
      framework.link = { kind: 'recovered' };
    }
    this.context.operators.endAll();
    for (const stop of [...this.#stopTimers]) stop();
    for (const agent of this.context.agents.all()) agent.link = { kind: 'recovered' };
  }

  // ---- time --------------------------------------------------------------------------------------------------------

  /** Many events of one moment are answered by one allocation. */
  #requestAllocation(): void {
    if (this.#allocationRequested || !this.#alive) return;
    this.#allocationRequested = true;
    queueMicrotask(() => {
      this.#allocationRequested = false;
      if (this.#alive) runAllocation(this.context);
    });
  }

  /** Filters end with time alone: nothing else would notice. */
  #allocateRegularly(): void {
    const { clock, settings } = this.context;
    this.#nextRoundAt = clock.now() + settings.allocationIntervalMs;
    clock.after(settings.allocationIntervalMs, () => {
      runAllocation(this.context);
      this.#allocateRegularly();
    });
  }

  #after(clock: Clock, ms: number, run: () => void): () => void {
    const stop = (): void => {
      this.#stopTimers.delete(stop);
      cancel();
    };
    const cancel = clock.after(ms, () => {
      this.#stopTimers.delete(stop);
      run();
    });
    this.#stopTimers.add(stop);
    return stop;
  }
}

const NOT_LEADING: Refusal = { status: 503, message: 'No leader elected' };

/** A framework's end of its subscription. */
class Connection implements SchedulerConnection {
  readonly frameworkId: FrameworkId;
  readonly streamId: string;
  readonly #master: Master;
  readonly #stream: Subscription<EventWire>;
  readonly #framework: FrameworkRecord | null;

  constructor(master: Master, stream: Subscription<EventWire>, framework: FrameworkRecord | null) {
    this.#master = master;
    this.#stream = stream;
    this.#framework = framework;
    this.streamId = stream.streamId;
    // A subscription that was refused has no id; no call on it will find a framework.
    this.frameworkId = framework?.id ?? ('' as FrameworkId);
  }

  call(body: MasterCall): Refusal | null {
    return this.#master.call(this.frameworkId, this.streamId, body);
  }

  close(): void {
    if (this.#framework === null) this.#stream.hangUp();
    else disconnectFramework(this.#master.context, this.#framework, this.#stream);
  }
}
