/**
 * What the master answers to RECONCILE, and to a KILL of a task that it does not hold. Silence is an answer too: while
 * agents from before a failover have not come back, nothing can be said about tasks that may be on them.
 */
import type { AgentId, TaskId, TaskState, TaskStatus } from '../../framework/mesos-http-client/messages.ts';
import type { MasterContext } from './context.ts';
import { type FrameworkRecord, isPartitionAware, sendTo } from './frameworks.ts';
import { latestStatus, masterStatus } from './statuses.ts';

export interface AskedTask {
  readonly task_id: { readonly value: TaskId };
  readonly agent_id?: { readonly value: AgentId };
}

/** An empty list asks for all tasks that the master holds (implicit reconciliation); there is no end marker. */
export function reconcile(context: MasterContext, framework: FrameworkRecord, asked: readonly AskedTask[]): void {
  const now = context.clock.now();
  const answers: (TaskStatus | null)[] =
    asked.length > 0
      ? asked.map((task) => answerTo(context, framework, task, now))
      : [...framework.tasks.values()].map((task) =>
          latestStatus(task, REASON, 'Reconciliation: Latest task state', now),
        );
  for (const status of answers) {
    if (status !== null) sendTo(framework, { type: 'UPDATE', update: { status } });
  }
}

const REASON = 'REASON_RECONCILIATION';

function answerTo(
  context: MasterContext,
  framework: FrameworkRecord,
  asked: AskedTask,
  now: number,
): TaskStatus | null {
  const taskId = asked.task_id.value;
  const known = framework.tasks.get(taskId);
  if (known !== undefined) return latestStatus(known, REASON, 'Reconciliation: Latest task state', now);

  const agentId = framework.unreachable.get(taskId)?.agentId ?? asked.agent_id?.value;
  const answer = (state: TaskState, message: string, unreachableSince?: number): TaskStatus =>
    masterStatus({
      taskId,
      agentId,
      // Frameworks without PARTITION_AWARE know none of the finer states.
      state: isPartitionAware(framework) ? state : 'TASK_LOST',
      message: `Reconciliation: ${message}`,
      reason: REASON,
      now,
      unreachableSince,
    });

  if (agentId === undefined) {
    if (context.agents.recovered().length > 0) return null;
    return answer('TASK_UNKNOWN', 'Task is unknown');
  }
  if (context.agents.gone.has(agentId)) return answer('TASK_GONE_BY_OPERATOR', 'Task is gone');
  const link = context.agents.get(agentId)?.link;
  if (link === undefined) return answer('TASK_UNKNOWN', 'Task is unknown');
  if (link.kind === 'recovered') return null;
  if (link.kind === 'unreachable') return answer('TASK_UNREACHABLE', 'Task is unreachable', link.since);
  return answer('TASK_GONE', 'Task is unknown to the agent');
}
