/**
 * The miniature master behind its real HTTP API, with agents whose tasks are only remembered: what the framework needs to
 * be tried end to end in one process.
 */

import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type {
  AgentId,
  FrameworkId,
  FrameworkInfo,
  Resource,
  TaskId,
  TaskInfo,
  TaskState,
  TaskStatus,
} from '../../framework/mesos-http-client/messages.ts';
import { resourcesOf } from '../../local-cluster/agent/agent-options.ts';
import type { AgentEndpoint, HeldTask } from '../../local-cluster/agent-link.ts';
import { createMasterHttp } from '../../local-cluster/master/http.ts';
import { Master } from '../../local-cluster/master/master.ts';

export class MiniMesos {
  master: Master | null = newMaster();
  readonly agents: FakeAgent[] = [];
  readonly #server = createMasterHttp(() => this.master);
  url = '';

  async start(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    this.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  addAgent(isPublic = false): FakeAgent {
    const agent = new FakeAgent(this, this.agents.length + 1, isPublic);
    this.agents.push(agent);
    agent.connect();
    return agent;
  }

  /** The leader dies; after `gapMs` another one leads, and the agents register with it. */
  async failover(gapMs: number): Promise<void> {
    const old = this.master;
    const registry = old?.registry();
    this.master = null;
    old?.shutdown();
    await new Promise((resolve) => setTimeout(resolve, gapMs));
    this.master = newMaster(registry);
    for (const agent of this.agents) if (!agent.isCut) agent.connect();
  }

  async stop(): Promise<void> {
    this.master?.shutdown();
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

function newMaster(registry?: ReturnType<Master['registry']>): Master {
  return new Master({
    ip: '127.0.0.1',
    port: 5050,
    agentPingTimeoutMs: 300,
    allocationIntervalMs: 100,
    ...(registry === undefined ? {} : { registry }),
  });
}

export class FakeAgent implements AgentEndpoint {
  readonly description;
  checkpointed: readonly Resource[] = [];
  id: AgentId | null = null;
  isCut = false;
  readonly running = new Map<
    TaskId,
    { frameworkId: FrameworkId; frameworkInfo: FrameworkInfo; task: TaskInfo; status: TaskStatus }
  >();
  /** Most tasks that ever ran at a time. */
  most = 0;
  launches = 0;
  readonly #mesos: MiniMesos;

  constructor(mesos: MiniMesos, index: number, isPublic: boolean) {
    this.#mesos = mesos;
    const ip = `127.0.34.${index}`;
    const options = {
      index,
      hostname: ip,
      ip,
      port: 5051,
      isPublic,
      workDir: '',
      leader: { current: () => null, watch: () => () => {} },
    };
    this.description = { hostname: ip, ip, port: 5051, resources: resourcesOf(options), attributes: [] };
  }

  connect(): void {
    this.isCut = false;
    const held: HeldTask[] = [...this.running.values()];
    this.#mesos.master?.register(this, this.id, held);
  }

  cut(): void {
    this.isCut = true;
    if (this.id !== null) this.#mesos.master?.disconnected(this.id);
  }

  /** The task dies by itself. */
  fail(taskId: TaskId): void {
    this.#report(taskId, 'TASK_FAILED', 'Command exited with status 1');
    this.running.delete(taskId);
  }

  get onlyTask(): TaskId | undefined {
    return this.running.keys().next().value;
  }

  checkpoint(resources: readonly Resource[]): void {
    this.checkpointed = resources;
  }

  drain(): void {
    for (const { frameworkId, task } of [...this.running.values()]) this.killTask(frameworkId, task.task_id.value);
  }

  shutDown(): void {
    this.running.clear();
  }

  registered(agentId: AgentId): void {
    this.id = agentId;
  }

  runTask(frameworkId: FrameworkId, frameworkInfo: FrameworkInfo, task: TaskInfo): void {
    this.launches += 1;
    const status: TaskStatus = { task_id: task.task_id, state: 'TASK_STAGING' };
    this.running.set(task.task_id.value, { frameworkId, frameworkInfo, task, status });
    this.most = Math.max(this.most, this.running.size);
    setImmediate(() => {
      this.#report(task.task_id.value, 'TASK_STARTING');
    });
  }

  killTask(_frameworkId: FrameworkId, taskId: TaskId): void {
    this.#report(taskId, 'TASK_KILLED');
    this.running.delete(taskId);
  }

  acknowledge(_frameworkId: FrameworkId, taskId: TaskId): void {
    if (this.running.get(taskId)?.status.state === 'TASK_STARTING') this.#report(taskId, 'TASK_RUNNING');
  }

  updateFramework(): void {}

  shutdownFramework(): void {
    this.running.clear();
  }

  gone(): void {
    this.isCut = true;
    this.running.clear();
  }

  #report(taskId: TaskId, state: TaskState, message?: string): void {
    const entry = this.running.get(taskId);
    if (entry === undefined || this.id === null) return;
    entry.status = {
      task_id: { value: taskId },
      agent_id: { value: this.id },
      state,
      source: 'SOURCE_EXECUTOR',
      timestamp: Date.now() / 1000,
      uuid: randomBytes(16).toString('base64'),
      ...(message === undefined ? {} : { message }),
    };
    if (!this.isCut) this.#mesos.master?.statusUpdate(this.id, entry.frameworkId, entry.status);
  }
}
