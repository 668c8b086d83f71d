/** From the body of a request to the operator's endpoints to the change that it asks for. */
import { z } from 'zod';
import { agentId } from '../../framework/mesos-http-client/messages.ts';
import { type Parsed, parseJson } from './call-parser.ts';
import type { OperatorChange } from './operator-changes.ts';

const machine = z.object({ hostname: z.string().optional(), ip: z.string().optional() });
const machines = z.array(machine).default([]);
/** Text too: numbers above 2^53 are often sent so. */
const nanoseconds = z.object({ nanoseconds: z.coerce.number() });
const schedule = z.object({
  windows: z
    .array(
      z.object({
        machine_ids: machines,
        unavailability: z.object({ start: nanoseconds, duration: nanoseconds.optional() }),
      }),
    )
    .default([]),
});
const ofAgent = z.object({ agent_id: z.object({ value: z.string().min(1).transform(agentId) }) });

const callSchema = z.object({
  type: z.string().optional(),
  mark_agent_gone: ofAgent.optional(),
  drain_agent: ofAgent
    .extend({ max_grace_period: nanoseconds.optional(), mark_gone: z.boolean().default(false) })
    .optional(),
  deactivate_agent: ofAgent.optional(),
  reactivate_agent: ofAgent.optional(),
  update_maintenance_schedule: z.object({ schedule }).optional(),
  start_maintenance: z.object({ machines }).optional(),
  stop_maintenance: z.object({ machines }).optional(),
});

/** A call that changes something, or one that is known by its type alone. */
export type OperatorCall =
  | { readonly kind: 'change'; readonly change: OperatorChange }
  | { readonly kind: 'other'; readonly type: string };

export function parseOperatorCall(body: string): Parsed<OperatorCall> {
  const json = parseJson(body);
  if (!json.ok) return json;
  const parsed = callSchema.safeParse(json.value);
  if (!parsed.success) return unconvertible('Call', parsed.error);
  const call = parsed.data;
  const type = call.type ?? '';
  const change = changeOf(type, call);
  if (change === undefined) return { ok: true, value: { kind: 'other', type } };
  if (change !== null) return { ok: true, value: { kind: 'change', change } };
  return { ok: false, message: `Failed to validate master::Call: Expecting '${type.toLowerCase()}' to be present` };
}

/** Null if its payload is missing, undefined for a call that changes nothing. */
function changeOf(type: string, call: z.infer<typeof callSchema>): OperatorChange | null | undefined {
  switch (type) {
    case 'MARK_AGENT_GONE':
      return named(type, call.mark_agent_gone);
    case 'DEACTIVATE_AGENT':
      return named(type, call.deactivate_agent);
    case 'REACTIVATE_AGENT':
      return named(type, call.reactivate_agent);
    case 'DRAIN_AGENT': {
      if (call.drain_agent === undefined) return null;
      const { agent_id, max_grace_period, mark_gone } = call.drain_agent;
      const maxGraceSeconds = max_grace_period === undefined ? null : max_grace_period.nanoseconds / 1e9;
      return { type, agentId: agent_id.value, order: { maxGraceSeconds, markGone: mark_gone } };
    }
    case 'UPDATE_MAINTENANCE_SCHEDULE': {
      const update = call.update_maintenance_schedule;
      return update === undefined ? null : { type, windows: update.schedule.windows };
    }
    case 'START_MAINTENANCE':
      return call.start_maintenance === undefined ? null : { type, machines: call.start_maintenance.machines };
    case 'STOP_MAINTENANCE':
      return call.stop_maintenance === undefined ? null : { type, machines: call.stop_maintenance.machines };
    default:
      return undefined;
  }
}

function named(
  type: 'MARK_AGENT_GONE' | 'DEACTIVATE_AGENT' | 'REACTIVATE_AGENT',
  payload: z.infer<typeof ofAgent> | undefined,
): OperatorChange | null {
  return payload === undefined ? null : { type, agentId: payload.agent_id.value };
}

/** The older endpoints: a schedule, or a list of machines, without an envelope. */
export function parseV0Change(path: string, body: string): Parsed<OperatorChange> {
  const json = parseJson(body);
  if (!json.ok) return json;
  if (path === '/maintenance/schedule') {
    const parsed = schedule.safeParse(json.value);
    if (!parsed.success) return unconvertible('maintenance.Schedule', parsed.error);
    return { ok: true, value: { type: 'UPDATE_MAINTENANCE_SCHEDULE', windows: parsed.data.windows } };
  }
  const parsed = machines.safeParse(json.value);
  if (!parsed.success) return unconvertible('MachineID', parsed.error);
  const type = path === '/machine/down' ? 'START_MAINTENANCE' : 'STOP_MAINTENANCE';
  return { ok: true, value: { type, machines: parsed.data } };
}

function unconvertible(what: string, error: z.ZodError): { readonly ok: false; readonly message: string } {
  const field = error.issues[0]?.path.join('.') ?? '';
  return { ok: false, message: `Failed to convert JSON into ${what} protobuf: Missing required fields: ${field}` };
}
