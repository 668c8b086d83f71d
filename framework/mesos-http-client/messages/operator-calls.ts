/** Calls of the operator API and their answers. Source: include/mesos/v1/{master/master,maintenance/maintenance}.proto. */
import { z } from 'zod';
import { type AgentId, frameworkIdValue } from './ids.ts';
import { masterInfoSchema } from './masters.ts';
import {
  agentInfoSchema,
  type MachineId,
  machineIdSchema,
  operatorAgentSchema,
  operatorFrameworkSchema,
  operatorTaskSchema,
} from './operator.ts';
import { type Nanoseconds, nanosecondsSchema, unavailabilitySchema } from './times-and-places.ts';

const agents = z.object({
  agents: z.array(operatorAgentSchema).default([]),
  /** Known from the registry after a master failover, not back yet. */
  recovered_agents: z.array(agentInfoSchema).default([]),
});

const tasks = z.object({
  /** Being authorized; the agent does not know them yet. */
  pending_tasks: z.array(operatorTaskSchema).default([]),
  tasks: z.array(operatorTaskSchema).default([]),
  unreachable_tasks: z.array(operatorTaskSchema).default([]),
  /** Terminal and acknowledged; the master keeps the last thousand of a framework. */
  completed_tasks: z.array(operatorTaskSchema).default([]),
});

const frameworks = z.object({
  frameworks: z.array(operatorFrameworkSchema).default([]),
  /** Torn down, or away for longer than their failover timeout. */
  completed_frameworks: z.array(operatorFrameworkSchema).default([]),
});

export const stateSchema = z.object({
  get_tasks: tasks.optional(),
  get_frameworks: frameworks.optional(),
  get_agents: agents.optional(),
});

export const scheduleSchema = z.object({
  windows: z
    .array(z.object({ machine_ids: z.array(machineIdSchema).default([]), unavailability: unavailabilitySchema }))
    .default([]),
});

/** The questions, each with the field that holds its answer and what that looks like. */
export const QUESTIONS = {
  GET_AGENTS: { field: 'get_agents', schema: agents },
  GET_TASKS: { field: 'get_tasks', schema: tasks },
  GET_FRAMEWORKS: { field: 'get_frameworks', schema: frameworks },
  GET_STATE: { field: 'get_state', schema: stateSchema },
  GET_MASTER: {
    field: 'get_master',
    /** Times in seconds since 1970. */
    schema: z.object({
      master_info: masterInfoSchema,
      start_time: z.number().optional(),
      elected_time: z.number().optional(),
    }),
  },
  GET_HEALTH: { field: 'get_health', schema: z.object({ healthy: z.boolean() }) },
  GET_VERSION: {
    field: 'get_version',
    schema: z.object({ version_info: z.object({ version: z.string(), git_sha: z.string().optional() }) }),
  },
  GET_MAINTENANCE_SCHEDULE: { field: 'get_maintenance_schedule', schema: z.object({ schedule: scheduleSchema }) },
  GET_MAINTENANCE_STATUS: {
    field: 'get_maintenance_status',
    schema: z.object({
      status: z.object({
        draining_machines: z
          .array(
            z.object({
              id: machineIdSchema,
              /** How the frameworks have answered their inverse offers. */
              statuses: z
                .array(
                  z.object({
                    status: z.enum(['UNKNOWN', 'ACCEPT', 'DECLINE']),
                    framework_id: frameworkIdValue,
                    timestamp: nanosecondsSchema.optional(),
                  }),
                )
                .default([]),
            }),
          )
          .default([]),
        down_machines: z.array(machineIdSchema).default([]),
      }),
    }),
  },
} as const;

export type Question = keyof typeof QUESTIONS;
export type AnswerTo<Q extends Question> = z.infer<(typeof QUESTIONS)[Q]['schema']>;

/** What changes something; answered with 200 and nothing. Draining and deactivating: Mesos 1.9 and 1.11. */
export type OperatorCommand =
  | {
      type: 'UPDATE_MAINTENANCE_SCHEDULE';
      update_maintenance_schedule: {
        schedule: {
          windows: { machine_ids: MachineId[]; unavailability: { start: Nanoseconds; duration?: Nanoseconds } }[];
        };
      };
    }
  | { type: 'START_MAINTENANCE'; start_maintenance: { machines: MachineId[] } }
  | { type: 'STOP_MAINTENANCE'; stop_maintenance: { machines: MachineId[] } }
  | {
      type: 'DRAIN_AGENT';
      drain_agent: { agent_id: { value: AgentId }; max_grace_period?: Nanoseconds; mark_gone?: boolean };
    }
  | { type: 'DEACTIVATE_AGENT'; deactivate_agent: { agent_id: { value: AgentId } } }
  | { type: 'REACTIVATE_AGENT'; reactivate_agent: { agent_id: { value: AgentId } } }
  | { type: 'MARK_AGENT_GONE'; mark_agent_gone: { agent_id: { value: AgentId } } };
