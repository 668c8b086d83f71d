/** What goes over the nodes step by step, judged by its traffic: configurations of the proxies, and versions of them. */
import type { Report } from '../../agent-proxy/control/contract.ts';
import type { Framework } from '../../framework/index.ts';
import type { SchedulerConfig } from '../config.ts';
import type { ConfiguredNode } from './configured-node.ts';
import { RollingConfig, type RollingConfigOptions } from './rolling-config.ts';
import { TrafficHistory } from './traffic-history.ts';
import { VersionGate } from './version-gate.ts';

export interface RolloutsOptions extends Pick<RollingConfigOptions, 'store' | 'logger' | 'send' | 'fatal'> {
  readonly config: SchedulerConfig;
  framework(): Framework;
  nodes(): readonly ConfiguredNode[];
}

export class Rollouts {
  readonly config: RollingConfig;
  readonly #versions: VersionGate;
  readonly #history = new TrafficHistory();

  constructor({ config, framework, ...options }: RolloutsOptions) {
    const shared = { ...options, ports: config.ports, history: this.#history };
    this.config = new RollingConfig({ ...shared, frozen: () => framework().frozen });
    this.#versions = new VersionGate({
      ...shared,
      settings: { ...config.versionGate, stepTimeoutMs: config.rollout.stepTimeoutMs },
      framework,
      isBusy: () => this.config.isUnderWay,
      now: Date.now,
    });
  }

  start(): void {
    this.config.start();
    this.#versions.start();
  }

  async stop(): Promise<void> {
    await Promise.all([this.config.stop(), this.#versions.stop()]);
  }

  reported(report: Report): void {
    this.#history.add(report, Date.now());
  }
}
