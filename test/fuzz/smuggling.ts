/**
 * One stream of requests through the whole proxy: what the strict backend sees has to be what the reference parser finds in
 * the stream, each answer has to be that of its request, and each fault has to be answered or cut off.
 */
import { LIMITS } from '../agent-proxy/http1/limits.ts';
import type { ReferenceMessage, ReferenceOutcome } from '../agent-proxy/http1/reference-messages.ts';
import { parseRequests, parseResponses } from '../agent-proxy/http1/reference-parser.ts';
import { cutAt, withoutKnownTrailers } from '../agent-proxy/http1/streams.ts';
import { converse } from './conversation.ts';
import type { Random } from './random.ts';
import { echoOf, type StrictBackend } from './strict-backend.ts';

/** Why the proxy did wrong with this stream, or null. */
export async function smuggled(
  stream: string,
  random: Random,
  port: number,
  backend: StrictBackend,
): Promise<string | null> {
  backend.reset();
  const sent = parseRequests(stream, LIMITS);
  const { messages, isRefused } = upToTheLast(sent);
  const pieces = cutAt(stream, [random.below(stream.length + 1), random.below(stream.length + 1)]);
  const methods = [...messages.map(methodOf), ...(isRefused ? ['GET'] : [])];
  const { answer, how } = await converse(port, pieces, (text) =>
    isEnough(finals(text, methods, false), methods.length),
  );
  const answers = finals(answer, methods, how === 'ended');
  // A body that is faulty may be noticed when its answer has begun, and then everything is cut.
  const needed = sent.partial === null ? methods.length : messages.length;
  if (how === 'silent')
    return `there were ${answers.length} of ${methods.length} answers, then silence: ${show(answer)}`;
  if (!isEnough(answers, needed)) return `only ${answers.length} of ${needed} answers came: ${show(answer)}`;
  return wrongAnswers(answers, messages) ?? wrongRequests(backend, messages, sent.partial);
}

/** The messages that the proxy has to answer: one that ends the connection is the last. */
function upToTheLast({ messages, end }: ReferenceOutcome): { messages: ReferenceMessage[]; isRefused: boolean } {
  const last = messages.findIndex(({ persists }) => !persists);
  if (last !== -1) return { messages: messages.slice(0, last + 1), isRefused: false };
  return { messages: [...messages], isRefused: end.kind === 'fault' };
}

function methodOf({ start }: ReferenceMessage): string {
  return start.kind === 'request' ? start.method : '';
}

/** The answers that are complete; a body without a length is so when its connection has ended. */
function finals(answer: string, methods: readonly string[], hasEnded: boolean): readonly ReferenceMessage[] {
  const { messages, partial } = parseResponses(answer, methods, LIMITS);
  const all = hasEnded && partial?.framing === 'close' ? [...messages, partial] : messages;
  return all.filter(({ start }) => start.kind === 'response' && start.status >= 200);
}

/** The proxy may end the connection with any answer, if that answer says so. */
function isEnough(answers: readonly ReferenceMessage[], needed: number): boolean {
  return answers.length >= needed || answers.some(({ persists }) => !persists);
}

function isFromBackend({ fields }: ReferenceMessage): boolean {
  return fields.some(([name]) => name === 'X-Backend');
}

function wrongAnswers(answers: readonly ReferenceMessage[], messages: readonly ReferenceMessage[]): string | null {
  for (const [index, answer] of answers.entries()) {
    if (!isFromBackend(answer)) continue;
    const message = messages[index];
    if (message === undefined) return `answer ${index + 1} is of a request that was refused: ${show(answer.body)}`;
    const wanted = methodOf(message) === 'HEAD' ? '' : echoOf(message);
    if (answer.body !== wanted) return `answer ${index + 1} is ${show(answer.body)}, not ${show(wanted)}`;
  }
  return null;
}

/** Each request that the backend saw has to be one that was sent, in the order in which they were. */
function wrongRequests(
  { received, faults }: StrictBackend,
  messages: readonly ReferenceMessage[],
  partial: ReferenceMessage | null,
): string | null {
  const [fault] = faults;
  if (fault !== undefined) return `the backend could not read what it got: ${fault}`;
  let from = 0;
  for (const message of received) {
    const text = coreOf(message);
    const at = messages.findIndex((one, index) => index >= from && coreOf(one) === text);
    if (at === -1) return `the backend saw ${show(text)}, ${partial === null ? 'which nobody sent' : 'not complete'}`;
    from = at + 1;
  }
  return null;
}

/** What may not change on the way. */
function coreOf({ start, body, trailers }: ReferenceMessage): string {
  if (start.kind !== 'request') return '';
  return JSON.stringify([start.method, start.target, start.host, body, withoutKnownTrailers(trailers)]);
}

function show(text: string): string {
  return JSON.stringify(text.length > 400 ? `${text.slice(0, 400)}…` : text);
}
