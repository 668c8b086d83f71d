/**
 * A master and its agents as a test wants them: offers what is free on subscribing and on REVIVE, runs what is launched
 * (or leaves that to the test), kills what is to be killed, and keeps every call.
 */
import {
  type AgentId,
  agentId,
  type CallBody,
  type EventWire,
  type FrameworkId,
  frameworkId,
  offerId,
  type Resource,
  type SubscribeCall,
  type TaskInfo,
  type TaskState,
  type TaskStatus,
  taskId,
} from '../../../framework/mesos-http-client/messages.ts';
import type {
  EventSink,
  LeaderDetector,
  Refusal,
  SchedulerApi,
  SchedulerConnection,
} from '../../../local-cluster/scheduler-link.ts';

export interface StandInAgent {
  readonly name: string;
  readonly ip: string;
  readonly cpus?: number;
  readonly role?: 'slave_public';
  readonly rack?: string;
}

interface Held {
  readonly task: TaskInfo;
  state: TaskState;
}

type BodyOf<T extends CallBody['type']> = Extract<CallBody, { type: T }>;

export class StandInMaster implements SchedulerApi {
  readonly agents: StandInAgent[];
  /** Launched tasks that have not ended. */
  readonly tasks = new Map<string, Held>();
  readonly calls: CallBody[] = [];
  readonly subscriptions: SubscribeCall[] = [];
  /** What a launched task does by itself. */
  autoRun: 'running' | 'nothing' = 'running';
  /** Is a killed task dead at once? */
  autoKill = true;
  #sink: EventSink | null = null;
  #offers = new Map<string, AgentId>();
  #counter = 0;

  constructor(agents: readonly StandInAgent[]) {
    this.agents = [...agents];
  }

  subscribe(call: SubscribeCall, sink: EventSink): SchedulerConnection | Refusal {
    this.subscriptions.push(call);
    this.#sink = sink;
    const id: FrameworkId = call.framework_id?.value ?? frameworkId('fw-1');
    const connection: SchedulerConnection = {
      frameworkId: id,
      streamId: 'stream',
      call: (body) => this.#call(body, sink),
      close: () => {
        if (this.#sink === sink) this.#sink = null;
      },
    };
    sink.event({
      type: 'SUBSCRIBED',
      subscribed: {
        framework_id: { value: id },
        heartbeat_interval_seconds: 15,
        master_info: { id: 'm', hostname: 'm1' },
      },
    });
    this.offerAll();
    return connection;
  }

  /** The stream breaks; whoever was subscribed has to come again. */
  breakStream(): void {
    const sink = this.#sink;
    this.#sink = null;
    sink?.closed();
  }

  callsOf<T extends CallBody['type']>(type: T): BodyOf<T>[] {
    return this.calls.filter((call): call is BodyOf<T> => call.type === type);
  }

  emit(event: EventWire): void {
    this.#sink?.event(event);
  }

  offerAll(): void {
    this.#offers.clear();
    const offers = this.agents.map((agent) => {
      this.#counter += 1;
      const id = offerId(`o${this.#counter}`);
      this.#offers.set(id, agentId(agent.name));
      return {
        id: { value: id },
        framework_id: { value: frameworkId('fw-1') },
        agent_id: { value: agentId(agent.name) },
        hostname: agent.ip,
        url: { scheme: 'http', address: { hostname: agent.ip, ip: agent.ip, port: 5051 }, path: '/slave(1)' },
        allocation_info: { role: agent.role ?? '*' },
        resources: this.#free(agent),
        attributes:
          agent.rack === undefined ? [] : [{ name: 'rack', type: 'TEXT' as const, text: { value: agent.rack } }],
      };
    });
    this.emit({ type: 'OFFERS', offers: { offers } });
  }

  status(id: string, state: TaskState, extra: Partial<TaskStatus> = {}): void {
    const held = this.tasks.get(id);
    if (held !== undefined) held.state = state;
    const ended = ['TASK_FINISHED', 'TASK_FAILED', 'TASK_KILLED', 'TASK_ERROR', 'TASK_GONE', 'TASK_GONE_BY_OPERATOR'];
    if (ended.includes(state)) this.tasks.delete(id);
    this.#counter += 1;
    this.emit({
      type: 'UPDATE',
      update: {
        status: {
          task_id: { value: taskId(id) },
          state,
          ...(held === undefined ? {} : { agent_id: held.task.agent_id }),
          uuid: Buffer.from(String(this.#counter).padStart(16, '0')).toString('base64'),
          ...extra,
        },
      },
    });
  }

  /** Ids of the tasks of an app that Mesos runs, in the order of their launch. */
  running(name: string): string[] {
    return [...this.tasks.values()].filter(({ task }) => task.name === name).map(({ task }) => task.task_id.value);
  }

  #free(agent: StandInAgent): Resource[] {
    const used = [...this.tasks.values()].filter(({ task }) => task.agent_id.value === agent.name);
    const cpus = used
      .flatMap(({ task }) => task.resources)
      .filter(({ name }) => name === 'cpus')
      .reduce((sum, resource) => sum + (resource.scalar?.value ?? 0), 0);
    const reservations = agent.role === undefined ? [] : [{ type: 'STATIC' as const, role: agent.role }];
    const allocation_info = { role: agent.role ?? '*' };
    return [
      { name: 'cpus', type: 'SCALAR', scalar: { value: (agent.cpus ?? 4) - cpus }, reservations, allocation_info },
      { name: 'mem', type: 'SCALAR', scalar: { value: 8192 }, reservations, allocation_info },
      {
        name: 'ports',
        type: 'RANGES',
        ranges: {
          range: [
            { begin: 4140, end: 4141 },
            { begin: 20_000, end: 20_199 },
          ],
        },
        reservations,
        allocation_info,
      },
    ];
  }

  #call(body: CallBody, sink: EventSink): Refusal | null {
    if (this.#sink !== sink) return { status: 403, message: 'Framework is not subscribed' };
    this.calls.push(body);
    switch (body.type) {
      case 'ACCEPT':
        for (const operation of body.accept.operations ?? []) {
          if (operation.type === 'LAUNCH') for (const task of operation.launch.task_infos) this.#launch(task);
        }
        break;
      case 'KILL': {
        const id = body.kill.task_id.value;
        const held = this.tasks.get(id);
        if (held?.state === 'TASK_UNREACHABLE') this.status(id, 'TASK_UNREACHABLE');
        else if (this.autoKill && held !== undefined) {
          this.status(id, 'TASK_KILLING');
          this.status(id, 'TASK_KILLED');
        }
        break;
      }
      case 'REVIVE':
        this.offerAll();
        break;
      case 'RECONCILE':
        for (const { task_id } of body.reconcile.tasks) {
          const held = this.tasks.get(task_id.value);
          const told = { task_id, state: held?.state ?? ('TASK_UNKNOWN' as const), reason: 'REASON_RECONCILIATION' };
          this.emit({ type: 'UPDATE', update: { status: told } });
        }
        break;
      default:
        break;
    }
    return null;
  }

  #launch(task: TaskInfo): void {
    const id = task.task_id.value;
    this.tasks.set(id, { task, state: 'TASK_STAGING' });
    if (this.autoRun === 'nothing') return;
    this.status(id, 'TASK_STARTING');
    this.status(id, 'TASK_RUNNING', task.health_check === undefined ? {} : { healthy: true });
  }
}

/** One master leads, for ever; or another, when the test says so. */
export class StandInLeader implements LeaderDetector<SchedulerApi> {
  #leader: SchedulerApi | null;
  readonly #listeners = new Set<(leader: SchedulerApi | null) => void>();

  constructor(leader: SchedulerApi | null) {
    this.#leader = leader;
  }

  current(): SchedulerApi | null {
    return this.#leader;
  }

  watch(listener: (leader: SchedulerApi | null) => void): () => void {
    this.#listeners.add(listener);
    if (this.#leader !== null) listener(this.#leader);
    return () => this.#listeners.delete(listener);
  }

  set(leader: SchedulerApi | null): void {
    this.#leader = leader;
    for (const listener of [...this.#listeners]) listener(leader);
  }
}
