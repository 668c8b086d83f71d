/** A framework in this process that keeps every event and acknowledges, unless told not to. */
import {
  type AgentId,
  type CallBody,
  type EventWire,
  type FrameworkInfo,
  type OfferWire,
  type Operation,
  type Resource,
  type TaskInfo,
  type TaskStatus,
  taskId,
} from '../../../../framework/mesos-http-client/messages.ts';
import type { Refusal, SchedulerApi, SchedulerConnection } from '../../../../local-cluster/scheduler-link.ts';
import { scalar } from './stand-in-agent.ts';

export const MULTI_ROLE = [{ type: 'MULTI_ROLE' }];
export const MODERN = ['MULTI_ROLE', 'PARTITION_AWARE', 'RESERVATION_REFINEMENT'].map((type) => ({ type }));

export function info(over: Partial<FrameworkInfo> = {}): FrameworkInfo {
  return {
    user: 'root',
    name: 'fw',
    roles: ['*'],
    checkpoint: true,
    failover_timeout: 60,
    capabilities: MULTI_ROLE,
    ...over,
  };
}

export class TestFramework {
  readonly events: EventWire[] = [];
  acknowledging = true;
  closed = false;
  connection: SchedulerConnection | null = null;

  subscribe(api: SchedulerApi, framework: FrameworkInfo = info(), suppressed: string[] = []): this {
    const connection = api.subscribe(
      {
        type: 'SUBSCRIBE',
        ...(framework.id === undefined ? {} : { framework_id: framework.id }),
        subscribe: { framework_info: framework, suppressed_roles: suppressed },
      },
      { event: (event) => this.#take(event), closed: () => this.#end() },
    );
    if ('status' in connection) throw new Error(`refused: ${connection.message}`);
    this.connection = connection;
    return this;
  }

  call(body: CallBody): Refusal | null {
    if (this.connection === null) throw new Error('not subscribed');
    return this.connection.call(body);
  }

  /** The offers that it holds, by agent's hostname. */
  offers(hostname?: string): OfferWire[] {
    const held = new Map<string, OfferWire>();
    for (const event of this.events) {
      if (event.type === 'OFFERS') for (const offer of event.offers.offers ?? []) held.set(offer.id.value, offer);
      if (event.type === 'RESCIND') held.delete(event.rescind.offer_id.value);
    }
    for (const used of this.#used) held.delete(used);
    return [...held.values()].filter((offer) => hostname === undefined || offer.hostname === hostname);
  }

  offer(hostname?: string): OfferWire {
    const offer = this.offers(hostname).at(-1);
    if (offer === undefined) throw new Error(`no offer of ${hostname ?? 'anyone'}`);
    return offer;
  }

  accept(offer: OfferWire, operations: Operation[], refuseSeconds = 3600): void {
    this.#used.add(offer.id.value);
    const offer_ids = [offer.id] as Extract<CallBody, { type: 'ACCEPT' }>['accept']['offer_ids'];
    this.call({ type: 'ACCEPT', accept: { offer_ids, operations, filters: { refuse_seconds: refuseSeconds } } });
  }

  decline(offer: OfferWire, refuseSeconds?: number): void {
    this.#used.add(offer.id.value);
    const offer_ids = [offer.id] as Extract<CallBody, { type: 'DECLINE' }>['decline']['offer_ids'];
    const filters = refuseSeconds === undefined ? {} : { filters: { refuse_seconds: refuseSeconds } };
    this.call({ type: 'DECLINE', decline: { offer_ids, ...filters } });
  }

  launch(offer: OfferWire, id: string, over: Partial<TaskInfo> = {}, refuseSeconds = 3600): void {
    this.accept(offer, [{ type: 'LAUNCH', launch: { task_infos: [task(offer, id, over)] } }], refuseSeconds);
  }

  updates(id?: string): TaskStatus[] {
    return this.events.flatMap((event) => {
      if (event.type !== 'UPDATE') return [];
      const status = event.update.status as TaskStatus;
      return id === undefined || status.task_id.value === id ? [status] : [];
    });
  }

  states(id: string): string[] {
    return this.updates(id).map((status) => status.state);
  }

  types(): string[] {
    return this.events.map((event) => event.type);
  }

  readonly #used = new Set<string>();

  #take(event: EventWire): void {
    this.events.push(event);
    if (event.type !== 'UPDATE' || !this.acknowledging) return;
    const { uuid, agent_id, task_id } = event.update.status as TaskStatus;
    if (uuid !== undefined && agent_id !== undefined)
      this.call({ type: 'ACKNOWLEDGE', acknowledge: { agent_id, task_id, uuid } });
  }

  #end(): void {
    this.closed = true;
  }
}

export function task(offer: OfferWire, id: string, over: Partial<TaskInfo> = {}): TaskInfo {
  const resources: Resource[] = [scalar('cpus', 0.1), scalar('mem', 32)];
  const agent_id = offer.agent_id as { value: AgentId };
  return {
    name: id,
    task_id: { value: taskId(id) },
    agent_id,
    resources,
    command: { value: 'sleep 1000', shell: true },
    ...over,
  };
}
