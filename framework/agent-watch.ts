/** The list of agents, from the operator API: kept by its stream, and asked for whenever the core is in doubt. */
import type { FrameworkLogger } from './contract.ts';
import { viewOfListed } from './daemonset/agent-view.ts';
import type { DaemonsetEvent, ListedAgent } from './daemonset/events.ts';
import { partsOfList } from './hearing.ts';
import {
  type AgentList,
  createOperator,
  type MasterAccess,
  MesosError,
  type Operator,
} from './mesos-http-client/index.ts';
import type { AgentId, FrameworkId, OperatorEvent } from './mesos-http-client/messages.ts';

/** A snapshot is a little older than its arrival. */
const SNAPSHOT_AGE_MS = 1_000;
const FIRST_RETRY_MS = 1_000;
const MAX_RETRY_MS = 600_000;

export class AgentWatch {
  readonly #operator: Operator;
  readonly #logger: FrameworkLogger;
  readonly #frameworkId: () => FrameworkId | null;
  readonly #emit: (event: DaemonsetEvent) => void;
  /** Told with the reason that Mesos does not let the list be seen, and with null when it does. */
  readonly #permission: (refusal: string | null) => void;
  /** A list is on its way; `again` if it was wanted once more meanwhile. */
  #asking: { again: boolean } | null = null;
  #retryDelay = FIRST_RETRY_MS;
  #retry: NodeJS.Timeout | null = null;
  #complained = false;
  #closed = false;

  constructor(
    access: MasterAccess,
    logger: FrameworkLogger,
    frameworkId: () => FrameworkId | null,
    emit: (event: DaemonsetEvent) => void,
    permission: (refusal: string | null) => void,
  ) {
    this.#permission = permission;
    this.#logger = logger;
    this.#frameworkId = frameworkId;
    this.#emit = emit;
    this.#operator = createOperator({
      ...access,
      wanted: ['agents'],
      onEvent: (event) => this.#hear(event),
      onDown: (reason) => this.#logger.debug({ reason }, 'the stream of agents is down; trying again'),
    });
  }

  open(): void {
    this.#operator.open();
  }

  close(): void {
    this.#closed = true;
    if (this.#retry !== null) clearTimeout(this.#retry);
    this.#operator.close();
  }

  /** Asks for the list; its answer comes as an event. Tried again, less and less often, while there is none. */
  refresh(): void {
    if (this.#closed) return;
    if (this.#retry !== null) clearTimeout(this.#retry);
    this.#retry = null;
    if (this.#asking !== null) {
      this.#asking.again = true;
      return;
    }
    const asking = { again: false };
    this.#asking = asking;
    const askedAt = Date.now();
    this.#operator.getAgents().then(
      (list) => {
        this.#asking = null;
        this.#retryDelay = FIRST_RETRY_MS;
        this.#complained = false;
        this.#permission(null);
        this.#emitList(list, askedAt);
        if (asking.again) this.refresh();
      },
      (error: unknown) => {
        this.#asking = null;
        this.#failed(error);
      },
    );
  }

  /** Which running tasks have these ports of the agent. @throws {MesosError} */
  async holdersOf(agentId: AgentId, ports: readonly number[]): Promise<Record<number, string>> {
    const { tasks } = await this.#operator.ask('GET_TASKS');
    const holders: Record<number, string> = {};
    for (const task of tasks) {
      if (task.agent_id.value !== agentId) continue;
      const ranges = task.resources.flatMap((one) => (one.name === 'ports' ? (one.ranges?.range ?? []) : []));
      for (const port of ports) {
        if (ranges.some(({ begin, end }) => begin <= port && port <= end)) holders[port] = task.task_id.value;
      }
    }
    return holders;
  }

  #failed(error: unknown): void {
    if (this.#closed) return;
    const why = error instanceof Error ? error.message : String(error);
    if (error instanceof MesosError && error.kind === 'forbidden') this.#permission(why);
    if (!this.#complained) {
      this.#logger.warn(
        { why },
        'Mesos does not tell which agents there are; going by its offers alone, and trying again',
      );
      this.#complained = true;
    }
    this.#retry = setTimeout(() => this.refresh(), this.#retryDelay);
    this.#retryDelay = Math.min(MAX_RETRY_MS, this.#retryDelay * 2);
  }

  #hear(event: OperatorEvent): void {
    switch (event.type) {
      case 'SUBSCRIBED': {
        const list = event.subscribed.get_state?.get_agents;
        if (list !== undefined) this.#emitList(list, Date.now() - SNAPSHOT_AGE_MS);
        return;
      }
      case 'AGENT_ADDED': {
        const agent = viewOfListed(event.agent_added.agent, this.#frameworkId());
        if (agent !== null) this.#emit({ type: 'agent-added', agent });
        return;
      }
      case 'AGENT_REMOVED':
        this.#emit({ type: 'agent-removed', agentId: event.agent_removed.agent_id.value });
        return;
      default:
        return;
    }
  }

  #emitList(list: AgentList, askedAt: number): void {
    const frameworkId = this.#frameworkId();
    const registered = list.agents
      .map((agent) => viewOfListed(agent, frameworkId))
      .filter((agent): agent is ListedAgent => agent !== null);
    const recovered = list.recovered_agents
      .map((agent) => agent.id?.value)
      .filter((id): id is AgentId => id !== undefined);
    // Listed, but without an address: there all the same.
    const seen = new Set(registered.map((one) => one.view.agentId));
    for (const agent of list.agents) {
      const id = agent.agent_info.id?.value;
      if (id !== undefined && !seen.has(id)) recovered.push(id);
    }
    for (const part of partsOfList({ type: 'agents', registered, recovered, askedAt })) this.#emit(part);
  }
}
