/** What goes over the nodes step by step, judged by its traffic: configurations of the proxies, and versions of them. */
import type { Report } from '../../agent-proxy/control/contract.ts';
import type { Framework } from '../../framework/index.ts';
import type { SchedulerConfig } from '../config.ts';
import type { ConfiguredNode } from './configured-node.ts';
import { KeptState } from './kept-state.ts';
import { OptionsConfig } from './options-config.ts';
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
  /** Null where the options give no configuration. */
  readonly #given: OptionsConfig | null;
  readonly #history = new TrafficHistory();

  constructor({ config, framework, ...options }: RolloutsOptions) {
    const shared = { ...options, ports: config.ports, history: this.#history };
    this.config = new RollingConfig({ ...shared, frozen: () => framework().frozen });
    this.#given = givenBy(config, options, this.config);
    this.#versions = new VersionGate({
      ...shared,
      settings: { ...config.versionGate, stepTimeoutMs: config.rollout.stepTimeoutMs },
      framework,
      isBusy: () => this.config.isUnderWay,
      now: Date.now,
    });
  }

  /** @throws {StateStoreError} */
  async load(): Promise<void> {
    const given = this.#given;
    const isFirst = await this.config.load(async () => given?.first());
    await given?.start(isFirst);
  }

  /** Why what the options say is not what the mesh runs, or is to run; null: it is. */
  get optionsFault(): string | null {
    return this.#given?.fault ?? null;
  }

  start(): void {
    this.config.start();
    this.#versions.start();
  }

  async stop(): Promise<void> {
    await this.#given?.stop();
    await Promise.all([this.config.stop(), this.#versions.stop()]);
  }

  reported(report: Report): void {
    this.#history.add(report, Date.now());
  }
}

/** Who is uninstalled gets no configuration any more. */
function givenBy(
  { meshConfig, uninstall, ports }: SchedulerConfig,
  { store, logger }: Pick<RolloutsOptions, 'store' | 'logger'>,
  config: RollingConfig,
): OptionsConfig | null {
  if (meshConfig === null || uninstall) return null;
  const { out: outgoing, in: incoming, admin, edge } = ports;
  const kept = new KeptState(store);
  return new OptionsConfig({ source: meshConfig, kept, config, ports: { outgoing, incoming, admin, edge }, logger });
}
