/** What Mesos says of a task. Source: include/mesos/v1/mesos.proto. */
import { z } from 'zod';
import { agentIdValue, taskIdValue, textValue } from './ids.ts';
import { labelsSchema, resourceSchema } from './resources.ts';
import { nanosecondsSchema } from './times-and-places.ts';

export const TASK_STATES = [
  'TASK_STAGING',
  'TASK_STARTING',
  'TASK_RUNNING',
  'TASK_KILLING',
  'TASK_FINISHED',
  'TASK_FAILED',
  'TASK_KILLED',
  'TASK_ERROR',
  'TASK_LOST',
  'TASK_DROPPED',
  'TASK_UNREACHABLE',
  'TASK_GONE',
  'TASK_GONE_BY_OPERATOR',
  'TASK_UNKNOWN',
] as const;
export type TaskState = (typeof TASK_STATES)[number];

export const taskStatusSchema = z.object({
  task_id: taskIdValue,
  state: z.enum(TASK_STATES),
  message: z.string().optional(),
  source: z.enum(['SOURCE_MASTER', 'SOURCE_AGENT', 'SOURCE_EXECUTOR']).optional(),
  /** `REASON_…`; an open set. */
  reason: z.string().optional(),
  data: z.string().optional(),
  agent_id: agentIdValue.optional(),
  executor_id: textValue.optional(),
  /** Seconds since the epoch. */
  timestamp: z.number().optional(),
  /** Base64 of 16 bytes. Present exactly when the update wants an ACKNOWLEDGE. */
  uuid: z.string().optional(),
  healthy: z.boolean().optional(),
  labels: labelsSchema.optional(),
  container_status: z
    .object({
      container_id: textValue.optional(),
      network_infos: z
        .array(
          z.object({
            name: z.string().optional(),
            ip_addresses: z
              .array(z.object({ protocol: z.enum(['IPv4', 'IPv6']).optional(), ip_address: z.string().optional() }))
              .optional(),
          }),
        )
        .optional(),
      executor_pid: z.number().int().optional(),
    })
    .optional(),
  unreachable_time: nanosecondsSchema.optional(),
  /** What the task's `check` said last; an empty object before the first time. */
  check_status: z
    .object({
      type: z.enum(['HTTP', 'TCP', 'COMMAND']).optional(),
      http: z.object({ status_code: z.number().int().optional() }).optional(),
      tcp: z.object({ succeeded: z.boolean().optional() }).optional(),
      command: z.object({ exit_code: z.number().int().optional() }).optional(),
    })
    .optional(),
  /** Which resources ran out, where that ended the task. */
  limitation: z.object({ resources: z.array(resourceSchema).optional() }).optional(),
});
export type TaskStatus = z.infer<typeof taskStatusSchema>;

export const OPERATION_STATES = [
  'OPERATION_PENDING',
  'OPERATION_FINISHED',
  'OPERATION_FAILED',
  'OPERATION_ERROR',
  'OPERATION_DROPPED',
  'OPERATION_UNREACHABLE',
  'OPERATION_GONE_BY_OPERATOR',
  'OPERATION_RECOVERING',
  'OPERATION_UNKNOWN',
  'OPERATION_UNSUPPORTED',
] as const;
export type OperationState = (typeof OPERATION_STATES)[number];

/** What became of an operation that had an id. */
export const operationStatusSchema = z.object({
  operation_id: textValue.optional(),
  state: z.enum(OPERATION_STATES),
  message: z.string().optional(),
  converted_resources: z.array(resourceSchema).optional(),
  /** An object, unlike a task's; base64. Present exactly when it wants an ACKNOWLEDGE_OPERATION_STATUS. */
  uuid: textValue.optional(),
  agent_id: agentIdValue.optional(),
  resource_provider_id: textValue.optional(),
});
export type OperationStatus = z.infer<typeof operationStatusSchema>;
