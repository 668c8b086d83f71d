/** What the operator API holds: agents, frameworks and tasks. Source: include/mesos/v1/master/master.proto. */
import { z } from 'zod';
import { agentIdValue, frameworkIdValue, taskIdValue, textValue } from './ids.ts';
import { attributeSchema, labelsSchema, resourceSchema } from './resources.ts';
import { TASK_STATES, taskStatusSchema } from './task-status.ts';
import { domainSchema, nanosecondsSchema } from './times-and-places.ts';

export const agentInfoSchema = z.object({
  id: agentIdValue.optional(),
  hostname: z.string(),
  port: z.number().int().optional(),
  resources: z.array(resourceSchema).default([]),
  attributes: z.array(attributeSchema).default([]),
  domain: domainSchema.optional(),
});
export type AgentInfo = z.infer<typeof agentInfoSchema>;

/** An agent in GET_AGENTS and AGENT_ADDED. `pid` is `slave(1)@<ip>:<port>`: the one place that names its address. */
export const operatorAgentSchema = z.object({
  agent_info: agentInfoSchema,
  active: z.boolean().default(true),
  /** By DEACTIVATE_AGENT or DRAIN_AGENT: no offers come of it until REACTIVATE_AGENT. */
  deactivated: z.boolean().optional(),
  version: z.string().optional(),
  pid: z.string().optional(),
  registered_time: nanosecondsSchema.optional(),
  reregistered_time: nanosecondsSchema.optional(),
  total_resources: z.array(resourceSchema).default([]),
  allocated_resources: z.array(resourceSchema).optional(),
  offered_resources: z.array(resourceSchema).optional(),
  capabilities: z.array(z.object({ type: z.string().optional() })).optional(),
  /** Since DRAIN_AGENT. */
  drain_info: z
    .object({
      state: z.enum(['UNKNOWN', 'DRAINING', 'DRAINED']),
      config: z
        .object({ max_grace_period: nanosecondsSchema.optional(), mark_gone: z.boolean().optional() })
        .optional(),
    })
    .optional(),
  estimated_drain_start_time: nanosecondsSchema.optional(),
});
export type OperatorAgent = z.infer<typeof operatorAgentSchema>;
export type OperatorAgentWire = z.input<typeof operatorAgentSchema>;

const discoverySchema = z.object({
  /** FRAMEWORK, CLUSTER or EXTERNAL: who is meant to find the task. */
  visibility: z.string().optional(),
  name: z.string().optional(),
  ports: z
    .object({
      ports: z
        .array(
          z.object({
            number: z.number().int(),
            name: z.string().optional(),
            protocol: z.string().optional(),
            visibility: z.string().optional(),
            labels: labelsSchema.optional(),
          }),
        )
        .optional(),
    })
    .optional(),
  labels: labelsSchema.optional(),
});

const portMappings = z
  .array(z.object({ host_port: z.number().int(), container_port: z.number().int(), protocol: z.string().optional() }))
  .optional();

/** Of a container only what says how it is reached. */
const taskContainerSchema = z.object({
  type: z.string().optional(),
  docker: z.object({ network: z.string().optional(), port_mappings: portMappings }).optional(),
  network_infos: z.array(z.object({ name: z.string().optional(), port_mappings: portMappings })).optional(),
});

/**
 * A task as the master knows it: enough of it to adopt one of ours, and to reach others'. What describes a task may look
 * different in another version of Mesos, and is left out then; what it is must be readable.
 */
export const operatorTaskSchema = z.object({
  name: z.string(),
  task_id: taskIdValue,
  framework_id: frameworkIdValue,
  agent_id: agentIdValue,
  executor_id: textValue.optional(),
  state: z.enum(TASK_STATES),
  resources: z.array(resourceSchema).default([]),
  statuses: z.array(taskStatusSchema).default([]),
  /** The state of the update that is not acknowledged yet. */
  status_update_state: z.enum(TASK_STATES).optional(),
  status_update_uuid: z.string().optional(),
  labels: labelsSchema.optional(),
  discovery: discoverySchema.optional().catch(undefined),
  container: taskContainerSchema.optional().catch(undefined),
  /** Carried, not interpreted: that there is one. */
  health_check: z.unknown().optional(),
  user: z.string().optional(),
});
export type OperatorTask = z.infer<typeof operatorTaskSchema>;

export const operatorFrameworkInfoSchema = z.object({
  id: frameworkIdValue.optional(),
  user: z.string(),
  name: z.string(),
  failover_timeout: z.number().optional(),
  checkpoint: z.boolean().optional(),
  role: z.string().optional(),
  roles: z.array(z.string()).optional(),
  hostname: z.string().optional(),
  principal: z.string().optional(),
  webui_url: z.string().optional(),
  capabilities: z.array(z.object({ type: z.string().optional() })).optional(),
  labels: labelsSchema.optional(),
});

export const operatorFrameworkSchema = z.object({
  framework_info: operatorFrameworkInfoSchema,
  active: z.boolean(),
  connected: z.boolean(),
  /** Known from its tasks after a master failover, not subscribed again yet. */
  recovered: z.boolean().optional(),
  registered_time: nanosecondsSchema.optional(),
  reregistered_time: nanosecondsSchema.optional(),
  unregistered_time: nanosecondsSchema.optional(),
  allocated_resources: z.array(resourceSchema).optional(),
  offered_resources: z.array(resourceSchema).optional(),
});
export type OperatorFramework = z.infer<typeof operatorFrameworkSchema>;

/** A machine of the maintenance schedule; matched as a whole, so with exactly the fields that the agent goes by. */
export const machineIdSchema = z.object({ hostname: z.string().optional(), ip: z.string().optional() });
export type MachineId = z.infer<typeof machineIdSchema>;
