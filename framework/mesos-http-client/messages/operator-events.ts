/** Events of the operator API. Source: include/mesos/v1/master/master.proto. */
import { z } from 'zod';
import { agentIdValue, frameworkIdValue } from './ids.ts';
import {
  operatorAgentSchema,
  operatorFrameworkInfoSchema,
  operatorFrameworkSchema,
  operatorTaskSchema,
} from './operator.ts';
import { stateSchema } from './operator-calls.ts';
import { TASK_STATES, taskStatusSchema } from './task-status.ts';

export const operatorEventSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('SUBSCRIBED'),
    subscribed: z.object({
      get_state: stateSchema.optional(),
      heartbeat_interval_seconds: z.number().positive().optional(),
      /** Not of the master: how many tasks and frameworks of its state could not be read, and are left out. */
      unreadable: z.number().int().default(0),
    }),
  }),
  z.object({ type: z.literal('HEARTBEAT') }),
  z.object({ type: z.literal('AGENT_ADDED'), agent_added: z.object({ agent: operatorAgentSchema }) }),
  z.object({ type: z.literal('AGENT_REMOVED'), agent_removed: z.object({ agent_id: agentIdValue }) }),
  z.object({ type: z.literal('TASK_ADDED'), task_added: z.object({ task: operatorTaskSchema }) }),
  z.object({
    type: z.literal('TASK_UPDATED'),
    task_updated: z.object({
      framework_id: frameworkIdValue,
      status: taskStatusSchema,
      /** The newest state, which may be ahead of the `status` that is not acknowledged yet. */
      state: z.enum(TASK_STATES).optional(),
    }),
  }),
  z.object({ type: z.literal('FRAMEWORK_ADDED'), framework_added: z.object({ framework: operatorFrameworkSchema }) }),
  z.object({
    type: z.literal('FRAMEWORK_UPDATED'),
    framework_updated: z.object({ framework: operatorFrameworkSchema }),
  }),
  z.object({
    type: z.literal('FRAMEWORK_REMOVED'),
    framework_removed: z.object({ framework_info: operatorFrameworkInfoSchema }),
  }),
]);
export type OperatorEvent = z.infer<typeof operatorEventSchema>;
