/** `POST /api/v1`: the v1 operator API, as far as this master has something to say. */
import type { IncomingMessage, ServerResponse } from 'node:http';
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
import { parseOperatorCall, parseV0Change } from './operator-call.ts';
import type { OperatorChange } from './operator-changes.ts';
import { getAgents, getFrameworks, getRoles, getState, getTasks, masterInfo, VERSION_INFO } from './operator-json.ts';
import { RecordStream } from './record-stream.ts';

export async function serveOperator(master: Master, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method !== 'POST') return methodNotAllowed(request, response, ['POST']);
  const typeError = contentTypeError(request);
  const body = await readBody(request, response);
  if (body === null) return;
  if (typeError !== null) return sendText(response, typeError.status, typeError.message);
  const parsed = parseOperatorCall(body);
  if (!parsed.ok) return sendText(response, 400, parsed.message);
  if (!acceptsJson(request)) return sendText(response, 406, NOT_ACCEPTABLE);
  const call = parsed.value;
  if (call.kind === 'change') return perform(master, call.change, response);
  if (call.type === 'SUBSCRIBE') return streamEvents(master, response);
  const read = Object.hasOwn(READS, call.type) ? READS[call.type] : undefined;
  if (read === undefined)
    return sendText(response, 400, "Failed to validate master::Call: Expecting 'type' to be present");
  sendJson(request, response, { type: call.type, ...read(master) });
}

/** `POST /maintenance/schedule`, `/machine/down` and `/machine/up`, from before the v1 API. */
export async function serveV0Change(
  master: Master,
  path: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (request.method !== 'POST') return methodNotAllowed(request, response, ['POST']);
  const body = await readBody(request, response);
  if (body === null) return;
  const parsed = parseV0Change(path, body);
  if (parsed.ok) perform(master, parsed.value, response);
  else sendText(response, 400, parsed.message);
}

function perform(master: Master, change: OperatorChange, response: ServerResponse): void {
  const refusal = master.operate(change);
  if (refusal === null) sendEmpty(response, 200);
  else sendText(response, refusal.status, refusal.message);
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
  GET_MAINTENANCE_STATUS: ({ context: { maintenance, agents } }) => ({
    get_maintenance_status: { status: maintenance.statusJson(agents.all()) },
  }),
  GET_MAINTENANCE_SCHEDULE: ({ context: { maintenance } }) => ({
    get_maintenance_schedule: { schedule: maintenance.scheduleJson() },
  }),
  GET_LOGGING_LEVEL: () => ({ get_logging_level: { level: 0 } }),
};

function streamEvents(master: Master, response: ServerResponse): void {
  const stream = new RecordStream(response, {});
  const hangUp = master.operatorSubscribe({ event: (event) => stream.write(event), closed: () => stream.end() });
  response.on('close', hangUp);
}
