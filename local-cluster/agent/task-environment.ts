/** The environment of a task's process: little of ours, what Mesos sets, and what the task asks for. Pure. */
import { delimiter, dirname } from 'node:path';
import type { Resource, TaskInfo } from '../../framework/mesos-http-client/messages.ts';

export interface TaskSurroundings {
  /** The agent's own environment, of which only PATH, HOME and LANG are passed on. */
  readonly inherited: NodeJS.ProcessEnv;
  /** This very Node.js: put first on PATH, so that `node` in a command means it; unless there is to be nothing on PATH. */
  readonly execPath: string;
  /** The agent's address. */
  readonly host: string;
  readonly sandbox: string;
  readonly agentId: string;
  readonly frameworkId: string;
  /** Set for every task, last. */
  readonly marks: Readonly<Record<string, string>>;
}

const INHERITED = ['HOME', 'LANG'] as const;
const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** The ports of a task's `ports` resource, in the order in which they stand there. */
export function portsOf(resources: readonly Resource[]): number[] {
  return resources
    .filter((resource) => resource.name === 'ports')
    .flatMap((resource) => resource.ranges?.range ?? [])
    .flatMap(({ begin, end }) => Array.from({ length: Math.max(0, end - begin + 1) }, (_, offset) => begin + offset));
}

/**
 * `HOST`, `PORT0`…, `PORTS` come from the agent, so that a bare Mesos task has them too; a scheduler's own values in
 * the command win over them, as Marathon sets its own.
 */
export function taskEnvironment(task: TaskInfo, surroundings: TaskSurroundings): Record<string, string> {
  const { inherited, execPath, host, sandbox, agentId, frameworkId, marks } = surroundings;
  const ports = portsOf(task.resources);
  const own = task.command?.environment?.variables ?? [];
  return {
    // Who starts a cluster with an empty one means hosts that have nothing: no Node.js, no tools.
    PATH: inherited['PATH'] === '' ? '' : [dirname(execPath), inherited['PATH'] ?? DEFAULT_PATH].join(delimiter),
    ...pick(inherited, INHERITED),
    HOST: host,
    ...Object.fromEntries(ports.map((port, index) => [`PORT${index}`, String(port)])),
    ...(ports.length === 0 ? {} : { PORTS: ports.join(',') }),
    ...Object.fromEntries(own.map(({ name, value }) => [name, value])),
    MESOS_SANDBOX: sandbox,
    MESOS_TASK_ID: task.task_id.value,
    MESOS_AGENT_ID: agentId,
    MESOS_FRAMEWORK_ID: frameworkId,
    ...marks,
  };
}

function pick(environment: NodeJS.ProcessEnv, names: readonly string[]): Record<string, string> {
  const picked: Record<string, string> = {};
  for (const name of names) {
    const value = environment[name];
    if (value !== undefined) picked[name] = value;
  }
  return picked;
}
