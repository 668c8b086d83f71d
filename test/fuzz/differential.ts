/** One stream, read by the proxy's parser in random pieces and by the reference parser at once. */
import { LIMITS } from '../agent-proxy/http1/limits.ts';
import { parseRequests, parseResponses } from '../agent-proxy/http1/reference-parser.ts';
import { cutAt, octetsOf, requestsIn, responsesIn, verdictOf } from '../agent-proxy/http1/streams.ts';
import type { Random } from './random.ts';

export type Side = 'requests' | 'responses';

const METHODS: readonly (readonly string[])[] = [['GET', 'GET', 'GET'], ['HEAD', 'GET'], ['CONNECT'], ['POST']];
const TIGHT = { maxLine: 40, maxHeaders: 160, maxFields: 5 };

/** Why the two disagree, or null. An exception of the proxy's parser is a finding like any other. */
export function disagreement(side: Side, stream: string, random: Random): string | null {
  const limits = random.below(4) === 0 ? TIGHT : LIMITS;
  const methods = random.pick(METHODS);
  const pieces = random.below(8) === 0 ? octetsOf(stream) : cutAt(stream, cuts(stream, random));
  const wanted = side === 'requests' ? parseRequests(stream, limits) : parseResponses(stream, methods, limits);
  const wantedText = JSON.stringify(verdictOf(wanted));
  try {
    const got = side === 'requests' ? requestsIn(pieces, limits) : responsesIn(pieces, methods, limits);
    const gotText = JSON.stringify(verdictOf(got));
    return gotText === wantedText ? null : `the proxy reads ${gotText}, the reference parser ${wantedText}`;
  } catch (error) {
    return `the proxy's parser threw ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
  }
}

function cuts(stream: string, random: Random): number[] {
  return Array.from({ length: random.below(6) }, () => random.below(stream.length + 1));
}
