/**
 * A miniature Mesos agent: runs tasks as real processes of this machine, tells the leading master what becomes of them,
 * and can be cut off, rebooted and marked gone as a real one.
 */
import { rm } from 'node:fs/promises';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type {
  AgentId,
  FrameworkId,
  FrameworkInfo,
  Resource,
  TaskId,
  TaskInfo,
} from '../../framework/mesos-http-client/messages.ts';
import type { AgentDescription, AgentEndpoint, DrainOrder } from '../agent-link.ts';
import { createAgentHttp } from './agent-http.ts';
import { type AgentOptions, resourcesOf } from './agent-options.ts';
import { Checkpoint } from './checkpoint.ts';
import { Fetcher } from './fetcher.ts';
import { Prober } from './probes.ts';
import { Registration } from './registration.ts';
import type { OutgoingUpdate } from './status-updates.ts';
import { TaskTable } from './task-table.ts';

/** A live process of a task. */
export interface AgentProcess {
  readonly taskId: TaskId;
  readonly taskName: string;
  readonly frameworkId: FrameworkId;
  readonly frameworkName: string;
  readonly pid: number;
  /** ISO 8601. */
  readonly startedAt: string;
}

const DEFAULT_REBOOT_MS = 500;
const DEFAULT_KEPT_SANDBOXES = 50;
const DEFAULT_MAX_LOG_BYTES = 8 * 1024 * 1024;
/** How long `start` waits for a master. */
const REGISTRATION_TIMEOUT_MS = 30_000;

export class Agent implements AgentEndpoint {
  private readonly options: AgentOptions;
  private readonly fetcher: Fetcher;
  private readonly prober = new Prober();
  private readonly tasks: TaskTable;
  private readonly checkpoints: Checkpoint;
  private readonly registration: Registration;
  private readonly server: Server;
  private readonly waiting = new Set<(agentId: AgentId) => void>();
  private agentId: AgentId | null;
  private isCut = false;
  private isRebooting = false;
  private isOver = false;

  constructor(options: AgentOptions) {
    this.agentId = options.agentId ?? null;
    this.options = options;
    this.checkpoints = new Checkpoint(options.workDir);
    this.fetcher = new Fetcher(join(options.workDir, 'fetch'));
    this.tasks = new TaskTable({
      ip: options.ip,
      workDir: options.workDir,
      marks: options.environment ?? {},
      fetcher: this.fetcher,
      prober: this.prober,
      updateRetry: options.updateRetry,
      keptSandboxes: options.keptSandboxes ?? DEFAULT_KEPT_SANDBOXES,
      maxLogBytes: options.maxLogBytes ?? DEFAULT_MAX_LOG_BYTES,
      send: (update) => this.send(update),
    });
    this.registration = new Registration({
      leader: options.leader,
      retry: options.registrationRetry,
      introduce: (master) => master.register(this, this.agentId, this.tasks.heldTasks()),
    });
    const startTime = Date.now() / 1000;
    this.server = createAgentHttp({
      workDir: options.workDir,
      view: () => ({
        agentId: this.agentId,
        description: this.description,
        startTime,
        runs: this.tasks.runs(),
        completed: this.tasks.completed(),
      }),
    });
  }

  // ---- its life ----

  /**
   * Listens, and joins the cluster. Resolves with its id once a master has registered it.
   * @throws when the port cannot be had (the error of `listen`), or no master answers in 30 s; it is then shut down.
   */
  async start(): Promise<AgentId> {
    try {
      const { workDir } = this.options;
      // The port first: whoever has it may be another agent, whose sandboxes these are.
      await this.listen();
      await Promise.all(['slaves', 'fetch'].map((name) => rm(join(workDir, name), { recursive: true, force: true })));
      this.checkpoints.load();
      this.join();
      return this.agentId ?? (await this.firstRegistration());
    } catch (error) {
      await this.shutdown();
      throw error;
    }
  }

  /** Off the master's network; processes live on, updates queue up. */
  cut(): void {
    this.isCut = true;
    this.leave();
  }

  /** Back on the network: registers again with all that it holds, then sends what queued up. */
  restore(): void {
    this.isCut = false;
    this.join();
  }

  /**
   * All processes die; resolves when they are dead. A moment later the agent is back with its old id (as since Mesos
   * 1.4, if nothing of its configuration changed) and reports its tasks as FAILED with REASON_EXECUTOR_TERMINATED.
   */
  async reboot(): Promise<void> {
    await this.restart(() => this.tasks.crash());
  }

  /** Kills everything, closes everything. May be called again. */
  async shutdown(): Promise<void> {
    this.isOver = true;
    this.leave();
    this.registration.close();
    await Promise.all([this.fetcher.close(), this.tasks.close()]);
    this.prober.close();
    this.server.closeAllConnections();
    if (this.server.listening) await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }

  // ---- what people ask ----

  /** @throws before `start` has resolved. */
  id(): AgentId {
    if (this.agentId === null) throw new Error(`the agent ${this.options.hostname} is not registered yet`);
    return this.agentId;
  }

  get description(): AgentDescription {
    const { hostname, ip, port, attributes, domain } = this.options;
    const address = this.server.address() as AddressInfo | null;
    return {
      hostname,
      ip,
      port: address?.port ?? port,
      resources: resourcesOf(this.options),
      attributes: attributes ?? [],
      ...(domain === undefined ? {} : { domain }),
    };
  }

  /** Every task's own process that is alive. */
  processes(): AgentProcess[] {
    return this.tasks.runs().flatMap((run) => {
      if (!run.active || run.pid === null || run.startedAt === null) return [];
      const { taskId, frameworkId, pid } = run;
      const startedAt = run.startedAt.toISOString();
      return [{ taskId, taskName: run.task.name, frameworkId, frameworkName: run.frameworkInfo.name, pid, startedAt }];
    });
  }

  /** Ends a task as the kernel does when its container needs more memory than it has. False if it does not run. */
  exceedMemory(taskId: string): boolean {
    return this.tasks.runs().some((run) => run.taskId === taskId && run.exceedMemory());
  }

  // ---- what a master asks; a message that arrives while the link is down is lost ----

  registered(agentId: AgentId): void {
    if (!this.registration.reachable()) return;
    this.agentId = agentId;
    this.registration.confirmed();
    this.tasks.resume();
    for (const settle of this.waiting) settle(agentId);
    this.waiting.clear();
  }

  runTask(frameworkId: FrameworkId, frameworkInfo: FrameworkInfo, task: TaskInfo): void {
    if (!this.registration.reachable() || this.agentId === null) return;
    this.tasks.run(this.agentId, frameworkId, frameworkInfo, task);
  }

  killTask(frameworkId: FrameworkId, taskId: TaskId, graceSeconds?: number): void {
    if (!this.registration.reachable()) return;
    // The default command executor ignores the grace period of a KILL call; only the task's own policy counts.
    const heeded = this.options.honourKillGrace && graceSeconds !== undefined;
    this.tasks.kill(frameworkId, taskId, heeded ? graceSeconds * 1000 : undefined);
  }

  get checkpointed(): readonly Resource[] {
    return this.checkpoints.resources;
  }

  checkpoint(resources: readonly Resource[]): void {
    if (this.registration.reachable()) this.checkpoints.save(resources);
  }

  drain(order: DrainOrder): void {
    if (this.registration.reachable()) this.tasks.drain(order);
  }

  /** Exits as Mesos' agent does, and is started again by its service manager: refused while its machine is down. */
  shutDown(): void {
    void this.restart(() => this.tasks.abandon());
  }

  acknowledge(frameworkId: FrameworkId, taskId: TaskId, uuid: string): void {
    if (this.registration.reachable()) this.tasks.acknowledge(frameworkId, taskId, uuid);
  }

  updateFramework(frameworkId: FrameworkId): void {
    if (this.registration.reachable() && this.tasks.has(frameworkId)) this.tasks.resume();
  }

  shutdownFramework(frameworkId: FrameworkId): void {
    if (this.registration.reachable()) this.tasks.shutdownFramework(frameworkId);
  }

  gone(): void {
    this.registration.close();
    this.checkpoints.forget();
    void this.shutdown();
  }

  // ---- its link ----

  private listen(): Promise<void> {
    const { ip, port } = this.options;
    return new Promise((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen({ host: ip, port }, () => {
        this.server.off('error', reject);
        resolve();
      });
    });
  }

  private async restart(endTasks: () => Promise<void>): Promise<void> {
    if (this.isOver || this.isRebooting) return;
    this.isRebooting = true;
    this.leave();
    await endTasks();
    const back = async (): Promise<void> => {
      await sleep(this.options.rebootMs ?? DEFAULT_REBOOT_MS);
      this.isRebooting = false;
      this.join();
    };
    void back();
  }

  private join(): void {
    if (!this.isOver && !this.isCut && !this.isRebooting) this.registration.up();
  }

  private leave(): void {
    this.registration.down(this.agentId);
    this.tasks.pause();
  }

  private firstRegistration(): Promise<AgentId> {
    return new Promise((resolve, reject) => {
      const settle = (agentId: AgentId): void => {
        clearTimeout(timer);
        resolve(agentId);
      };
      const timer = setTimeout(() => {
        this.waiting.delete(settle);
        const { hostname } = this.options;
        reject(new Error(`no master has registered the agent ${hostname} in ${REGISTRATION_TIMEOUT_MS / 1000} s`));
      }, REGISTRATION_TIMEOUT_MS);
      this.waiting.add(settle);
    });
  }

  /** False if no master knows us now. */
  private send({ frameworkId, status }: OutgoingUpdate): boolean {
    const master = this.registration.master();
    if (master === null || this.agentId === null) return false;
    master.statusUpdate(this.agentId, frameworkId, status);
    return true;
  }
}
