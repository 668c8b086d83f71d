/** `POST /api/v1/scheduler`: the v1 scheduler API, checks in the order of Mesos. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type EventWire, frameworkId, type SubscribeCall } from '../../framework/mesos-http-client/messages.ts';
import { parseCall } from './call-parser.ts';
import type { Caller } from './http-auth.ts';
import {
  acceptsJson,
  contentTypeError,
  methodNotAllowed,
  NOT_ACCEPTABLE,
  readBody,
  sendEmpty,
  sendText,
} from './http-io.ts';
import type { Master } from './master.ts';
import { RecordStream } from './record-stream.ts';

export async function serveScheduler(
  master: Master,
  caller: Caller,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (request.method !== 'POST') return methodNotAllowed(request, response, ['POST']);
  const typeError = contentTypeError(request);
  const body = await readBody(request, response);
  if (body === null) return;
  if (typeError !== null) return sendText(response, typeError.status, typeError.message);
  const parsed = parseCall(body);
  if (!parsed.ok) return sendText(response, 400, parsed.message);

  const call = parsed.value;
  const principal = caller.kind === 'principal' ? caller.principal : null;
  const streamId = request.headers['mesos-stream-id'];
  if (call.type === 'SUBSCRIBE') {
    if (!acceptsJson(request)) return sendText(response, 406, NOT_ACCEPTABLE);
    if (streamId !== undefined) {
      return sendText(response, 400, "Subscribe calls should not include the 'Mesos-Stream-Id' header");
    }
    return subscribe(master, call, principal, response);
  }
  // A call that means nothing here is checked like any other: as a REVIVE of no role of the framework.
  const known = call.type === 'IGNORED' ? { type: 'REVIVE' as const, revive: { roles: [''] } } : call;
  const id = frameworkId(call.framework_id.value);
  const refusal = master.call(id, typeof streamId === 'string' ? streamId : null, known, principal);
  if (refusal === null) sendEmpty(response, 202);
  else sendText(response, refusal.status, refusal.message);
}

function subscribe(master: Master, call: SubscribeCall, principal: string | null, response: ServerResponse): void {
  let stream: RecordStream | null = null;
  const sink = { event: (event: EventWire) => stream?.write(event), closed: () => stream?.end() };
  const connection = master.subscribe(call, sink, principal);
  if ('status' in connection) return sendText(response, connection.status, connection.message);
  // The master hands events over only after this function has returned: none is missed.
  stream = new RecordStream(response, { 'Mesos-Stream-Id': connection.streamId });
  response.on('close', () => connection.close());
}
