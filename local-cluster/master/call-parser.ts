/**
 * From the body of a request to a Call, with the complaints of Mesos in its order: JSON, required fields, then what
 * the type of the call needs. Fields that are not known here are kept: a TaskInfo goes on to the agent as it came.
 */
import { z } from 'zod';
import type { FrameworkId, SubscribeCall } from '../../framework/mesos-http-client/messages.ts';
import type { MasterCall } from './operation-feedback.ts';

export type Parsed<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly message: string };

const value = z.looseObject({ value: z.string() });
const resource = z.looseObject({
  name: z.string(),
  type: z.enum(['SCALAR', 'RANGES', 'SET']),
  scalar: z.looseObject({ value: z.number() }).optional(),
  ranges: z
    .looseObject({ range: z.array(z.looseObject({ begin: z.number().int(), end: z.number().int() })).default([]) })
    .optional(),
  set: z.looseObject({ item: z.array(z.string()).default([]) }).optional(),
});
const task = z.looseObject({
  name: z.string(),
  task_id: value,
  agent_id: value,
  resources: z.array(resource).default([]),
  // The object form only: Mesos' parser does not take bare numbers here, though its documentation shows them.
  limits: z.record(z.string(), z.looseObject({ value: z.union([z.number(), z.literal('Infinity')]) })).optional(),
});
const operationId = { id: value.optional() };
const operation = z.discriminatedUnion('type', [
  z.looseObject({
    ...operationId,
    type: z.literal('LAUNCH'),
    launch: z.looseObject({ task_infos: z.array(task).default([]) }),
  }),
  z.looseObject({
    ...operationId,
    type: z.literal('LAUNCH_GROUP'),
    launch_group: z.looseObject({ task_group: z.looseObject({ tasks: z.array(task).default([]) }) }),
  }),
  z.looseObject({
    ...operationId,
    type: z.literal('RESERVE'),
    reserve: z.looseObject({ resources: z.array(resource) }),
  }),
  z.looseObject({
    ...operationId,
    type: z.literal('UNRESERVE'),
    unreserve: z.looseObject({ resources: z.array(resource) }),
  }),
  z.looseObject({ ...operationId, type: z.literal('CREATE'), create: z.looseObject({ volumes: z.array(resource) }) }),
  z.looseObject({ ...operationId, type: z.literal('DESTROY'), destroy: z.looseObject({ volumes: z.array(resource) }) }),
]);
const filters = z.looseObject({ refuse_seconds: z.number().optional() }).optional();
const roles = z.looseObject({ roles: z.array(z.string()).optional() }).optional();
const grace = z.looseObject({ grace_period: z.looseObject({ nanoseconds: z.coerce.number() }).optional() });
const inverse = z.looseObject({ inverse_offer_ids: z.array(value).default([]) }).optional();

const callSchema = z.looseObject({
  type: z.string().optional(),
  framework_id: value.optional(),
  subscribe: z
    .looseObject({
      framework_info: z.looseObject({
        user: z.string(),
        name: z.string(),
        id: value.optional(),
        roles: z.array(z.string()).optional(),
        role: z.string().optional(),
        failover_timeout: z.number().optional(),
        checkpoint: z.boolean().optional(),
        principal: z.string().optional(),
        capabilities: z.array(z.looseObject({ type: z.string() })).optional(),
      }),
      suppressed_roles: z.array(z.string()).optional(),
    })
    .optional(),
  accept: z
    .looseObject({ offer_ids: z.array(value).default([]), operations: z.array(operation).default([]), filters })
    .optional(),
  decline: z.looseObject({ offer_ids: z.array(value).default([]), filters }).optional(),
  accept_inverse_offers: inverse,
  decline_inverse_offers: inverse,
  revive: roles,
  suppress: roles,
  kill: z.looseObject({ task_id: value, agent_id: value.optional(), kill_policy: grace.optional() }).optional(),
  acknowledge: z.looseObject({ agent_id: value, task_id: value, uuid: z.string() }).optional(),
  reconcile_operations: z
    .looseObject({
      operations: z.array(z.looseObject({ operation_id: value, agent_id: value.optional() })).default([]),
    })
    .optional(),
  acknowledge_operation_status: z.looseObject({ operation_id: value, uuid: z.string() }).optional(),
  reconcile: z
    .looseObject({ tasks: z.array(z.looseObject({ task_id: value, agent_id: value.optional() })).default([]) })
    .optional(),
});

/** The field that each call needs besides `framework_id`; null where it may be absent. */
const PAYLOAD = {
  SUBSCRIBE: 'subscribe',
  TEARDOWN: null,
  ACCEPT: 'accept',
  DECLINE: 'decline',
  ACCEPT_INVERSE_OFFERS: 'accept_inverse_offers',
  DECLINE_INVERSE_OFFERS: 'decline_inverse_offers',
  REVIVE: null,
  SUPPRESS: null,
  KILL: 'kill',
  ACKNOWLEDGE: 'acknowledge',
  RECONCILE: 'reconcile',
  RECONCILE_OPERATIONS: 'reconcile_operations',
  ACKNOWLEDGE_OPERATION_STATUS: 'acknowledge_operation_status',
} as const satisfies Record<KnownCall['type'], string | null>;

/** Calls of Mesos that this master takes and does nothing about. */
const IGNORED_CALLS = new Set(['SHUTDOWN', 'MESSAGE', 'REQUEST']);

/** `ignored`: a call that is valid in Mesos and means nothing here (executors are not modelled). */
export interface IgnoredCall {
  readonly type: 'IGNORED';
  readonly framework_id: { readonly value: string };
}

export function parseJson(body: string): Parsed<unknown> {
  try {
    return { ok: true, value: JSON.parse(body) };
  } catch {
    return failed('Failed to parse body into JSON: syntax error at line 1 near: ');
  }
}

/** Every call of the scheduler API that this master does something about. */
export type KnownCall =
  | SubscribeCall
  | ({ framework_id: { value: FrameworkId } } & Exclude<
      MasterCall,
      { type: 'SHUTDOWN' | 'MESSAGE' | 'REQUEST' | 'UPDATE_FRAMEWORK' }
    >);

export function parseCall(body: string): Parsed<KnownCall | IgnoredCall> {
  const json = parseJson(body);
  if (!json.ok) return json;
  const parsed = callSchema.safeParse(json.value);
  if (!parsed.success) {
    return failed(`Failed to convert JSON into Call protobuf: ${complaint(parsed.error, json.value)}`);
  }
  const call = parsed.data;
  const invalid = (what: string): Parsed<never> => failed(`Failed to validate scheduler::Call: ${what}`);
  const type = call.type;
  if (type !== undefined && IGNORED_CALLS.has(type)) {
    if (call.framework_id === undefined) return invalid("Expecting 'framework_id' to be present");
    return { ok: true, value: { type: 'IGNORED', framework_id: call.framework_id } };
  }
  if (type === undefined || !isCallType(type)) return invalid("Expecting 'type' to be present");
  if (type !== 'SUBSCRIBE' && call.framework_id === undefined) return invalid("Expecting 'framework_id' to be present");
  const payload = PAYLOAD[type];
  if (payload !== null && call[payload] === undefined) return invalid(`Expecting '${payload}' to be present`);
  const uuid = acknowledgedUuid(type, call);
  if (uuid !== undefined && !isUuid(uuid)) return invalid('Not a valid UUID');
  // The schema has checked what the master reads; the rest of the call is passed on as it is.
  return { ok: true, value: call as unknown as KnownCall };
}

function acknowledgedUuid(type: string, call: z.infer<typeof callSchema>): string | undefined {
  if (type === 'ACKNOWLEDGE') return call.acknowledge?.uuid;
  return type === 'ACKNOWLEDGE_OPERATION_STATUS' ? call.acknowledge_operation_status?.uuid : undefined;
}

function isCallType(type: string): type is KnownCall['type'] {
  return Object.hasOwn(PAYLOAD, type);
}

function isUuid(base64: string): boolean {
  return Buffer.from(base64, 'base64').length === 16;
}

function complaint(error: z.ZodError, input: unknown): string {
  const missing = error.issues
    .filter((issue) => valueAt(input, issue.path) === undefined)
    .map((issue) => pathText(issue.path));
  if (missing.length > 0) return `Missing required fields: ${missing.join(', ')}`;
  const [first] = error.issues;
  return first === undefined ? 'Invalid call' : `${pathText(first.path)}: ${first.message}`;
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (at, key) => (typeof at === 'object' && at !== null ? (at as Record<PropertyKey, unknown>)[key] : undefined),
    input,
  );
}

function pathText(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === 'number') return `${text}[${key}]`;
    return text === '' ? String(key) : `${text}.${String(key)}`;
  }, '');
}

function failed(message: string): { readonly ok: false; readonly message: string } {
  return { ok: false, message };
}
