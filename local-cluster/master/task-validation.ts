/** What a TaskInfo must be to be launched; the texts are those of the recorded TASK_ERRORs where there is one. */
import type { AgentId, HealthCheck, TaskId, TaskInfo } from '../../framework/mesos-http-client/messages.ts';
import { validateIdText } from './framework-validation.ts';
import { contains, formatResources, normalise, quantities, type Resources } from './resources.ts';

export interface LaunchSite {
  readonly agentId: AgentId;
  /** What is left of the offers, allocated to their role. */
  readonly available: Resources;
  readonly isTaken: (id: TaskId) => boolean;
}

/** Null if the task may run; `needs` are its resources, allocated. */
export function validateTask(task: TaskInfo, needs: Resources, site: LaunchSite): string | null {
  const id = task.task_id.value;
  const idError = validateIdText(id);
  if (idError !== null) return idError;
  if (site.isTaken(id)) return `Task has duplicate ID: ${id}`;
  if (task.agent_id.value !== site.agentId) {
    return `Task uses invalid agent ${task.agent_id.value} while agent ${site.agentId} is expected`;
  }
  if ((task.kill_policy?.grace_period?.nanoseconds ?? 0) < 0)
    return "Task's 'kill_policy.grace_period' must be non-negative";
  if ((task.command === undefined) === (task.executor === undefined)) {
    return 'Task should have at least one (but not both) of CommandInfo or ExecutorInfo present';
  }
  // Not a refusal of Mesos: these agents have no custom executors.
  if (task.executor !== undefined) return 'Custom executors are not supported here: use CommandInfo';
  const checkError = task.health_check === undefined ? null : validateHealthCheck(task.health_check);
  if (checkError !== null) return `Task uses invalid health check: ${checkError}`;
  if (task.resources.length === 0) return 'Task uses no resources';
  const negative = task.resources.find((resource) => (resource.scalar?.value ?? 0) < 0);
  if (negative !== undefined) return 'Task uses invalid resources: Invalid scalar resource: value < 0';
  const limitError = validateLimits(task);
  if (limitError !== null) return limitError;
  if (!contains(site.available, needs)) {
    return `Total resources ${formatResources(needs)} required by task and its executor is more than available ${formatResources(site.available)}`;
  }
  return null;
}

/** What a task may use beyond what it asks for; in megabytes, or cpus. */
export type Limits = Readonly<Record<string, { readonly value: number | 'Infinity' }>>;

/** `limits` of a TaskInfo (since Mesos 1.10). */
export function limitsOf(task: TaskInfo & { readonly limits?: Limits }): Limits {
  return task.limits ?? {};
}

function validateLimits(task: TaskInfo): string | null {
  const { cpus, mem, ...others } = limitsOf(task);
  if (Object.keys(others).length > 0) return "Only cpus and mem may be included in a task's resource limits";
  const requested = quantities(task.resources.map(normalise));
  const below = (limit: Limits[string], name: string): boolean =>
    Number(limit.value) * 1000 < (requested.get(name) ?? 0);
  if (cpus !== undefined) {
    if (!requested.has('cpus')) return 'When a CPU limit is specified, a CPU request must also be specified';
    if (below(cpus, 'cpus')) return 'The cpu limit must be greater than or equal to the cpu request';
  }
  if (mem !== undefined) {
    if (!requested.has('mem')) return 'When a memory limit is specified, a memory request must also be specified';
    if (below(mem, 'mem')) return 'The memory limit must be greater than or equal to the memory request';
  }
  return null;
}

function validateHealthCheck(check: HealthCheck): string | null {
  if (check.type === 'COMMAND' && check.command === undefined)
    return "Expecting 'command' to be set for COMMAND health check";
  if (check.type === 'HTTP' && check.http === undefined) return "Expecting 'http' to be set for HTTP health check";
  if (check.type === 'TCP' && check.tcp === undefined) return "Expecting 'tcp' to be set for TCP health check";
  const durations = ['delay_seconds', 'interval_seconds', 'timeout_seconds', 'grace_period_seconds'] as const;
  const negative = durations.find((name) => (check[name] ?? 0) < 0);
  return negative === undefined ? null : `Expecting '${negative}' to be non-negative`;
}
