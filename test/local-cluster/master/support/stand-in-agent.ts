/**
 * An agent without processes: it takes tasks and reports what a test tells it to, one update of each task at a time,
 * again after 10 s, 20 s, … until it is acknowledged, as a real agent does.
 */
import { randomUUID } from 'node:crypto';
import type {
  AgentId,
  FrameworkId,
  FrameworkInfo,
  Resource,
  TaskId,
  TaskInfo,
  TaskStatus,
} from '../../../../framework/mesos-http-client/messages.ts';
import type {
  AgentDescription,
  AgentEndpoint,
  DrainOrder,
  HeldTask,
  MasterEndpoint,
} from '../../../../local-cluster/agent-link.ts';
import type { Clock } from '../../../../local-cluster/master/clock.ts';

export interface Told {
  readonly call:
    | 'runTask'
    | 'killTask'
    | 'acknowledge'
    | 'updateFramework'
    | 'shutdownFramework'
    | 'registered'
    | 'gone'
    | 'drain'
    | 'shutDown';
  readonly taskId?: TaskId;
  readonly graceSeconds?: number | undefined;
  readonly order?: DrainOrder;
}

interface Held {
  readonly frameworkId: FrameworkId;
  readonly frameworkInfo: FrameworkInfo;
  readonly task: TaskInfo;
  latest: TaskStatus;
  readonly queue: TaskStatus[];
  stopResend: () => void;
}

export function describeAgent(ip: string, over: Partial<AgentDescription> = {}): AgentDescription {
  return {
    hostname: ip,
    ip,
    port: 5051,
    resources: [scalar('cpus', 2), scalar('mem', 1024), scalar('disk', 4096), ports(31000, 31999)],
    attributes: [
      { name: 'rack', type: 'TEXT', text: { value: 'r1' } },
      { name: 'zone', type: 'TEXT', text: { value: 'z1' } },
      { name: 'host', type: 'TEXT', text: { value: ip } },
    ],
    ...over,
  };
}

export function scalar(name: string, value: number, over: Partial<Resource> = {}): Resource {
  return { name, type: 'SCALAR', scalar: { value }, ...over };
}

export function ports(begin: number, end: number, over: Partial<Resource> = {}): Resource {
  return { name: 'ports', type: 'RANGES', ranges: { range: [{ begin, end }] }, ...over };
}

export class StandInAgent implements AgentEndpoint {
  readonly description: AgentDescription;
  readonly told: Told[] = [];
  readonly tasks = new Map<TaskId, Held>();
  id: AgentId | null = null;
  checkpointed: readonly Resource[] = [];
  /** What to do with a new task; by default it starts and runs. */
  onRun: (task: TaskInfo) => void = (task) => {
    this.report(task.task_id.value, 'TASK_STARTING');
    this.report(task.task_id.value, 'TASK_RUNNING');
  };
  onKill: (taskId: TaskId) => void = (taskId) => {
    this.report(taskId, 'TASK_KILLED', { message: 'Command terminated with signal Terminated' });
  };
  onDrain: () => void = () => {
    for (const taskId of this.tasks.keys()) this.report(taskId, 'TASK_KILLED', { reason: 'REASON_AGENT_DRAINING' });
  };
  readonly #clock: Clock;
  #master: MasterEndpoint | null = null;

  constructor(clock: Clock, description: AgentDescription) {
    this.#clock = clock;
    this.description = description;
  }

  join(master: MasterEndpoint): this {
    this.#master = master;
    master.register(this, this.id, this.held());
    for (const task of this.tasks.values()) this.#send(task);
    return this;
  }

  held(): HeldTask[] {
    return [...this.tasks.values()].map(({ frameworkId, frameworkInfo, task, latest }) => {
      return { frameworkId, frameworkInfo, task, status: latest };
    });
  }

  /** The link is cut; tasks live on. */
  cut(): void {
    const master = this.#master;
    this.#master = null;
    for (const task of this.tasks.values()) task.stopResend();
    if (this.id !== null) master?.disconnected(this.id);
  }

  report(taskId: TaskId, state: TaskStatus['state'], over: Partial<TaskStatus> = {}): void {
    if (!this.tasks.has(taskId) || this.id === null) throw new Error(`no task ${taskId} to report on`);
    const status: TaskStatus = {
      task_id: { value: taskId },
      state,
      source: 'SOURCE_EXECUTOR',
      agent_id: { value: this.id },
      executor_id: { value: taskId },
      timestamp: this.#clock.now() / 1000,
      uuid: Buffer.from(randomUUID().replaceAll('-', ''), 'hex').toString('base64'),
      container_status: {
        container_id: { value: `container-of-${taskId}` },
        network_infos: [{ ip_addresses: [{ protocol: 'IPv4', ip_address: this.description.ip }] }],
        executor_pid: 4711,
      },
      ...over,
    };
    this.forward(status);
  }

  /** Reports a status as it is. */
  forward(status: TaskStatus): void {
    const held = this.tasks.get(status.task_id.value);
    if (held === undefined) return;
    held.latest = status;
    held.queue.push(status);
    if (held.queue.length === 1) this.#send(held);
  }

  runTask(frameworkId: FrameworkId, frameworkInfo: FrameworkInfo, task: TaskInfo): void {
    this.told.push({ call: 'runTask', taskId: task.task_id.value });
    const latest: TaskStatus = { task_id: task.task_id, state: 'TASK_STAGING' };
    this.tasks.set(task.task_id.value, { frameworkId, frameworkInfo, task, latest, queue: [], stopResend: () => {} });
    this.onRun(task);
  }

  killTask(_frameworkId: FrameworkId, taskId: TaskId, graceSeconds?: number): void {
    this.told.push({ call: 'killTask', taskId, graceSeconds });
    if (this.tasks.has(taskId)) this.onKill(taskId);
  }

  acknowledge(_frameworkId: FrameworkId, taskId: TaskId, uuid: string): void {
    this.told.push({ call: 'acknowledge', taskId });
    const held = this.tasks.get(taskId);
    const head = held?.queue[0];
    if (held === undefined || head?.uuid !== uuid) return;
    held.stopResend();
    held.queue.shift();
    if (held.queue.length > 0) this.#send(held);
    else if (FINAL.has(held.latest.state)) this.tasks.delete(taskId);
  }

  updateFramework(): void {
    this.told.push({ call: 'updateFramework' });
  }

  shutdownFramework(frameworkId: FrameworkId): void {
    this.told.push({ call: 'shutdownFramework' });
    for (const [taskId, held] of this.tasks) {
      held.stopResend();
      if (held.frameworkId === frameworkId) this.tasks.delete(taskId);
    }
  }

  registered(agentId: AgentId): void {
    this.told.push({ call: 'registered' });
    this.id = agentId;
  }

  checkpoint(resources: readonly Resource[]): void {
    this.checkpointed = resources;
  }

  drain(order: DrainOrder): void {
    this.told.push({ call: 'drain', order });
    this.onDrain();
  }

  /** Its process exits: a test starts it again with `join`. */
  shutDown(): void {
    this.told.push({ call: 'shutDown' });
    for (const task of this.tasks.values()) task.stopResend();
    this.tasks.clear();
    this.#master = null;
  }

  gone(): void {
    this.told.push({ call: 'gone' });
    this.tasks.clear();
  }

  #send(held: Held, waitMs = 10_000): void {
    const head = held.queue[0];
    if (head === undefined || this.#master === null || this.id === null) return;
    held.stopResend();
    held.stopResend = this.#clock.after(waitMs, () => this.#send(held, waitMs * 2));
    this.#master.statusUpdate(this.id, held.frameworkId, head);
  }
}

const FINAL = new Set([
  'TASK_FINISHED',
  'TASK_FAILED',
  'TASK_KILLED',
  'TASK_LOST',
  'TASK_GONE',
  'TASK_DROPPED',
  'TASK_ERROR',
]);
