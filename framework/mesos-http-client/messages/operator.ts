/** The operator API. Source: include/mesos/v1/master/master.proto. */
import { z } from 'zod';
import { agentIdValue } from './ids.ts';
import { attributeSchema, resourceSchema } from './resources.ts';
import { domainSchema } from './times-and-places.ts';

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
  deactivated: z.boolean().optional(),
  version: z.string().optional(),
  pid: z.string().optional(),
  total_resources: z.array(resourceSchema).default([]),
});
export type OperatorAgent = z.infer<typeof operatorAgentSchema>;
export type OperatorAgentWire = z.input<typeof operatorAgentSchema>;

export const getAgentsSchema = z.object({
  type: z.literal('GET_AGENTS'),
  get_agents: z.object({
    agents: z.array(operatorAgentSchema).default([]),
    /** Known from the registry after a master failover, not back yet. */
    recovered_agents: z.array(agentInfoSchema).default([]),
  }),
});

/** The operator events that a daemonset needs; the others are skipped by the reader. */
export const operatorEventSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('SUBSCRIBED'),
    subscribed: z.object({
      get_state: z
        .object({
          get_agents: z
            .object({
              agents: z.array(operatorAgentSchema).default([]),
              recovered_agents: z.array(agentInfoSchema).default([]),
            })
            .optional(),
        })
        .optional(),
      heartbeat_interval_seconds: z.number().positive().optional(),
    }),
  }),
  z.object({ type: z.literal('HEARTBEAT') }),
  z.object({ type: z.literal('AGENT_ADDED'), agent_added: z.object({ agent: operatorAgentSchema }) }),
  z.object({ type: z.literal('AGENT_REMOVED'), agent_removed: z.object({ agent_id: agentIdValue }) }),
]);
export type OperatorEvent = z.infer<typeof operatorEventSchema>;
