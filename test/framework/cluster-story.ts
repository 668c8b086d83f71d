/**
 * The core against the local cluster's master, in virtual time: what the core calls, the master is asked, and what the
 * master says, the core is told, both as they go over the wire. Tasks are healthy as soon as they run, and become what
 * they are asked to become, unless a story says otherwise.
 */
import { viewOfListed } from '../../framework/daemonset/agent-view.ts';
import type { Action, DaemonsetEvent } from '../../framework/daemonset/events.ts';
import { heldRoles, type Settings } from '../../framework/daemonset/state.ts';
import { frameworkInfo } from '../../framework/framework-info.ts';
import { eventsOf } from '../../framework/hearing.ts';
import { frameworkErrorOf } from '../../framework/mesos-http-client/framework-error.ts';
import {
  type CallBody,
  type EventWire,
  eventSchema,
  operatorEventSchema,
  type Resource,
  type TaskId,
} from '../../framework/mesos-http-client/messages.ts';
import type { Goal } from '../../framework/rollout/goal.ts';
import type { Master, MasterOptions } from '../../local-cluster/master/master.ts';
import type { SchedulerConnection } from '../../local-cluster/scheduler-link.ts';
import { newMaster } from '../local-cluster/master/support/lab.ts';
import { ports, StandInAgent, scalar } from '../local-cluster/master/support/stand-in-agent.ts';
import { VirtualClock } from '../local-cluster/master/support/virtual-clock.ts';
import { frameworkOptions } from './options.ts';
import { Story } from './story.ts';

/** All that an agent of a story has, reserved to `role` if that is given. */
export function resourcesOf(role?: string): Resource[] {
  const reservations = role === undefined ? [] : [{ type: 'STATIC' as const, role }];
  return [
    scalar('cpus', 2, { reservations }),
    scalar('mem', 1024, { reservations }),
    ports(4000, 5000, { reservations }),
  ];
}

export class ClusterStory {
  readonly clock = new VirtualClock();
  readonly agents: StandInAgent[] = [];
  readonly story: Story;
  master: Master;
  /** Every event of the scheduler's stream, as the master wrote it. */
  readonly heard: EventWire[] = [];
  readonly called: CallBody[] = [];
  /** Tasks that do not get healthy. */
  readonly sick = new Set<TaskId>();
  uninstalled = false;
  mendsInPlace = true;
  /** So many actions more are carried out, and then the scheduler is dead, until it is started again. */
  actionsLeft = Number.POSITIVE_INFINITY;
  /** False: the operator API is not for this framework. */
  listsAgents = true;
  readonly #inbox: DaemonsetEvent[] = [];
  #isStepping = false;
  #connection: SchedulerConnection | null = null;
  #hangUp = () => {};
  #cancelTick = () => {};

  constructor(settings: Partial<Settings> = {}, options: Partial<MasterOptions> = {}) {
    this.master = newMaster(this.clock, options);
    this.story = new Story([], { principal: null, ...settings }, this.clock.now());
    this.#wire();
  }

  async with(...agents: StandInAgent[]): Promise<this> {
    this.subscribe();
    for (const agent of agents) agent.join(this.master);
    await this.pass(3_000);
    return this;
  }

  /** An agent that is not there yet. */
  agent(resources = resourcesOf(), attributes: Record<string, string> = {}): StandInAgent {
    const ip = `127.0.31.${this.agents.length + 1}`;
    const agent = new StandInAgent(this.clock, {
      hostname: ip,
      ip,
      port: 5051,
      resources,
      attributes: Object.entries(attributes).map(([name, value]) => ({ name, type: 'TEXT', text: { value } })),
    });
    this.agents.push(agent);
    return agent;
  }

  subscribe(): void {
    const [role = ''] = this.story.settings.roles;
    const options = frameworkOptions({ masters: null as never, store: null as never, role });
    const info = frameworkInfo(options, heldRoles(this.story.state));
    const { frameworkId } = this.story.state;
    const id = frameworkId === null ? {} : { id: { value: frameworkId } };
    const connection = this.master.subscribe(
      {
        type: 'SUBSCRIBE',
        ...(frameworkId === null ? {} : { framework_id: { value: frameworkId } }),
        subscribe: { framework_info: { ...info, ...id } },
      },
      {
        event: (event) => {
          this.heard.push(event);
          for (const told of eventsOf(eventSchema.parse(event))) this.tell(told);
          if (isRemoval(event) && this.story.state.mode !== 'keep') this.tell({ type: 'torn-down' });
        },
        closed: () => {
          if (this.#connection !== connection) return;
          this.#connection = null;
          this.tell({ type: 'disconnected' });
        },
      },
    );
    if ('status' in connection) throw new Error(`refused: ${connection.message}`);
    this.#connection = connection;
    if (!this.listsAgents) return;
    this.#hangUp = this.master.operatorSubscribe({ event: (event) => this.#hear(event), closed: () => {} });
  }

  /** The scheduler is killed, and another one begins with the same store. */
  restart(change: { goal?: Goal; settings?: Partial<Settings>; uninstall?: boolean } = {}): void {
    this.#isStepping = false;
    this.#connection?.close();
    this.#connection = null;
    this.#hangUp();
    this.#cancelTick();
    this.#inbox.length = 0;
    this.story.now = this.clock.now();
    this.story.restart(change);
    // As the shell: there is nothing left to subscribe for.
    if (!this.uninstalled) this.subscribe();
  }

  get isDead(): boolean {
    return this.actionsLeft === 0;
  }

  tell(event: DaemonsetEvent): void {
    if (this.isDead) return;
    this.#inbox.push(event);
    if (this.#isStepping) return;
    this.#isStepping = true;
    for (let next = this.#inbox.shift(); next !== undefined && !this.isDead; next = this.#inbox.shift()) {
      this.story.now = this.clock.now();
      this.story.event(next);
    }
    this.#isStepping = false;
  }

  async pass(ms: number): Promise<void> {
    await this.clock.advance(ms);
    this.story.now = this.clock.now();
  }

  calls(type: CallBody['type']): CallBody[] {
    return this.called.filter((call) => call.type === type);
  }

  /** By agent, in the order in which the agents were made. */
  tasks(): TaskId[][] {
    return this.agents.map((agent) => [...agent.tasks.keys()]);
  }

  states(): string[] {
    return this.agents.map((agent) => this.story.node(agent.id ?? '')?.state ?? 'unknown');
  }

  #hear(wire: object): void {
    const event = operatorEventSchema.safeParse(wire).data;
    if (event?.type === 'AGENT_ADDED') {
      const agent = viewOfListed(event.agent_added.agent, this.story.state.frameworkId);
      if (agent !== null) this.tell({ type: 'agent-added', agent });
    } else if (event?.type === 'AGENT_REMOVED') {
      this.tell({ type: 'agent-removed', agentId: event.agent_removed.agent_id.value });
    }
  }

  #wire(): void {
    this.story.onAction = (action) => this.#perform(action);
  }

  #perform(action: Action): void {
    if (this.isDead) return;
    this.actionsLeft -= 1;
    switch (action.type) {
      case 'call':
        return this.#call(action.body, action.launches);
      case 'list-agents':
        return this.#list();
      case 'uninstalled':
        this.uninstalled = true;
        return;
      case 'wake':
        this.#cancelTick();
        this.#cancelTick = this.clock.after(action.at - this.clock.now(), () => this.tell({ type: 'tick' }));
        return;
      case 'upgrade':
        if (this.mendsInPlace) this.tell({ type: 'runs', taskId: action.taskId, goal: action.goal.id });
        return;
      case 'changed': {
        const task = this.story.state.nodes.get(action.agentId)?.task;
        if (task?.phase !== 'running' || task.health !== null || this.sick.has(task.taskId)) return;
        const health = { healthy: true, reason: null, dead: false };
        this.tell({ type: 'health', taskId: task.taskId, health });
        return;
      }
      default:
        return;
    }
  }

  #call(body: CallBody, launches: TaskId | undefined): void {
    this.called.push(body);
    const refusal = this.#connection === null ? { message: 'not subscribed' } : this.#connection.call(body);
    if (refusal === null && body.type === 'TEARDOWN') this.tell({ type: 'torn-down' });
    if (refusal === null || body.type !== 'ACCEPT') return;
    const offerIds = body.accept.offer_ids.map((id) => id.value);
    const refused = this.#connection !== null;
    this.tell({ type: 'accept-failed', taskId: launches ?? null, offerIds, refused, text: refusal.message });
  }

  #list(): void {
    if (!this.listsAgents || this.#connection === null) return;
    const { agents, recovered_agents } = this.master.getAgents();
    const { frameworkId } = this.story.state;
    const registered = agents.flatMap((agent) => {
      const event = operatorEventSchema.parse({ type: 'AGENT_ADDED', agent_added: { agent } });
      const view = event.type === 'AGENT_ADDED' ? viewOfListed(event.agent_added.agent, frameworkId) : null;
      return view === null ? [] : [view];
    });
    const recovered = recovered_agents.flatMap((agent) => (agent.id === undefined ? [] : [agent.id.value]));
    this.tell({ type: 'agents', registered, recovered, askedAt: this.clock.now() });
  }

  /** The master dies; another one leads, with what the registry tells. Agents and the scheduler come when they are told to. */
  failover(): void {
    const registry = this.master.registry();
    this.master.shutdown();
    this.master = newMaster(this.clock, { registry });
  }
}

function isRemoval(event: EventWire): boolean {
  return event.type === 'ERROR' && frameworkErrorOf(event.error.message).kind === 'removed';
}
