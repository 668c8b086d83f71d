/** `POST /api/v1`: the v1 operator API, as far as this master has something to say. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { z } from 'zod';
import { agentId } from '../../framework/mesos-http-client/messages.ts';
import { parseJson } from './call-parser.ts';
import {
  acceptsJson,
  contentTypeError,
  methodNotAllowed,
  NOT_ACCEPTABLE,
  readBody,
  sendEmpty,
  sendJson,
  sendText,
} from './http-io.ts';
import type { Master } from './master.ts';
import { getAgents, getFrameworks, getRoles, getState, getTasks, masterInfo, VERSION_INFO } from './operator-json.ts';
import { RecordStream } from './record-stream.ts';

const callSchema = z.looseObject({
  type: z.string().optional(),
  mark_agent_gone: z.looseObject({ agent_id: z.looseObject({ value: z.string().min(1) }) }).optional(),
});

export async function serveOperator(master: Master, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method !== 'POST') return methodNotAllowed(request, response, ['POST']);
  const typeError = contentTypeError(request);
  const body = await readBody(request, response);
  if (body === null) return;
  if (typeError !== null) return sendText(response, typeError.status, typeError.message);
  const json = parseJson(body);
  if (!json.ok) return sendText(response, 400, json.message);
  const parsed = callSchema.safeParse(json.value);
  if (!parsed.success) {
    const field = parsed.error.issues[0]?.path.join('.') ?? '';
    return sendText(response, 400, `Failed to convert JSON into Call protobuf: Missing required fields: ${field}`);
  }
  if (!acceptsJson(request)) return sendText(response, 406, NOT_ACCEPTABLE);
  answer(master, parsed.data, request, response);
}

function answer(
  master: Master,
  call: z.infer<typeof callSchema>,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const type = call.type ?? '';
  if (type === 'SUBSCRIBE') return streamEvents(master, response);
  if (type === 'MARK_AGENT_GONE') return markGone(master, call.mark_agent_gone?.agent_id.value, response);
  const read = Object.hasOwn(READS, type) ? READS[type] : undefined;
  if (read === undefined)
    return sendText(response, 400, "Failed to validate master::Call: Expecting 'type' to be present");
  sendJson(request, response, { type, ...read(master) });
}

/** The calls that only read; each answers an object under its own name in lower case. */
const READS: Readonly<Record<string, (master: Master) => object>> = {
  GET_HEALTH: () => ({ get_health: { healthy: true } }),
  GET_VERSION: () => ({ get_version: { version_info: VERSION_INFO } }),
  GET_MASTER: ({ context: { identity } }) => {
    const seconds = identity.startedAt / 1000;
    return { get_master: { master_info: masterInfo(identity), start_time: seconds, elected_time: seconds } };
  },
  GET_AGENTS: ({ context }) => ({ get_agents: getAgents(context) }),
  GET_FRAMEWORKS: ({ context }) => ({ get_frameworks: getFrameworks(context) }),
  GET_TASKS: ({ context }) => ({ get_tasks: getTasks(context) }),
  GET_STATE: ({ context }) => ({ get_state: getState(context) }),
  GET_ROLES: ({ context }) => ({ get_roles: getRoles(context) }),
  GET_EXECUTORS: () => ({ get_executors: { executors: [] } }),
  GET_OPERATIONS: () => ({ get_operations: {} }),
  GET_WEIGHTS: () => ({}),
  GET_QUOTA: () => ({ get_quota: { status: {} } }),
  GET_MAINTENANCE_STATUS: () => ({ get_maintenance_status: { status: {} } }),
  GET_MAINTENANCE_SCHEDULE: () => ({ get_maintenance_schedule: { schedule: {} } }),
  GET_LOGGING_LEVEL: () => ({ get_logging_level: { level: 0 } }),
};

function streamEvents(master: Master, response: ServerResponse): void {
  const stream = new RecordStream(response, {});
  const hangUp = master.operatorSubscribe({ event: (event) => stream.write(event), closed: () => stream.end() });
  response.on('close', hangUp);
}

function markGone(master: Master, id: string | undefined, response: ServerResponse): void {
  if (id === undefined) {
    return sendText(response, 400, "Failed to validate master::Call: Expecting 'mark_agent_gone' to be present");
  }
  if (master.markAgentGone(agentId(id))) sendEmpty(response, 200);
  else sendText(response, 404, `Agent ${id} is not known to this master`);
}
