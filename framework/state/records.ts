/**
 * What the framework writes to the state store, and how it reads it again: its id, and one small record for each agent.
 * The records hold what cannot be asked again after a crash; how a task is, Mesos is asked (reconciliation).
 */
import { z } from 'zod';
import { agentId, taskId } from '../mesos-http-client/messages.ts';

/** Where the framework's own record is. */
export const FRAMEWORK_KEY = 'framework';
/** Below it one record for each agent. */
export const AGENTS_PREFIX = 'agents';

export const frameworkRecordSchema = z.object({
  /** Given by the first master; the same for ever, or the tasks are somebody else's. */
  frameworkId: z.string().min(1),
});

export const agentRecordSchema = z.object({
  agentId: z.string().min(1).transform(agentId),
  hostname: z.string(),
  ip: z.string(),
  isPublic: z.boolean(),
  attributes: z.record(z.string(), z.string()),
  /** The task that holds the agent, written before it is launched; null when there is none. */
  taskId: z.string().min(1).transform(taskId).nullable(),
  /** Milliseconds since the epoch. */
  launchedAt: z.number().nullable(),
  /** Launches in a row that did not end well. */
  failures: z.number().int().nonnegative(),
  /** No launch before this. Milliseconds since the epoch. */
  notBefore: z.number().nullable(),
  /** How the last task ended, in words. */
  lastEnd: z.string().nullable(),
});
export type AgentRecord = z.infer<typeof agentRecordSchema>;

/** Mesos' agent ids are `<uuid>-S<n>`, which is a key as it is; anything else is written in a form that is. */
export function agentKey(agent: string): string {
  const plain = /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/.test(agent) ? agent : `.${Buffer.from(agent).toString('hex')}`;
  return `${AGENTS_PREFIX}/${plain.replace(/^\./, 'hex.')}`;
}
