/**
 * What the framework writes to the state store, and how it reads it again: its id, and one small record for each agent.
 * The records hold what cannot be asked again after a crash; how a task is, Mesos is asked (reconciliation).
 */
import { z } from 'zod';
import { agentId, frameworkId, taskId } from '../mesos-http-client/messages.ts';
import { goalSchema, strategySchema } from '../rollout/goal.ts';

/** Where the framework's own record is. */
export const FRAMEWORK_KEY = 'framework';
/** The rollout at work, or the last one. */
export const ROLLOUT_KEY = 'rollout';
/** Below it one record for each agent. */
export const AGENTS_PREFIX = 'agents';

export const frameworkRecordSchema = z.object({
  /** Given by the first master; the same for ever, or the tasks are somebody else's. */
  frameworkId: z.string().min(1).transform(frameworkId),
  mode: z.enum(['keep', 'uninstall', 'gone']).default('keep'),
  frozen: z.boolean().default(false),
  /** What all tasks are, but for those that a rollout has changed already. */
  completed: goalSchema.nullable().default(null),
  /** Goals that did harm and were turned back, the newest last: none is begun again by a start or by a node that joins. */
  bad: z.array(z.string()).default([]),
});
export type FrameworkRecord = z.infer<typeof frameworkRecordSchema>;

export const rolloutRecordSchema = z.object({
  /** Unique: steps of an older rollout count for nothing. */
  id: z.string().min(1),
  goal: goalSchema,
  from: goalSchema.nullable(),
  strategy: strategySchema,
  maxUnavailable: z.int().min(1),
  status: z.enum(['running', 'waiting', 'interrupted', 'failed', 'complete']),
  /** So many nodes may have begun when a phase is over; null: all. */
  phases: z.array(z.object({ name: z.string(), upTo: z.int().min(0).nullable() })).min(1),
  phase: z.int().min(0),
  errors: z.array(z.string()),
  /** Strategy `gate`: so many phases were judged, and passed. */
  judged: z.int().min(0).default(0),
  /** Phases that passed without having been seen to do no harm. */
  unproven: z.array(z.string()).default([]),
  /** It takes back this goal. */
  turnedBack: z.object({ goal: z.string(), why: z.string() }).nullable().default(null),
});
export type RolloutRecord = z.infer<typeof rolloutRecordSchema>;

/** What a rollout has done with a node. A node without a mark of it has not had its turn. */
export const stepMarkSchema = z.object({
  rollout: z.string(),
  phase: z.int().min(0),
  state: z.enum(['active', 'complete', 'failed']),
  /** When `state` became so. Milliseconds since the epoch. */
  since: z.number(),
});
export type StepMark = Readonly<z.infer<typeof stepMarkSchema>>;

export const agentRecordSchema = z.object({
  agentId: z.string().min(1).transform(agentId),
  hostname: z.string(),
  ip: z.string(),
  isPublic: z.boolean(),
  attributes: z.record(z.string(), z.string()),
  region: z.string().nullable().default(null),
  zone: z.string().nullable().default(null),
  /** The task that holds the agent, written before it is launched; null when there is none. */
  taskId: z.string().min(1).transform(taskId).nullable(),
  /** Milliseconds since the epoch. */
  launchedAt: z.number().nullable(),
  /** What the task is. */
  goal: goalSchema.nullable().default(null),
  /** By what the framework's user knows the task; null for one that was launched without, or found. */
  credential: z.string().nullable().default(null),
  step: stepMarkSchema.nullable().default(null),
  /** The role in which the agent's resources are held; null when nothing was ever reserved, or all given back. */
  reserved: z.string().nullable().default(null),
  /** Why an operator wants no task on the agent; null where he has not said so. */
  heldOut: z.string().nullable().default(null),
  /** The scheduler took its task down, and it has not been healthy since: it counts against what may be unavailable. */
  down: z.boolean().default(false),
  /** True once a task of the agent was healthy. */
  covered: z.boolean().default(false),
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
