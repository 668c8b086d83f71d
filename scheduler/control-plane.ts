/**
 * The control plane at work: what the framework says of agents and what discovery says of apps flows into one feed, the
 * feed's deltas go to all sessions, and what the sessions say of their proxies flows back to the framework.
 */

import type { ServerResponse } from 'node:http';
import type { Report, Service, Subscribe, Want } from '../agent-proxy/control/contract.ts';
import { firstDtab } from '../agent-proxy/routing/table-names/namespace.ts';
import type { Framework, NodeStatus } from '../framework/index.ts';
import { marathonDentries } from './config/marathons.ts';
import type { ControlPlaneOptions } from './control-plane-options.ts';
import { LabelBook } from './discovery/labels/label-book.ts';
import { Marathons } from './discovery/marathons.ts';
import { type MesosSource, openMesosSource } from './discovery/mesos-source.ts';
import { Sources } from './discovery/sources.ts';
import { CommitPace } from './distribution/commit-pace.ts';
import { Feed } from './distribution/feed.ts';
import { AgentDirectory, peerAgentOf } from './distribution/mesh-table.ts';
import { NodeSessions, type SubscribeOutcome } from './distribution/node-sessions.ts';
import type { SessionView } from './distribution/session-view.ts';
import { endAll } from './ending.ts';
import { frameworkOptions } from './framework-options.ts';
import { doubtLead } from './lead-doubt.ts';
import { isLoopback } from './loopback.ts';
import { marathonSources } from './marathon-access.ts';
import type { NodeView } from './node-view.ts';
import { configuredNode } from './policy/configured-node.ts';
import { allPlans, type Plans } from './policy/plans.ts';
import type { RollingConfig } from './policy/rolling-config.ts';
import { Rollouts } from './policy/rollouts.ts';
import { RoutingPolicy } from './policy/routing-policy.ts';
import { ChangesInPlace } from './proxy/changes.ts';
import { ProxyKeys } from './proxy-keys.ts';
import { ServiceStaging } from './service-staging.ts';
import { SilentProxies } from './silent-proxies.ts';
import { TrafficWindow } from './traffic.ts';

const TICK_MS = 250;
const STREAM_GONE = 'The control stream of the proxy has been gone for more than 3 s';
/** How long after a start a proxy that ran before is taken for ready before it says so. */
const PRESUMED_READY_MS = 10_000;
/** Thousands that come back at once wait for their turn, and are no worse for it. */
const PRESUMED_READY_A_NODE_MS = 8;

export type RepairReason = 'digest' | 'behind' | 'other-table';

export class ControlPlane {
  readonly epoch: number;
  readonly config: RollingConfig;
  readonly #rollouts: Rollouts;
  readonly keys: ProxyKeys;
  readonly traffic = new TrafficWindow();
  readonly repairs = new Map<RepairReason, number>();
  readonly discovery: Marathons;
  /** Null where it is turned off. Other frameworks' services, and a second look at Marathon's tasks. */
  readonly mesos: MesosSource | null;
  readonly #staging: ServiceStaging;
  /** What the labels of apps say, by service. */
  readonly labels: LabelBook;
  /** Null until the state is loaded. */
  policy: RoutingPolicy | null = null;
  readonly #options: ControlPlaneOptions;
  readonly #framework: Framework;
  readonly #feed: Feed;
  readonly #sessions: NodeSessions;
  readonly #changes: ChangesInPlace;
  readonly #directory = new AgentDirectory();
  readonly #nodes = new Map<string, NodeStatus>();
  readonly #dirtyNodes = new Set<NodeStatus['agentId']>();
  readonly #silent: SilentProxies;
  readonly #pace = new CommitPace(() => this.#commit());
  #presumedReady = new Set<string>();
  #ticker: NodeJS.Timeout | undefined;
  #presumption: NodeJS.Timeout | undefined;
  #flushing: NodeJS.Immediate | undefined;
  #started = false;
  #stopped = false;

  constructor(options: ControlPlaneOptions) {
    const { config, identity, logger } = options;
    this.#options = options;
    this.epoch = identity.epoch;
    this.#feed = new Feed(identity.epoch);
    this.labels = new LabelBook(config.edgeGroups);
    this.#sessions = new NodeSessions({
      feed: this.#feed,
      scope: config.discoveryScope,
      peerKey: identity.peerKey,
      schedulers: [options.advertise],
      nodes: () => this.#nodes.size,
      configFor: (agentId) => this.config.configFor(agentId),
      now: () => performance.now(),
      hooks: {
        told: (session) => this.#sessionTold(session),
        gone: (session) => this.#sessionGone(session),
        reported: (report) => {
          this.traffic.add(report, Date.now());
          this.policy?.reported(report);
          this.#rollouts.reported(report);
        },
        repaired: (session, why) => {
          this.repairs.set(why, (this.repairs.get(why) ?? 0) + 1);
          logger.warn(
            { agentId: session.agentId, taskId: session.taskId, why },
            'the table of a proxy was wrong and is sent again',
          );
        },
      },
    });
    this.#rollouts = new Rollouts({
      ...options,
      framework: () => this.#framework,
      nodes: () => this.nodes().map((node) => configuredNode(node, options)),
      send: (agentId) => this.#sessions.sendConfig(this.#nodes.get(agentId)?.taskId ?? null),
    });
    this.config = this.#rollouts.config;
    this.mesos = openMesosSource(options, {
      changed: (names) => this.#restage(names),
      taskEnded: (taskId, agentId) => this.discovery.taskGone(taskId, agentId),
    });
    this.discovery = new Marathons({
      sources: marathonSources(config, options.access, options.refusals),
      logger,
      changed: (names) => this.#restage(names),
      // The table may replace those that proxies have.
      whole: () => {
        this.#sessions.open();
        this.policy?.names.open();
      },
      ...(this.mesos === null ? {} : { secondLook: this.mesos }),
    });
    this.#staging = new ServiceStaging({
      ...{ feed: this.#feed, labels: this.labels, marathons: this.discovery, logger },
      sources: new Sources(this.discovery, this.mesos, this.#directory),
    });
    this.#framework = options.createFramework(
      frameworkOptions(options, {
        upgrade: (_agentId, taskId, goal) => this.#changes.ask(taskId, goal),
        changed: (agentId) => {
          this.#dirtyNodes.add(agentId);
          this.#flushSoon();
        },
      }),
    );
    this.keys = new ProxyKeys({
      ...{ framework: this.#framework, logger, launchKey: identity.launchKey, clusterKey: identity.clusterKey },
      node: (agentId) => this.#nodes.get(agentId),
      onLoopback: isLoopback(config.listen.host),
    });
    this.#changes = new ChangesInPlace({
      ...{ goals: options.goals, advertise: options.advertise, logger },
      framework: this.#framework,
      sessions: this.#sessions,
      now: () => performance.now(),
    });
    this.#silent = new SilentProxies({
      node: (agentId) => this.#nodes.get(agentId),
      adminPort: config.ports.admin,
      announce: { epoch: identity.epoch, schedulers: [options.advertise] },
      authorization: (target, body) => this.keys.announceAuthorization(target, body),
      staleLeader: (taskId) => this.#doubtLead(`the proxy task ${taskId}`),
      probed: (agentId, taskId, alive) => this.#probed(agentId, taskId, alive),
    });
  }

  /** Resolves when the state is loaded; neither Mesos nor Marathon has to answer. @throws {StateStoreError} */
  async start(): Promise<void> {
    const { store, config, logger } = this.#options;
    this.policy = await RoutingPolicy.open({
      ...{ store, logger, feed: this.#feed, dtabCheck: config.dtabCheck, now: Date.now },
      firstDtab: firstDtab(marathonDentries(config.marathons)),
      changed: () => this.#started && this.#commit(),
      frozen: () => this.#framework.frozen,
      conflict: () => this.#doubtLead('the state store'),
    });
    await this.#rollouts.load();
    await this.#framework.start();
    this.#started = true;
    for (const node of this.#framework.nodes()) {
      this.#dirtyNodes.add(node.agentId);
      if (node.taskId !== null) this.#presumedReady.add(node.taskId);
    }
    this.#presumption = setTimeout(
      () => {
        this.#presumedReady = new Set();
        for (const node of this.#nodes.values()) this.#dirtyNodes.add(node.agentId);
        this.#flushSoon();
      },
      Math.max(PRESUMED_READY_MS, PRESUMED_READY_A_NODE_MS * this.#presumedReady.size),
    );
    this.#flush();
    this.discovery.start();
    this.mesos?.start();
    this.#silent.start();
    this.#rollouts.start();
    this.#ticker = setInterval(() => this.#sessions.tick(), TICK_MS);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#ticker);
    clearTimeout(this.#presumption);
    clearImmediate(this.#flushing);
    this.#pace.done();
    this.#sessions.close();
    this.mesos?.stop();
    const parts = {
      policy: this.policy?.close() ?? Promise.resolve(),
      'silent proxies': this.#silent.stop(),
      rollouts: this.#rollouts.stop(),
      discovery: this.discovery.stop(),
      framework: this.#framework.stop(),
    };
    await endAll(parts, this.#options.logger);
  }

  subscribe(request: Subscribe, response: ServerResponse): SubscribeOutcome {
    const outcome = this.#sessions.subscribe(request, response);
    if (outcome.kind === 'stale-leader') {
      this.#doubtLead(`the proxy of agent ${request.agentId}, which has seen epoch ${request.epoch}`);
    }
    return outcome;
  }

  report(report: Report): boolean {
    return this.#sessions.report(report);
  }

  want(want: Want): boolean {
    return this.#sessions.want(want);
  }

  nodes(): NodeView[] {
    if (!this.#started) return [];
    return this.#framework.nodes().map((status) => ({ status, session: this.#sessionOf(status) }));
  }

  /** Some nodes, in an order that stays while nodes come and go; no others are looked at. */
  someNodes(offset: number, limit: number): { readonly nodes: NodeView[]; readonly total: number } {
    const nodes: NodeView[] = [];
    let at = 0;
    for (const { agentId } of this.#nodes.values()) {
      if (nodes.length >= limit) break;
      const status = at++ < offset ? undefined : this.#framework.node(agentId);
      if (status !== undefined) nodes.push({ status, session: this.#sessionOf(status) });
    }
    return { nodes, total: this.#nodes.size };
  }

  services(): Service[] {
    return this.#feed.services();
  }

  /** Why services, or some of their instances, are not in the table, by name. */
  skipped(): ReadonlyMap<string, string> {
    return this.#staging.skipped();
  }

  get revision(): number {
    return this.#feed.revision;
  }

  get sessions(): number {
    return this.#sessions.size;
  }

  get framework(): Omit<Framework, 'start' | 'stop' | 'command'> {
    return this.#framework;
  }

  /** Why the configuration that the options give is not what the proxies run; null: it is, or there is none. */
  get configFault(): string | null {
    return this.#rollouts.optionsFault;
  }

  get plans(): Plans {
    return allPlans(this.#framework, this.config, this.#options.erasure);
  }

  // ---- sources → feed

  #restage(names: readonly string[]): void {
    for (const name of names) this.#staging.stage(name);
    this.#commit();
  }

  // ---- framework → feed

  #flushSoon(): void {
    if (!this.#started || this.#stopped) return;
    this.#flushing ??= setImmediate(() => this.#flush());
  }

  /** Takes over what the framework says of the agents that changed. */
  #flush(): void {
    clearImmediate(this.#flushing);
    this.#flushing = undefined;
    const moved = new Set<string>();
    for (const agentId of this.#dirtyNodes) {
      const before = this.#nodes.get(agentId);
      const node = this.#framework.node(agentId);
      if (node === undefined) {
        this.#nodes.delete(agentId);
        this.#silent.delete(agentId);
        this.#feed.removeAgent(agentId);
        if (this.#directory.remove(agentId)) moved.add(agentId);
        continue;
      }
      this.#nodes.set(agentId, node);
      if (this.#sessionOf(node) === undefined) this.#silent.add(agentId);
      else this.#silent.delete(agentId);
      if (this.#directory.set(agentId, node.ip)) moved.add(agentId);
      this.#stageAgent(node);
      // The framework may have learnt only now that the task runs, after its proxy had said that it is well.
      const changed = before?.taskId !== node.taskId || before?.state !== node.state;
      if (changed && node.state !== 'healthy') this.#tellHealth(node);
    }
    this.#dirtyNodes.clear();
    this.#staging.stageOn(moved);
    this.#pace.soon(this.#sessions.size);
  }

  #stageAgent(node: NodeStatus): void {
    const presumed = node.taskId !== null && this.#presumedReady.has(node.taskId);
    this.#feed.setAgent(peerAgentOf(node, this.#sessionOf(node), this.#options.config, presumed));
  }

  #commit(): void {
    this.#pace.done();
    const deltas = this.#feed.commit();
    this.#sessions.broadcast(deltas);
    this.policy?.names.follow(deltas);
  }

  // ---- sessions → framework and feed

  #sessionOf(node: NodeStatus): SessionView | undefined {
    return node.taskId === null ? undefined : this.#sessions.get(node.taskId);
  }

  #sessionTold(session: SessionView): void {
    const node = this.#nodes.get(session.agentId);
    // A proxy that the framework does not (or no longer) count on gets its table, but its health decides nothing.
    if (node?.taskId !== session.taskId) return;
    this.#silent.delete(node.agentId);
    if (session.health.kind !== 'connecting') this.#presumedReady.delete(session.taskId);
    this.#changes.told(node, session);
    this.#tellHealth(node);
    this.#stageAgent(node);
    this.#pace.soon(this.#sessions.size);
  }

  #sessionGone(session: SessionView): void {
    const node = this.#nodes.get(session.agentId);
    this.#options.logger.warn(
      { agentId: session.agentId, taskId: session.taskId },
      'the control stream of a proxy is gone',
    );
    if (node === undefined || node.taskId === null || node.taskId !== session.taskId) return;
    this.#silent.add(node.agentId);
    this.#framework.reportHealth(node.taskId, { healthy: false, reason: `${STREAM_GONE}.` });
    this.#stageAgent(node);
    this.#pace.soon(this.#sessions.size);
  }

  /** A proxy without a control stream was asked directly. */
  #probed(agentId: string, taskId: string, alive: boolean): void {
    const node = this.#nodes.get(agentId);
    if (node === undefined || node.taskId === null || node.taskId !== taskId) return;
    if (this.#sessions.get(taskId) !== undefined) return;
    const reason = alive
      ? `${STREAM_GONE}; the proxy answers at its own address.`
      : `${STREAM_GONE}, and nothing answers at its own address.`;
    this.#framework.reportHealth(node.taskId, { healthy: false, reason, dead: !alive });
  }

  #tellHealth(node: NodeStatus): void {
    const health = this.#sessionOf(node)?.health;
    if (node.taskId === null || health === undefined || health.kind === 'connecting') return;
    this.#framework.reportHealth(
      node.taskId,
      health.kind === 'ready' ? { healthy: true } : { healthy: false, reason: health.reason },
    );
  }

  #doubtLead(who: string): void {
    void doubtLead(this.#options, who, () => this.#stopped);
  }
}
