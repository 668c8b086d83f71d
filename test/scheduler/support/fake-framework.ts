/** A framework without Mesos: tests say what its nodes are, and see what it was told. */
import type { AgentId, Framework, FrameworkOptions, NodeStatus, TaskId } from '../../../framework/index.ts';

export type Told = { readonly taskId: string; readonly healthy: boolean; readonly reason: string | null };

export class FakeFramework implements Framework {
  readonly options: FrameworkOptions;
  readonly told: Told[] = [];
  readonly #nodes = new Map<string, NodeStatus>();
  #started = false;

  constructor(options: FrameworkOptions) {
    this.options = options;
  }

  /** Adds or changes a node, and says so. */
  set(agentId: string, rest: Partial<NodeStatus> = {}): void {
    const before = this.#nodes.get(agentId);
    this.#nodes.set(agentId, {
      agentId: agentId as AgentId,
      hostname: `${agentId}.example`,
      ip: '127.0.36.1',
      isPublic: false,
      attributes: {},
      state: 'unhealthy',
      reason: 'The proxy has not said yet that it is ready.',
      taskId: null,
      since: Date.UTC(2026, 0, 1),
      ...before,
      ...rest,
    });
    if (this.#started) this.options.changed(agentId as AgentId);
  }

  remove(agentId: string): void {
    this.#nodes.delete(agentId);
    this.options.changed(agentId as AgentId);
  }

  async start(): Promise<void> {
    this.#started = true;
  }

  async stop(): Promise<void> {
    this.#started = false;
  }

  nodes(): NodeStatus[] {
    return [...this.#nodes.values()];
  }

  node(agentId: AgentId): NodeStatus | undefined {
    return this.#nodes.get(agentId);
  }

  reportHealth(taskId: TaskId, health: { healthy: true } | { healthy: false; reason: string }): void {
    this.told.push({ taskId, healthy: health.healthy, reason: health.healthy ? null : health.reason });
    for (const node of this.#nodes.values()) {
      const state = health.healthy ? 'healthy' : 'unhealthy';
      if (node.taskId === taskId && node.state !== state)
        this.set(node.agentId, { state, reason: health.healthy ? null : health.reason });
    }
  }

  subscribed(): boolean {
    return this.#started;
  }

  frameworkId(): string | null {
    return this.#started ? 'fake-0001' : null;
  }

  counters() {
    return {
      launches: 3,
      offersReceived: 5,
      offersDeclined: 2,
      statusUpdates: 7,
      subscriptions: 1,
      reconciliations: 1,
    };
  }
}

export const taskId = (text: string): TaskId => text as TaskId;
