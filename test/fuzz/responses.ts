/**
 * A damaged response through the whole proxy, followed by a request for a good one on the same connection of the client: the
 * client gets the same response, or an error, or sees its connection cut, and never bytes of one answer in another.
 */
import { LIMITS } from '../agent-proxy/http1/limits.ts';
import type { ReferenceMessage } from '../agent-proxy/http1/reference-messages.ts';
import { parseResponses } from '../agent-proxy/http1/reference-parser.ts';
import { cutAt } from '../agent-proxy/http1/streams.ts';
import { converse } from './conversation.ts';
import type { Random } from './random.ts';
import type { StrictBackend } from './strict-backend.ts';

const REQUESTS = 'GET /damaged HTTP/1.1\r\nHost: a\r\n\r\nGET /good HTTP/1.1\r\nHost: a\r\n\r\n';
const GOOD = 'the good one';

/** Why the proxy did wrong with this stream of a server, or null. */
export async function mixedUp(
  stream: string,
  random: Random,
  port: number,
  backend: StrictBackend,
): Promise<string | null> {
  const usual = backend.answer;
  const endsAfter = random.below(2) === 0;
  backend.reset();
  backend.answer = ({ start }, socket) => {
    const isGood = start.kind === 'request' && start.target === '/good';
    socket.write(isGood ? `HTTP/1.1 200 OK\r\nContent-Length: ${GOOD.length}\r\n\r\n${GOOD}` : stream, 'latin1');
    if (!isGood && (endsAfter || !isWhole(stream))) socket.end();
  };
  try {
    const { answer, how } = await converse(port, cutAt(REQUESTS, []), (text) => finals(text).length >= 2);
    return how === 'silent' ? `there was silence behind ${JSON.stringify(answer)}` : judge(stream, answer);
  } finally {
    backend.answer = usual;
  }
}

/** A server that has no more to say of an unfinished response ends the connection. */
function isWhole(stream: string): boolean {
  return finals(stream).length > 0 && parseResponses(stream, ['GET'], LIMITS).end.kind !== 'unfinished';
}

function finals(answer: string): readonly ReferenceMessage[] {
  return parseResponses(answer, ['GET', 'GET'], LIMITS).messages.filter(
    ({ start }) => start.kind === 'response' && start.status >= 200,
  );
}

function judge(stream: string, answer: string): string | null {
  const [first, second] = finals(answer);
  if (second !== undefined && second.body !== GOOD) return `the second answer is ${JSON.stringify(second.body)}`;
  if (first === undefined || isOfProxy(first)) return null;
  const { messages, partial } = parseResponses(stream, ['GET'], LIMITS);
  const sent = messages.at(-1);
  const wanted = sent?.start.kind === 'response' && sent.start.status >= 200 ? sent : partial;
  if (wanted === null || (wanted.framing === 'chunked' && wanted === partial))
    return `a response out of nothing: ${JSON.stringify(answer)}`;
  return first.body === wanted.body ? null : `the first answer is ${JSON.stringify(first.body)}`;
}

function isOfProxy({ fields }: ReferenceMessage): boolean {
  return fields.some(([name]) => name === 'l5d-err');
}
