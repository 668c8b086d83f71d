/**
 * The calls of one subscription: in order, one after the other, over one keep-alive connection, because Mesos promises no
 * order between connections. What the master answers is turned into what the caller has to do about it.
 */
import { UnauthorizedError, withAuthorization } from './auth/authorization.ts';
import { sentenceOf } from './errors.ts';
import type { DownKind } from './event-stream.ts';
import { authorizationHeader, type Credentials, connectTo, JSON_HEADERS, shortBody, unauthorizedText } from './http.ts';
import type { Call, CallBody, FrameworkId } from './messages.ts';

/** What became of a call. */
export type CallOutcome =
  /** 200 or 202: taken, no more. Whether it had an effect, events and reconciliation tell. */
  | { readonly outcome: 'accepted' }
  /** The master does not know this subscription (any more); it is being renewed. */
  | { readonly outcome: 'resubscribe'; readonly text: string }
  /** 401 even after a new login; the subscription is renewed, for the calls after it would fare the same. */
  | { readonly outcome: 'unauthorized'; readonly text: string }
  /** A call that this master will never take. */
  | { readonly outcome: 'refused'; readonly status: number; readonly text: string }
  /** No answer: the call may have arrived or not. */
  | { readonly outcome: 'unreachable'; readonly text: string };

export interface CallQueue {
  /** Never rejects. */
  send(body: CallBody): Promise<CallOutcome>;
  /** What waits is answered `unreachable`. */
  close(): void;
}

interface Session {
  readonly url: URL;
  readonly streamId: string | null;
  readonly frameworkId: FrameworkId;
  readonly credentials: Credentials;
  /** As in {@link MasterAccess}. */
  readonly mayCall?: (() => boolean) | undefined;
}

interface Waiting {
  readonly type: CallBody['type'];
  readonly text: string;
  resolve(outcome: CallOutcome): void;
}

/**
 * More than this many waiting calls mean a master that does not answer. Reconciliation makes up for what is dropped, and a
 * new subscription for answers to offers.
 */
const MAX_WAITING = 20_000;
/** As much again in memory: calls can be long, and few of them must not take what many may not. */
const MAX_WAITING_BYTES = 64 * 1024 * 1024;
const CALL_TIMEOUT_MS = 10_000;

/** `lost` is told, once, that the session is of no use any more. */
export function createCallQueue(session: Session, lost: (reason: string, kind: DownKind) => void): CallQueue {
  const { url, credentials } = session;
  const client = connectTo(url, credentials.tls, CALL_TIMEOUT_MS, CALL_TIMEOUT_MS);
  const waiting: Waiting[] = [];
  let waitingBytes = 0;
  let busy = false;
  let closed = false;

  /** A keep-alive connection may be closed just as it is used: what can be said twice is said again. */
  async function send(call: Waiting): Promise<CallOutcome> {
    const outcome = await post(call);
    // A second ACCEPT of one offer would report its task as dropped, though the first may have started it.
    if (outcome.outcome !== 'unreachable' || call.type === 'ACCEPT' || closed) return outcome;
    return await post(call);
  }

  async function post(call: Waiting): Promise<CallOutcome> {
    try {
      const answer = await withAuthorization(credentials.authorization, call.type, (header) => attempt(call, header));
      return outcomeOf(answer.status, answer.text);
    } catch (error) {
      if (error instanceof UnauthorizedError) return { outcome: 'unauthorized', text: unauthorizedText(error) };
      return { outcome: 'unreachable', text: sentenceOf(error) };
    }
  }

  async function attempt(call: Waiting, authorization: string | null): Promise<{ status: number; text: string }> {
    if (session.mayCall?.() === false) throw new Error('not sent: this client may not speak now');
    const response = await client.request({
      method: 'POST',
      path: url.pathname + url.search,
      headers: {
        ...JSON_HEADERS,
        ...authorizationHeader(authorization),
        ...(session.streamId === null ? {} : { 'mesos-stream-id': session.streamId }),
      },
      body: call.text,
    });
    return { status: response.statusCode, text: await shortBody(response) };
  }

  async function drain(): Promise<void> {
    busy = true;
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      waitingBytes -= next.text.length;
      const outcome = closed ? CLOSED : await send(next);
      next.resolve(outcome);
      if (outcome.outcome === 'resubscribe') giveUp(`the master refused ${next.type}: ${outcome.text}`, 'stale');
      else if (outcome.outcome === 'unauthorized') giveUp(outcome.text, 'unauthorized');
      else if (outcome.outcome === 'unreachable') unanswered(next.type, outcome.text);
    }
    busy = false;
  }

  /** Without our answer the master holds an offer as outstanding for ever; a new subscription makes all offers void. */
  function unanswered(type: CallBody['type'], text: string): void {
    if (type !== 'ACCEPT' && type !== 'DECLINE') return;
    giveUp(`${type} got no answer from the master (${text}): its offers are made void by a new subscription`, 'lost');
  }

  function giveUp(reason: string, kind: DownKind): void {
    if (closed) return;
    close();
    lost(reason, kind);
  }

  function close(): void {
    if (closed) return;
    closed = true;
    waitingBytes = 0;
    for (const one of waiting.splice(0)) one.resolve(CLOSED);
    client.destroy(null).catch(ignoreClosed);
  }

  /** Why there is no room for one more call of this length; null where there is. */
  function full(length: number): string | null {
    if (waiting.length >= MAX_WAITING) return `${MAX_WAITING} calls wait for the master already`;
    if (waitingBytes + length <= MAX_WAITING_BYTES) return null;
    return `calls of ${waitingBytes} bytes wait for the master already, and ${length} more are too many`;
  }

  return {
    send: (body) =>
      new Promise((resolve) => {
        if (closed) return resolve(CLOSED);
        const call: Call = { framework_id: { value: session.frameworkId }, ...body };
        const text = JSON.stringify(call);
        const refusal = full(text.length);
        if (refusal !== null) {
          resolve({ outcome: 'unreachable', text: refusal });
          return unanswered(body.type, refusal);
        }
        waiting.push({ type: body.type, text, resolve });
        waitingBytes += text.length;
        // Nothing in it rejects.
        if (!busy) void drain();
      }),
    close,
  };
}

const CLOSED: CallOutcome = { outcome: 'unreachable', text: 'the subscription ended' };

/** What an answer means. Texts and codes: src/master/http.cpp; a stale session shows itself as 400 as well as 403. */
export function outcomeOf(status: number, text: string): CallOutcome {
  if (status === 200 || status === 202) return { outcome: 'accepted' };
  if (isStale(status, text)) return { outcome: 'resubscribe', text: `${status} ${text}`.trim() };
  return { outcome: 'refused', status, text };
}

function isStale(status: number, text: string): boolean {
  switch (status) {
    // Not the leader (307), starting (404), recovering (503): whoever leads now, our stream is not there.
    case 307:
    case 404:
    case 503:
    // The framework vanished while UPDATE_FRAMEWORK was looked at.
    case 409:
      return true;
    case 403:
      // UPDATE_FRAMEWORK has a second one, which says nothing of the session: "Not authorized to …".
      return !/not authorized/i.test(text);
    case 400:
      return /cannot be found|stream[ -]id/i.test(text);
    default:
      return false;
  }
}

function ignoreClosed(): void {
  // Given up on purpose.
}
