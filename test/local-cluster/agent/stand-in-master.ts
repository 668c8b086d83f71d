/** A master's side of the agent link that remembers what it was told, and agents to try with it. */
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import {
  type AgentId,
  agentId,
  type FrameworkId,
  type FrameworkInfo,
  frameworkId,
  type TaskInfo,
  type TaskStatus,
  taskId,
} from '../../../framework/mesos-http-client/messages.ts';
import { Agent } from '../../../local-cluster/agent/agent.ts';
import type { AgentOptions } from '../../../local-cluster/agent/agent-options.ts';
import type { AgentEndpoint, HeldTask, MasterEndpoint } from '../../../local-cluster/agent-link.ts';
import { Leader } from '../../../local-cluster/leader.ts';
import { eventually } from '../../fixtures/eventually.ts';

export const FRAMEWORK = frameworkId('m-0000');

export class StandInMaster implements MasterEndpoint {
  readonly registrations: { agentId: AgentId | null; tasks: readonly HeldTask[] }[] = [];
  readonly updates: TaskStatus[] = [];
  readonly disconnections: AgentId[] = [];
  /** Answers registrations. */
  answers = true;
  /** Acknowledges updates a moment later, as a framework would. */
  acknowledges = true;
  private readonly id: string;
  private agent: AgentEndpoint | null = null;

  constructor(id = 'm') {
    this.id = id;
  }

  register(agent: AgentEndpoint, id: AgentId | null, tasks: readonly HeldTask[]): void {
    this.agent = agent;
    this.registrations.push({ agentId: id, tasks });
    if (this.answers) agent.registered(id ?? agentId(`${this.id}-S0`));
  }

  statusUpdate(_agentId: AgentId, framework: FrameworkId, status: TaskStatus): void {
    this.updates.push(status);
    if (this.acknowledges) setImmediate(() => this.acknowledge(status, framework));
  }

  disconnected(id: AgentId): void {
    this.disconnections.push(id);
  }

  acknowledge(status: TaskStatus, framework: FrameworkId = FRAMEWORK): void {
    this.agent?.acknowledge(framework, status.task_id.value, status.uuid ?? '');
  }

  /** The updates of one task, as they came. */
  of(id: string): TaskStatus[] {
    return this.updates.filter((status) => status.task_id.value === id);
  }

  states(id: string): string[] {
    return this.of(id).map(({ state }) => state);
  }
}

export interface Bench {
  readonly agent: Agent;
  readonly master: StandInMaster;
  readonly leader: Leader<MasterEndpoint>;
  readonly workDir: string;
  readonly options: AgentOptions;
}

/** An agent of its own for one test, registered with a stand-in; all of it is gone when the test is over. */
export async function startAgent(changes: Partial<AgentOptions> = {}): Promise<Bench> {
  const workDir = await mkdtemp(join(tmpdir(), 'nodemesh-agent-'));
  const master = new StandInMaster();
  const leader = new Leader<MasterEndpoint>();
  leader.set(master);
  const options: AgentOptions = {
    ...{ index: 1, hostname: 'node-1', ip: '127.0.32.1', port: 0, isPublic: false, workDir, leader, rebootMs: 10 },
    ...changes,
  };
  const agent = new Agent(options);
  onTestFinished(async () => {
    await agent.shutdown();
    await rm(workDir, { recursive: true, force: true });
  });
  await agent.start();
  return { agent, master, leader, workDir, options };
}

export function framework(...capabilities: string[]): FrameworkInfo {
  return { user: 'root', name: 'test', id: { value: FRAMEWORK }, capabilities: capabilities.map((type) => ({ type })) };
}

/** A shell command as a task. */
export function shellTask(id: string, value: string, rest: Partial<TaskInfo> = {}): TaskInfo {
  return {
    name: id,
    task_id: { value: taskId(id) },
    agent_id: { value: agentId('m-S0') },
    resources: [
      { name: 'cpus', type: 'SCALAR', scalar: { value: 0.1 } },
      { name: 'mem', type: 'SCALAR', scalar: { value: 32 } },
    ],
    command: { shell: true, value },
    ...rest,
  };
}

export function run({ agent }: Bench, task: TaskInfo, info: FrameworkInfo = framework()): void {
  agent.runTask(FRAMEWORK, info, task);
}

/** Waits for a state of a task and returns the update that brought it. */
export function reached(master: StandInMaster, id: string, state: string): Promise<TaskStatus> {
  return eventually(`${state} of ${id}`, () => master.of(id).find((status) => status.state === state));
}

/** Whether a process runs; one that is dead but not yet reaped by its parent does not. */
export function alive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
