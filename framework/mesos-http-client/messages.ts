/**
 * The wire types of the Mesos v1 scheduler and operator API, as JSON: schemas for what comes from the master
 * (validation and type in one), plain types for what is sent to it.
 *
 * Source: include/mesos/v1/{mesos,scheduler,master}.proto. Unknown fields are dropped, unknown event types are let
 * through as `UNKNOWN` by the reader, never an error: a newer master must not break an older client.
 */
import { z } from 'zod';

// ---- ids -----------------------------------------------------------------------------------------------------------

/** An agent, for as long as it keeps its registration (`<master id>-S<n>`). */
export type AgentId = string & z.$brand<'AgentId'>;
/** A task; unique for ever within a framework. */
export type TaskId = string & z.$brand<'TaskId'>;
/** One offer; dead after ACCEPT, DECLINE, RESCIND or the end of the stream. */
export type OfferId = string & z.$brand<'OfferId'>;
/** A framework, kept across failovers (`<master id>-<nnnn>`). */
export type FrameworkId = string & z.$brand<'FrameworkId'>;

const agentIdText = z.string().min(1).brand<'AgentId'>();
const taskIdText = z.string().min(1).brand<'TaskId'>();
const offerIdText = z.string().min(1).brand<'OfferId'>();
const frameworkIdText = z.string().min(1).brand<'FrameworkId'>();

export const agentId = (text: string): AgentId => agentIdText.parse(text);
export const taskId = (text: string): TaskId => taskIdText.parse(text);
export const offerId = (text: string): OfferId => offerIdText.parse(text);
export const frameworkId = (text: string): FrameworkId => frameworkIdText.parse(text);

const agentIdValue = z.object({ value: agentIdText });
const taskIdValue = z.object({ value: taskIdText });
const offerIdValue = z.object({ value: offerIdText });
const frameworkIdValue = z.object({ value: frameworkIdText });
const textValue = z.object({ value: z.string() });

// ---- resources -----------------------------------------------------------------------------------------------------

export const labelsSchema = z.object({
  labels: z.array(z.object({ key: z.string(), value: z.string().optional() })).optional(),
});
export type Labels = z.infer<typeof labelsSchema>;

/** Inclusive at both ends. */
export const rangeSchema = z.object({ begin: z.number().int(), end: z.number().int() });
export type Range = z.infer<typeof rangeSchema>;

export const reservationSchema = z.object({
  type: z.enum(['STATIC', 'DYNAMIC']).optional(),
  role: z.string().optional(),
  principal: z.string().optional(),
  labels: labelsSchema.optional(),
});
export type ReservationInfo = z.infer<typeof reservationSchema>;

/**
 * A resource in either shape: before reservation refinement (`role`, `reservation`) and after it (`reservations`,
 * a stack; empty means unreserved). SCALAR has a precision of three decimals.
 */
export const resourceSchema = z.object({
  name: z.string(),
  type: z.enum(['SCALAR', 'RANGES', 'SET', 'TEXT']),
  scalar: z.object({ value: z.number() }).optional(),
  ranges: z.object({ range: z.array(rangeSchema).optional() }).optional(),
  set: z.object({ item: z.array(z.string()).optional() }).optional(),
  role: z.string().optional(),
  reservation: reservationSchema.optional(),
  reservations: z.array(reservationSchema).optional(),
  allocation_info: z.object({ role: z.string().optional() }).optional(),
  /** Persistent volumes and the like: carried, not interpreted. */
  disk: z.unknown().optional(),
});
export type Resource = z.infer<typeof resourceSchema>;

export const attributeSchema = z.object({
  name: z.string(),
  type: z.enum(['SCALAR', 'RANGES', 'SET', 'TEXT']),
  text: textValue.optional(),
  scalar: z.object({ value: z.number() }).optional(),
  ranges: z.object({ range: z.array(rangeSchema).optional() }).optional(),
  set: z.object({ item: z.array(z.string()).optional() }).optional(),
});
export type Attribute = z.infer<typeof attributeSchema>;

const domainSchema = z.object({
  fault_domain: z
    .object({ region: z.object({ name: z.string() }).optional(), zone: z.object({ name: z.string() }).optional() })
    .optional(),
});

const unavailabilitySchema = z.object({
  /** Above 2^53: exact only to about 200 ns, enough for a maintenance window. */
  start: z.object({ nanoseconds: z.number() }),
  duration: z.object({ nanoseconds: z.number() }).optional(),
});

const urlSchema = z.object({
  scheme: z.string().optional(),
  address: z.object({ hostname: z.string().optional(), ip: z.string().optional(), port: z.number().int() }),
  path: z.string().optional(),
});

// ---- offers --------------------------------------------------------------------------------------------------------

export const offerSchema = z.object({
  id: offerIdValue,
  framework_id: frameworkIdValue,
  agent_id: agentIdValue,
  hostname: z.string(),
  url: urlSchema.optional(),
  domain: domainSchema.optional(),
  resources: z.array(resourceSchema).default([]),
  attributes: z.array(attributeSchema).default([]),
  executor_ids: z.array(textValue).default([]),
  unavailability: unavailabilitySchema.optional(),
  allocation_info: z.object({ role: z.string().optional() }).optional(),
});
/** The resources of one agent, offered to one role. */
export type Offer = z.infer<typeof offerSchema>;
/** An offer as the master writes it: optional lists may be absent. */
export type OfferWire = z.input<typeof offerSchema>;

export const inverseOfferSchema = z.object({
  id: offerIdValue,
  framework_id: frameworkIdValue,
  agent_id: agentIdValue.optional(),
  unavailability: unavailabilitySchema,
  url: urlSchema.optional(),
  resources: z.array(resourceSchema).default([]),
});
export type InverseOffer = z.infer<typeof inverseOfferSchema>;

// ---- tasks ---------------------------------------------------------------------------------------------------------

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
  unreachable_time: z.object({ nanoseconds: z.number() }).optional(),
});
export type TaskStatus = z.infer<typeof taskStatusSchema>;

/** A duration on the wire. */
export interface DurationInfo {
  nanoseconds: number;
}

export interface CommandUri {
  value: string;
  executable?: boolean;
  /** Unpack a known archive after the download (default true). */
  extract?: boolean;
  /** Keep it in the agent's fetcher cache, keyed by URI, never refreshed (default false). */
  cache?: boolean;
  output_file?: string;
}

export interface CommandInfo {
  shell?: boolean;
  value?: string;
  arguments?: string[];
  user?: string;
  uris?: CommandUri[];
  environment?: { variables: { name: string; value: string }[] };
}

/** Exactly one of `http`, `tcp`, `command`, as `type` says. Defaults: delay 15, interval 10, timeout 20, 3 failures, grace 10 (seconds). */
export interface HealthCheck {
  type: 'HTTP' | 'TCP' | 'COMMAND';
  http?: { scheme?: string; port: number; path?: string };
  tcp?: { port: number };
  command?: CommandInfo;
  delay_seconds?: number;
  interval_seconds?: number;
  timeout_seconds?: number;
  consecutive_failures?: number;
  grace_period_seconds?: number;
}

export interface DiscoveryInfo {
  visibility: 'FRAMEWORK' | 'CLUSTER' | 'EXTERNAL';
  name?: string;
  ports?: { ports: { number: number; name?: string; protocol?: string; labels?: Labels }[] };
}

export interface TaskInfo {
  name: string;
  task_id: { value: TaskId };
  agent_id: { value: AgentId };
  resources: Resource[];
  command?: CommandInfo;
  executor?: unknown;
  container?: unknown;
  health_check?: HealthCheck;
  kill_policy?: { grace_period?: DurationInfo };
  labels?: Labels;
  discovery?: DiscoveryInfo;
  /** How far it may go beyond its resources (Mesos 1.10). */
  limits?: { cpus?: { value: number | 'Infinity' }; mem?: { value: number | 'Infinity' } };
}

// ---- calls (scheduler → master) ------------------------------------------------------------------------------------

export interface FrameworkInfo {
  user: string;
  name: string;
  id?: { value: FrameworkId };
  /** Seconds that tasks outlive a disconnected scheduler; Mesos' default 0 kills them at once. */
  failover_timeout?: number;
  checkpoint?: boolean;
  roles?: string[];
  role?: string;
  hostname?: string;
  principal?: string;
  webui_url?: string;
  capabilities?: { type: string }[];
  labels?: Labels;
}

export interface Filters {
  /** Default 5. */
  refuse_seconds?: number;
}

export type Operation = { id?: { value: string } } & (
  | { type: 'LAUNCH'; launch: { task_infos: TaskInfo[] } }
  | { type: 'LAUNCH_GROUP'; launch_group: unknown }
  | { type: 'RESERVE'; reserve: { resources: Resource[] } }
  | { type: 'UNRESERVE'; unreserve: { resources: Resource[] } }
  | { type: 'CREATE'; create: { volumes: Resource[] } }
  | { type: 'DESTROY'; destroy: { volumes: Resource[] } }
);

export interface SubscribeCall {
  type: 'SUBSCRIBE';
  framework_id?: { value: FrameworkId };
  subscribe: { framework_info: FrameworkInfo; suppressed_roles?: string[] };
}

/** Every call but SUBSCRIBE; the client adds `framework_id`. */
export type CallBody =
  | { type: 'TEARDOWN' }
  | { type: 'ACCEPT'; accept: { offer_ids: { value: OfferId }[]; operations?: Operation[]; filters?: Filters } }
  | { type: 'DECLINE'; decline: { offer_ids: { value: OfferId }[]; filters?: Filters } }
  | {
      type: 'ACCEPT_INVERSE_OFFERS';
      accept_inverse_offers: { inverse_offer_ids: { value: OfferId }[]; filters?: Filters };
    }
  | {
      type: 'DECLINE_INVERSE_OFFERS';
      decline_inverse_offers: { inverse_offer_ids: { value: OfferId }[]; filters?: Filters };
    }
  | { type: 'REVIVE'; revive?: { roles?: string[] } }
  | { type: 'SUPPRESS'; suppress?: { roles?: string[] } }
  | {
      type: 'KILL';
      kill: {
        task_id: { value: TaskId };
        agent_id?: { value: AgentId };
        kill_policy?: { grace_period?: DurationInfo };
      };
    }
  | { type: 'ACKNOWLEDGE'; acknowledge: { agent_id: { value: AgentId }; task_id: { value: TaskId }; uuid: string } }
  | { type: 'RECONCILE'; reconcile: { tasks: { task_id: { value: TaskId }; agent_id?: { value: AgentId } }[] } };
export type Call = SubscribeCall | ({ framework_id: { value: FrameworkId } } & CallBody);

// ---- events (master → scheduler) -----------------------------------------------------------------------------------

export const eventSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('SUBSCRIBED'),
    subscribed: z.object({
      framework_id: frameworkIdValue,
      heartbeat_interval_seconds: z.number().positive().optional(),
      master_info: z
        .object({ id: z.string(), hostname: z.string().optional(), version: z.string().optional() })
        .optional(),
    }),
  }),
  z.object({ type: z.literal('OFFERS'), offers: z.object({ offers: z.array(offerSchema).default([]) }) }),
  z.object({ type: z.literal('RESCIND'), rescind: z.object({ offer_id: offerIdValue }) }),
  z.object({
    type: z.literal('INVERSE_OFFERS'),
    inverse_offers: z.object({ inverse_offers: z.array(inverseOfferSchema).default([]) }),
  }),
  z.object({
    type: z.literal('RESCIND_INVERSE_OFFER'),
    rescind_inverse_offer: z.object({ inverse_offer_id: offerIdValue }),
  }),
  z.object({ type: z.literal('UPDATE'), update: z.object({ status: taskStatusSchema }) }),
  z.object({ type: z.literal('UPDATE_OPERATION_STATUS'), update_operation_status: z.object({ status: z.unknown() }) }),
  z.object({ type: z.literal('MESSAGE'), message: z.unknown() }),
  z.object({
    type: z.literal('FAILURE'),
    failure: z.object({
      agent_id: agentIdValue.optional(),
      executor_id: textValue.optional(),
      status: z.number().optional(),
    }),
  }),
  z.object({ type: z.literal('ERROR'), error: z.object({ message: z.string() }) }),
  z.object({ type: z.literal('HEARTBEAT') }),
]);
export type Event = z.infer<typeof eventSchema>;
/** An event as the master writes it. */
export type EventWire = z.input<typeof eventSchema>;

// ---- operator API --------------------------------------------------------------------------------------------------

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
