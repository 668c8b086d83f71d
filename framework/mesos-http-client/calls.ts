/**
 * The calls of one subscription: in order, one after the other, over one keep-alive connection, because Mesos promises no
 * order between connections. What the master answers is turned into what the caller has to do about it.
 */
import { Client } from 'undici';
import { sentenceOf, shortBody } from './http.ts';
import type { Call, CallBody, FrameworkId } from './messages.ts';

/** What became of a call. */
export type CallOutcome =
  /** 200 or 202: taken, no more. Whether it had an effect, events and reconciliation tell. */
  | { readonly outcome: 'accepted' }
  /** The master does not know this subscription (any more); it is being renewed. */
  | { readonly outcome: 'resubscribe'; readonly text: string }
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
}

interface Waiting {
  readonly body: CallBody;
  resolve(outcome: CallOutcome): void;
}

/**
 * More than this many waiting calls mean a master that does not answer. Reconciliation makes up for what is dropped, and a
 * new subscription for answers to offers.
 */
const MAX_WAITING = 20_000;
const CALL_TIMEOUT_MS = 10_000;

/** `lost` is told, once, that the session is of no use any more. */
export function createCallQueue(session: Session, lost: (reason: string) => void): CallQueue {
  const client = new Client(session.url.origin, {
    connect: { timeout: CALL_TIMEOUT_MS },
    headersTimeout: CALL_TIMEOUT_MS,
    bodyTimeout: CALL_TIMEOUT_MS,
    keepAliveTimeout: 60_000,
    pipelining: 1,
  });
  const waiting: Waiting[] = [];
  let busy = false;
  let closed = false;

  /** A keep-alive connection may be closed just as it is used: what can be said twice is said again. */
  async function send(body: CallBody): Promise<CallOutcome> {
    const outcome = await post(body);
    // A second ACCEPT of one offer would report its task as dropped, though the first may have started it.
    if (outcome.outcome !== 'unreachable' || body.type === 'ACCEPT' || closed) return outcome;
    return await post(body);
  }

  async function post(body: CallBody): Promise<CallOutcome> {
    const call: Call = { framework_id: { value: session.frameworkId }, ...body };
    try {
      const response = await client.request({
        method: 'POST',
        path: session.url.pathname + session.url.search,
        headers: {
          'content-type': 'application/json',
          accept: 'application/json',
          ...(session.streamId === null ? {} : { 'mesos-stream-id': session.streamId }),
        },
        body: JSON.stringify(call),
      });
      return outcomeOf(response.statusCode, await shortBody(response));
    } catch (error) {
      return { outcome: 'unreachable', text: sentenceOf(error) };
    }
  }

  async function drain(): Promise<void> {
    busy = true;
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const outcome = closed ? CLOSED : await send(next.body);
      next.resolve(outcome);
      if (outcome.outcome === 'resubscribe') giveUp(`the master refused ${next.body.type}: ${outcome.text}`);
      else if (outcome.outcome === 'unreachable') unanswered(next.body, outcome.text);
    }
    busy = false;
  }

  /** Without our answer the master holds an offer as outstanding for ever; a new subscription makes all offers void. */
  function unanswered(body: CallBody, text: string): void {
    if (body.type !== 'ACCEPT' && body.type !== 'DECLINE') return;
    giveUp(`${body.type} got no answer from the master (${text}): its offers are made void by a new subscription`);
  }

  function giveUp(reason: string): void {
    if (closed) return;
    close();
    lost(reason);
  }

  function close(): void {
    if (closed) return;
    closed = true;
    for (const one of waiting.splice(0)) one.resolve(CLOSED);
    client.destroy(null).catch(ignoreClosed);
  }

  return {
    send: (body) =>
      new Promise((resolve) => {
        if (closed) return resolve(CLOSED);
        if (waiting.length >= MAX_WAITING) {
          const text = `${MAX_WAITING} calls wait for the master already`;
          resolve({ outcome: 'unreachable', text });
          return unanswered(body, text);
        }
        waiting.push({ body, resolve });
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
  const stale =
    status === 403 ||
    status === 409 ||
    // Not the leader (307), starting (404), recovering (503): whoever leads now, our stream is not there.
    status === 307 ||
    status === 404 ||
    status === 503 ||
    (status === 400 && /cannot be found|stream id/i.test(text));
  if (stale) return { outcome: 'resubscribe', text: `${status} ${text}`.trim() };
  return { outcome: 'refused', status, text };
}

function ignoreClosed(): void {
  // Given up on purpose.
}
