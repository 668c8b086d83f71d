/** Carries out what the core wants done once it is stored: calls to the master, questions, timers, and word to the user. */
import type { AgentView } from './agent.ts';
import type { AgentWatch } from './agent-watch.ts';
import type { FrameworkOptions } from './contract.ts';
import type { Action, DaemonsetEvent } from './daemonset/events.ts';
import type { DaemonsetState } from './daemonset/state.ts';
import { lastWords } from './enquiries.ts';
import type { MasterAccess, Subscription } from './mesos-http-client/index.ts';
import type { AgentId, CallBody, TaskId } from './mesos-http-client/messages.ts';
import type { OrderDesk } from './order-desk.ts';

const LONGEST_TIMER_MS = 3_600_000;

export interface PerformerParts {
  readonly options: FrameworkOptions;
  readonly state: DaemonsetState;
  readonly access: MasterAccess;
  readonly subscription: Subscription;
  readonly agents: AgentWatch;
  readonly orders: OrderDesk;
  /** Takes what comes of it. */
  push(event: DaemonsetEvent): void;
}

export class Performer {
  readonly #parts: PerformerParts;
  #timer: NodeJS.Timeout | null = null;
  #stopped = false;

  constructor(parts: PerformerParts) {
    this.#parts = parts;
  }

  /** Nothing comes of anything any more. */
  stop(): void {
    this.#stopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  perform(action: Action): void {
    const { options, access, agents, subscription, orders } = this.#parts;
    switch (action.type) {
      case 'persist-framework':
      case 'persist-rollout':
      case 'persist':
      case 'forget':
        // Written already, before everything else of its step.
        return;
      case 'call':
        this.#send(action.body, action.launches ?? null);
        return;
      case 'list-agents':
        agents.refresh();
        return;
      case 'wake':
        this.#wake(action.at);
        return;
      case 'log':
        options.logger[action.level](action.fields, action.message);
        return;
      case 'changed':
        this.#tellChanged(action.agentId);
        return;
      case 'upgrade':
        options.upgrade(action.agentId, action.taskId, action.goal);
        return;
      case 'ask-last-words':
        this.#enquire(action.agentId, async (agent) => {
          const text = await lastWords(access, agent, action.taskId);
          return text === null ? null : { type: 'last-words', agentId: agent.agentId, taskId: action.taskId, text };
        });
        return;
      case 'ask-port-holders':
        this.#enquire(action.agentId, async (agent) => {
          const holders = await agents.holdersOf(agent.agentId, action.ports);
          return { type: 'port-holders', agentId: agent.agentId, holders };
        });
        return;
      case 'answer':
        orders.answer(action.id, action.outcome);
        return;
      case 'uninstalled':
        // Under this id nobody is to be heard or called any more.
        subscription.close();
        agents.close();
        options.uninstalled();
        return;
    }
  }

  /** Only makes a sentence better: without an answer things go on as they are. */
  #enquire(id: AgentId, ask: (agent: AgentView) => Promise<DaemonsetEvent | null>): void {
    const { state, options, push } = this.#parts;
    const agent = state.nodes.get(id)?.agent;
    if (agent === undefined) return;
    ask(agent).then(
      (event) => {
        if (event !== null && !this.#stopped) push(event);
      },
      (error: unknown) => options.logger.debug({ agentId: id, error: String(error) }, 'nobody could tell more'),
    );
  }

  #send(body: CallBody, launches: TaskId | null): void {
    const { subscription, options, push } = this.#parts;
    // It never rejects.
    void subscription.call(body).then((result) => {
      if (this.#stopped) return;
      if (result.outcome === 'accepted') {
        if (body.type === 'TEARDOWN') push({ type: 'torn-down' });
        return;
      }
      const refused = result.outcome === 'refused';
      const level = refused ? 'warn' : 'debug';
      options.logger[level]({ call: body.type, ...result }, 'a call was not accepted');
      if (body.type !== 'ACCEPT') return;
      const offerIds = body.accept.offer_ids.map((id) => id.value);
      push({ type: 'accept-failed', taskId: launches, offerIds, refused, text: result.text });
    });
  }

  #wake(at: number): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    // A tick that comes too early does no harm; a longer time than this a timer would not keep.
    const delay = Math.min(LONGEST_TIMER_MS, Math.max(0, at - Date.now()));
    this.#timer = setTimeout(() => this.#parts.push({ type: 'tick' }), delay);
  }

  #tellChanged(agentId: AgentId): void {
    try {
      this.#parts.options.changed(agentId);
    } catch (error) {
      this.#parts.options.logger.error({ agentId, error }, 'a listener of the framework failed');
    }
  }
}
