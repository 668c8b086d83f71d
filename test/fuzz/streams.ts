/** Makes streams for the fuzzer: pieces of the corpus, joined, and damaged in a few places. */
import { FOUND } from '../agent-proxy/http1/corpus/found.ts';
import { REQUEST_CORPUS } from '../agent-proxy/http1/corpus/requests.ts';
import { RESPONSE_CORPUS } from '../agent-proxy/http1/corpus/responses.ts';
import { DAMAGES } from '../agent-proxy/http1/damage.ts';
import type { Side } from './differential.ts';
import type { Random } from './random.ts';

const SEEDS: Readonly<Record<Side, readonly string[]>> = {
  requests: [...REQUEST_CORPUS, ...FOUND.map(({ stream }) => stream)],
  responses: RESPONSE_CORPUS,
};
const MOST_OCTETS = 2_000;

export function randomStream(side: Side, random: Random): string {
  let stream = random.pick(SEEDS[side]);
  while (random.below(3) === 0) stream += random.pick(SEEDS[side]);
  for (let blows = random.below(5); blows > 0; blows -= 1) stream = damagedOnce(stream, side, random);
  return stream.slice(0, MOST_OCTETS);
}

function damagedOnce(stream: string, side: Side, random: Random): string {
  const at = random.below(stream.length + 1);
  const kind = random.below(DAMAGES.length + 2);
  // A piece of another stream, or a random octet, besides the kinds of damage that are known to hurt.
  if (kind === DAMAGES.length)
    return stream.slice(0, at) + pieceOf(random.pick(SEEDS[side]), random) + stream.slice(at);
  if (kind === DAMAGES.length + 1) {
    return stream.slice(0, at) + String.fromCharCode(random.below(256)) + stream.slice(at + 1);
  }
  return DAMAGES[kind]?.(stream, at) ?? stream;
}

function pieceOf(stream: string, random: Random): string {
  const start = random.below(stream.length);
  return stream.slice(start, start + random.below(60));
}
