/**
 * Nodes whose proxy has no control session (those without a proxy, too): their proxies are told where the scheduler is, and
 * those that were taken for well are asked whether they live.
 */
import type { NodeStatus } from '../framework/index.ts';
import { Announcer, type AnnouncerOptions } from './distribution/announcer.ts';
import { HealthProbe } from './health-probe.ts';

export interface SilentProxiesOptions extends Pick<AnnouncerOptions, 'announce' | 'authorization' | 'staleLeader'> {
  node(agentId: string): NodeStatus | undefined;
  readonly adminPort: number;
  /** A proxy was asked directly; `alive`: it answered. */
  probed(agentId: string, taskId: string, alive: boolean): void;
}

export class SilentProxies {
  readonly #options: SilentProxiesOptions;
  readonly #agents = new Set<string>();
  readonly #announcer: Announcer;
  readonly #probe: HealthProbe;

  constructor(options: SilentProxiesOptions) {
    const { adminPort, announce, probed } = options;
    this.#options = options;
    this.#announcer = new Announcer({
      announce,
      authorization: (target, body) => options.authorization(target, body),
      targets: () => this.#nodes().flatMap(({ taskId, ip }) => (taskId === null ? [] : [{ taskId, ip, adminPort }])),
      staleLeader: (taskId) => options.staleLeader(taskId),
    });
    this.#probe = new HealthProbe({
      targets: () =>
        this.#nodes().flatMap(({ agentId, taskId, ip, state }) =>
          state === 'unhealthy' && taskId !== null ? [{ agentId, taskId, ip, adminPort }] : [],
        ),
      told: ({ agentId, taskId }, alive) => probed(agentId, taskId, alive),
    });
  }

  add(agentId: string): void {
    this.#agents.add(agentId);
  }

  /** It has a session, or the agent is no more. */
  delete(agentId: string): void {
    this.#agents.delete(agentId);
  }

  start(): void {
    this.#announcer.start();
    this.#probe.start();
  }

  async stop(): Promise<void> {
    await Promise.all([this.#announcer.stop(), this.#probe.stop()]);
  }

  /** Looked for often, so never among all nodes. */
  #nodes(): NodeStatus[] {
    return [...this.#agents].flatMap((agentId) => this.#options.node(agentId) ?? []);
  }
}
