/**
 * The embedded cluster: one miniature master at a time, any number of agents, Marathon, the demo, and the real scheduler
 * as a process of its own. What happens to a cluster (an agent joins, is cut off, reboots, is marked gone; the master
 * fails over) is a method here; the HTTP face of these is local-api.ts.
 */
import { randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import type { Server } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Attribute } from '../framework/mesos-http-client/messages.ts';
import { Agent } from './agent/agent.ts';
import type { LinkMode } from './control-relay/modes.ts';
import { ControlRelay } from './control-relay/relay.ts';
import { demoApps } from './demo/apps.ts';
import { DemoLoad } from './demo/load.ts';
import {
  type AgentRequest,
  ChangeRefused,
  type FailoverRequest,
  type LocalLink,
  type LocalNode,
  type LocalProcess,
  type ReadyDocument,
} from './documents.ts';
import { CLUSTER_MARK } from './guardian.ts';
import { Leader } from './leader.ts';
import { type ClusterControls, createLocalApi } from './local-api.ts';
import { Marathon } from './marathon/marathon.ts';
import { createMasterHttp } from './master/http.ts';
import { Master } from './master/master.ts';
import type { NotLeading } from './master/not-leading.ts';
import type { LocalOptions } from './options.ts';
import { Roster } from './roster.ts';
import { SchedulerProcess } from './scheduler-process.ts';
import { type Listener, listen, requireFree, sentence } from './taken-ports.ts';

export const MESOS_PORT = 5050;
export const AGENT_PORT = 5051;
export const MARATHON_PORT = 8080;
export const SCHEDULER_PORT = 4180;
/** Where the proxies think the scheduler is. */
const RELAY_PORT = 4181;
export const PROXY_PORTS = { outgoing: 4140, incoming: 4141, admin: 9990, edge: 4143 } as const;

/** The framework's name when nothing else is said. */
const SCHEDULER_NAME = 'nodemesh';
/** Agent k offers ports from 20000 + 200·(k−1), so this many have one range each below 65536. */
const MOST_AGENTS = 220;
/** How long there is no master during a failover. */
const INTERREGNUM_MS = 300;

export interface ClusterContext {
  readonly options: LocalOptions;
  /** Where state, sandboxes and logs are kept. */
  readonly directory: string;
  readonly dist: string;
  /** Marks every process of this cluster. */
  readonly mark: string;
  /** Arguments that run `nodemesh scheduler`. */
  readonly schedulerCommand: readonly string[];
  note(text: string): void;
}

type Origin = `http://${string}`;

export class LocalCluster implements ClusterControls {
  readonly mesos: Origin;
  readonly marathonUrl: Origin;
  readonly scheduler: Origin | null;
  private readonly context: ClusterContext;
  private readonly leader = new Leader<Master>();
  private readonly agents = new Map<string, { agent: Agent; node: LocalNode }>();
  private readonly marathon: Marathon;
  private readonly masterHttp: Server;
  private readonly schedulerProcess: SchedulerProcess | null;
  private readonly relay: ControlRelay | null;
  private readonly load: DemoLoad;
  private roster: Roster | null = null;
  private nextIndex = 1;
  private additions: Promise<unknown> = Promise.resolve();
  private failovers: Promise<void> = Promise.resolve();
  /** What is answered on the Mesos URL while nobody leads. */
  private interregnum: NotLeading | null = null;
  private schedulerDeaths = 0;
  private stopped = false;

  constructor(context: ClusterContext) {
    this.context = context;
    const { controlIp, scheduler } = context.options;
    this.mesos = `http://${controlIp}:${MESOS_PORT}`;
    this.marathonUrl = `http://${controlIp}:${MARATHON_PORT}`;
    this.scheduler = scheduler ? `http://${controlIp}:${SCHEDULER_PORT}` : null;
    this.marathon = new Marathon({ ip: controlIp, port: MARATHON_PORT, leader: this.leader, user: userName() });
    this.masterHttp = createMasterHttp(
      () => this.leader.current() ?? this.interregnum,
      createLocalApi(this, context.dist),
    );
    this.schedulerProcess = scheduler ? this.schedulerToRun() : null;
    this.relay = this.scheduler === null ? null : new ControlRelay(this.scheduler);
    this.load = new DemoLoad({ rps: context.options.load, entries: [] });
  }

  /** @throws an Error that names the first port that is taken, before anything is started. */
  requirePorts(): Promise<void> {
    return requireFree(this.listeners());
  }

  /** Opens every listener and starts every part; resolves when they are started, which is before they are ready. */
  async start(): Promise<void> {
    const { options } = this.context;
    await mkdir(join(this.context.directory, 'logs'), { recursive: true });
    this.roster = await Roster.open(this.context.directory);
    await listen(this.masterHttp, { what: 'the Mesos master', ip: options.controlIp, port: MESOS_PORT });
    this.leader.set(this.newMaster(null));
    await this.marathon.start();
    for (let k = 0; k < options.agents; k++) await this.addAgent({ public: false });
    for (let k = 0; k < options.publicAgents; k++) await this.addAgent({ public: true });
    if (this.relay !== null) await listen(this.relay.server, this.relayListener());
    this.schedulerProcess?.start();
    if (options.demo) await this.deployDemo();
  }

  /** The demo's own traffic; begins when the cluster is ready. */
  startLoad(): void {
    const { demo, load, scheduler } = this.context.options;
    if (!demo || !scheduler || load === 0) return;
    this.load.start();
    this.directLoad();
  }

  nodes(): LocalNode[] {
    return [...this.agents.values()].map(({ node }) => node);
  }

  document(): ReadyDocument {
    return {
      ready: true,
      mesos: this.mesos,
      marathon: this.marathonUrl,
      scheduler: this.scheduler,
      nodes: this.nodes(),
    };
  }

  /** App id (with its slash) → instances, of the demo. */
  demoInstances(): Map<string, number> {
    const apps = this.context.options.demo ? this.demoApps() : [];
    return new Map(apps.map((app) => [app.id, app.instances]));
  }

  schedulerFailures(): number {
    return this.schedulerDeaths;
  }

  // ---- what can happen to a cluster ----

  /** @throws {ChangeRefused} for an address that is taken or not this machine's; nothing has changed then. */
  addAgent(request: AgentRequest): Promise<LocalNode> {
    // One after the other, so that each finds the addresses and numbers that the one before left free.
    const adding = this.additions.then(() => this.addNextAgent(request));
    this.additions = adding.catch(() => undefined);
    return adding;
  }

  private async addNextAgent(request: AgentRequest): Promise<LocalNode> {
    const { options, directory, mark } = this.context;
    const taken = new Set(this.nodes().map((node) => node.ip));
    let index = this.nextIndex;
    while (request.ip === undefined && taken.has(`${options.agentNet}.${index}`)) index++;
    if (index > MOST_AGENTS) throw new ChangeRefused(409, `a cluster can have ${MOST_AGENTS} agents; start a new one`);
    const ip = request.ip ?? `${options.agentNet}.${index}`;
    const isPublic = request.public ?? false;
    if (taken.has(ip)) throw new ChangeRefused(409, `an agent of this cluster has the address ${ip} already`);
    const agent = new Agent({
      index,
      hostname: ip,
      ip,
      port: AGENT_PORT,
      isPublic,
      ...(request.cpus === undefined ? {} : { cpus: request.cpus }),
      ...(request.mem === undefined ? {} : { mem: request.mem }),
      ...(request.ports === undefined ? {} : { portRanges: request.ports }),
      ...(request.region === undefined || request.zone === undefined
        ? {}
        : { domain: { fault_domain: { region: { name: request.region }, zone: { name: request.zone } } } }),
      attributes: Object.entries(request.attributes ?? {}).map(
        ([name, value]): Attribute => ({ name, type: 'TEXT', text: { value } }),
      ),
      workDir: join(directory, 'agents', ip),
      environment: { [CLUSTER_MARK]: mark },
      leader: this.leader,
      agentId: this.roster?.idOf(ip),
    });
    const agentId = await agent.start().catch((error: NodeJS.ErrnoException) => {
      throw new ChangeRefused(409, sentence({ what: `the agent ${ip}`, ip, port: AGENT_PORT }, error));
    });
    this.nextIndex = index + 1;
    await this.roster?.remember(ip, agentId);
    const node: LocalNode = {
      agentId,
      hostname: ip,
      ip,
      public: isPublic,
      http: `http://${ip}:${PROXY_PORTS.outgoing}`,
      admin: `http://${ip}:${PROXY_PORTS.admin}`,
      ...(isPublic ? { edge: `http://${ip}:${PROXY_PORTS.edge}` } : {}),
    };
    this.agents.set(agentId, { agent, node });
    this.directLoad();
    return node;
  }

  /** Marked gone: its processes die and it never comes back. */
  async removeAgent(agentId: string): Promise<boolean> {
    const entry = this.agents.get(agentId);
    if (entry === undefined) return false;
    this.agents.delete(agentId);
    this.directLoad();
    await this.roster?.forget(entry.node.ip);
    this.leader.current()?.markAgentGone(entry.agent.id());
    await entry.agent.shutdown();
    return true;
  }

  /** Cut off from the master, processes alive. */
  stopAgent(agentId: string): boolean {
    return this.withAgent(agentId, (agent) => agent.cut());
  }

  startAgent(agentId: string): boolean {
    return this.withAgent(agentId, (agent) => agent.restore());
  }

  /** All its processes die, and it comes back as the same agent. */
  async rebootAgent(agentId: string): Promise<boolean> {
    const entry = this.agents.get(agentId);
    if (entry === undefined) return false;
    await entry.agent.reboot();
    return true;
  }

  linkMode(agentId: string, mode: LinkMode): boolean {
    if (this.relay === null || !this.agents.has(agentId)) return false;
    this.relay.set(agentId, mode);
    return true;
  }

  controlLinks(): LocalLink[] {
    const { relay } = this;
    if (relay === null) return [];
    return [...this.agents.keys()].map((agentId) => ({ agentId, ...relay.link(agentId) }));
  }

  /** It is killed as for too much memory. */
  exceedMemory(id: string): boolean {
    return [...this.agents.values()].some(({ agent }) => agent.exceedMemory(id));
  }

  /** Another master leads: every stream breaks, agents and frameworks come back by themselves. */
  failover({ redirectMs, recoveryMs }: FailoverRequest): Promise<void> {
    const leader = { hostname: this.context.options.controlIp, port: MESOS_PORT };
    this.failovers = this.failovers.then(async () => {
      const old = this.leader.current();
      if (old === null) return;
      this.leader.set(null);
      old.shutdown();
      await sleep(INTERREGNUM_MS);
      this.interregnum = { kind: 'follower', leader };
      await sleep(redirectMs);
      this.interregnum = { kind: 'recovering', leader };
      await sleep(recoveryMs);
      this.interregnum = null;
      if (!this.stopped) this.leader.set(this.newMaster(old.registry()));
    });
    return this.failovers;
  }

  processes(): LocalProcess[] {
    const found: LocalProcess[] = [];
    const scheduler = this.schedulerProcess?.process();
    if (scheduler != null) {
      found.push({ role: 'scheduler', ...scheduler, agentId: null, taskId: null, appId: null });
    }
    for (const [agentId, { agent }] of this.agents) {
      for (const task of agent.processes()) {
        const appId = this.marathon.appOf(task.taskId);
        // Anybody may subscribe a framework; a proxy is what ours runs.
        const role = task.frameworkName === SCHEDULER_NAME ? 'proxy' : 'task';
        found.push({ role, pid: task.pid, agentId, taskId: task.taskId, appId, startedAt: task.startedAt });
      }
    }
    return found;
  }

  /** Everything ends, in the order in which nothing is started again by another part. */
  async stop(): Promise<void> {
    if (this.stopped) return;
    this.stopped = true;
    this.load.stop();
    await this.schedulerProcess?.stop();
    await this.relay?.close();
    await this.marathon.stop();
    await Promise.all([...this.agents.values()].map(({ agent }) => agent.shutdown()));
    this.leader.current()?.shutdown();
    this.masterHttp.closeAllConnections();
    await new Promise<void>((resolve) => this.masterHttp.close(() => resolve()));
  }

  // ---- how it is put together ----

  private newMaster(registry: ReturnType<Master['registry']> | null): Master {
    const { controlIp, agentPingTimeoutMs } = this.context.options;
    return new Master({
      id: randomUUID(),
      ip: controlIp,
      port: MESOS_PORT,
      hostname: controlIp,
      agentPingTimeoutMs,
      ...(registry === null ? {} : { registry }),
    });
  }

  private schedulerToRun(): SchedulerProcess {
    const { directory, schedulerCommand, mark, options, note } = this.context;
    const log = (name: string): string => join(directory, 'logs', name);
    return new SchedulerProcess({
      command: [
        ...schedulerCommand,
        ...['--master', this.mesos, '--marathon', this.marathonUrl],
        ...['--state', `file:${join(directory, 'scheduler')}`],
        ...['--listen', `${options.controlIp}:${SCHEDULER_PORT}`],
        ...['--advertise', `http://${options.controlIp}:${RELAY_PORT}`],
        // This machine has a Node.js, and not a CPU for each of its agents.
        ...['--proxy-archive', 'host-node', '--proxy-cpus', '0.1'],
      ],
      cwd: directory,
      environment: { [CLUSTER_MARK]: mark },
      stdout: log('scheduler.log'),
      stderr: log('scheduler.stderr.log'),
      died: (how) => {
        this.schedulerDeaths++;
        note(`the scheduler ended (${how}) and is started again`);
      },
    });
  }

  private relayListener(): Listener {
    return { what: 'the relay before the scheduler', ip: this.context.options.controlIp, port: RELAY_PORT };
  }

  private listeners(): Listener[] {
    const { controlIp, agentNet, agents, publicAgents, scheduler } = this.context.options;
    const control: Listener[] = [
      { what: 'the Mesos master', ip: controlIp, port: MESOS_PORT },
      { what: 'Marathon', ip: controlIp, port: MARATHON_PORT },
      ...(scheduler ? [{ what: 'the scheduler', ip: controlIp, port: SCHEDULER_PORT }, this.relayListener()] : []),
    ];
    const nodes = Array.from({ length: agents + publicAgents }, (_, index) => `${agentNet}.${index + 1}`);
    return control.concat(
      nodes.flatMap((ip, index) => [
        { what: `the agent ${ip}`, ip, port: AGENT_PORT },
        { what: `the proxy of ${ip}`, ip, port: PROXY_PORTS.outgoing },
        { what: `the proxy of ${ip}`, ip, port: PROXY_PORTS.incoming },
        { what: `the proxy of ${ip}`, ip, port: PROXY_PORTS.admin },
        ...(index < agents ? [] : [{ what: `the edge router of ${ip}`, ip, port: PROXY_PORTS.edge }]),
      ]),
    );
  }

  private demoApps(): ReturnType<typeof demoApps> {
    // Without private agents the demo makes do with public ones.
    return demoApps(`${this.mesos}/local/artifacts/demo.mjs`, { acceptPublic: this.context.options.agents === 0 });
  }

  private async deployDemo(): Promise<void> {
    for (const app of this.demoApps()) {
      const response = await fetch(`${this.marathonUrl}/v2/apps`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify(app),
      });
      if (!response.ok) throw new Error(`Marathon refused the demo's ${app.id}: ${await response.text()}`);
      await response.body?.cancel();
    }
  }

  private withAgent(agentId: string, act: (agent: Agent) => void): boolean {
    const entry = this.agents.get(agentId);
    if (entry === undefined) return false;
    act(entry.agent);
    return true;
  }

  private directLoad(): void {
    this.load.setEntries(this.nodes().map((node) => node.http));
  }
}

function userName(): string {
  return process.env['USER'] ?? 'root';
}
