/** Streams that once were read wrongly: today the proxy and the reference parser agree, in any pieces. */
import { expect, it } from 'vitest';
import { FOUND } from './corpus/found.ts';
import { LIMITS } from './limits.ts';
import { parseRequests } from './reference-parser.ts';
import { cutAt, octetsOf, requestsIn, verdictOf } from './streams.ts';

it.each(FOUND)('is read as the reference parser reads it, though once $was', ({ stream }) => {
  const wanted = verdictOf(parseRequests(stream, LIMITS));
  expect(verdictOf(requestsIn(octetsOf(stream), LIMITS))).toEqual(wanted);
  for (let at = 0; at < stream.length; at += 1) {
    expect(verdictOf(requestsIn(cutAt(stream, [at]), LIMITS))).toEqual(wanted);
  }
});
