/**
 * What makes a reason better: the last words of a task that failed (from its agent's files), and which task has a port (from
 * the master's list of tasks). Nothing depends on the answers, so everything that goes wrong is just no answer.
 */
import type { AgentView } from './agent.ts';
import type { FrameworkLogger } from './contract.ts';
import type { MasterAccess } from './mesos-http-client/index.ts';
import type { TaskId } from './mesos-http-client/messages.ts';

export class Enquiries {
  constructor(_access: MasterAccess, _logger: FrameworkLogger) {}

  lastWords(_agent: AgentView, _taskId: TaskId): Promise<string | null> {
    return Promise.resolve(null);
  }

  portHolders(_agent: AgentView, _ports: readonly number[]): Promise<Readonly<Record<number, string>> | null> {
    return Promise.resolve(null);
  }
}
