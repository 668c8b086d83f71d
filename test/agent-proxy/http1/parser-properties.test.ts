/** The parser against the reference parser: the same messages and the same verdict, however the bytes come. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LIMITS } from './limits.ts';
import { damaged, oldRequest, request, response, streamOf } from './messages.ts';
import type { ReferenceOutcome } from './reference-messages.ts';
import { parseRequests, parseResponses } from './reference-parser.ts';
import { cutAt, octetsOf, requestsIn, responsesIn, verdictOf } from './streams.ts';

const RUNS = { numRuns: 400 };
/** Small enough for the generated messages to be beyond them now and then. */
const TIGHT = { maxLine: 24, maxHeaders: 120, maxFields: 4 };
const METHODS = ['GET', 'HEAD', 'POST', 'CONNECT'];

const requests = streamOf(fc.oneof({ weight: 4, arbitrary: request }, { weight: 1, arbitrary: oldRequest }));
const responses = streamOf(response);
const cuts = fc.array(fc.nat(1500), { maxLength: 6 });
const methods = fc.array(fc.constantFrom(...METHODS), { minLength: 1, maxLength: 3 });

/** Takes the whole, some pieces, and every octet by itself; each has to give what the reference parser gives. */
function agree(
  stream: string,
  at: readonly number[],
  reference: ReferenceOutcome,
  read: (pieces: readonly Buffer[]) => ReferenceOutcome,
): void {
  const wanted = verdictOf(reference);
  expect(verdictOf(read([Buffer.from(stream, 'latin1')]))).toEqual(wanted);
  expect(verdictOf(read(cutAt(stream, at)))).toEqual(wanted);
  expect(verdictOf(read(octetsOf(stream)))).toEqual(wanted);
}

describe('requests', () => {
  it('accepts every valid stream, and gives the messages of the reference parser', () => {
    fc.assert(
      fc.property(requests, cuts, (stream, at) => {
        const reference = parseRequests(stream, LIMITS);
        expect(reference.end).toEqual({ kind: 'complete' });
        agree(stream, at, reference, (pieces) => requestsIn(pieces, LIMITS));
      }),
      RUNS,
    );
  });

  it('gives the messages and the verdict of the reference parser for damaged streams', () => {
    fc.assert(
      fc.property(damaged(requests), cuts, (stream, at) => {
        agree(stream, at, parseRequests(stream, LIMITS), (pieces) => requestsIn(pieces, LIMITS));
      }),
      { numRuns: 2000 },
    );
  });

  it('keeps its limits as the reference parser does', () => {
    fc.assert(
      fc.property(damaged(requests), cuts, (stream, at) => {
        agree(stream, at, parseRequests(stream, TIGHT), (pieces) => requestsIn(pieces, TIGHT));
      }),
      RUNS,
    );
  });

  it('says of the beginning of a valid stream that it is one', () => {
    fc.assert(
      fc.property(requests, fc.nat(1500), (stream, length) => {
        const beginning = stream.slice(0, length);
        expect(requestsIn(octetsOf(beginning), LIMITS).end.kind).not.toBe('fault');
      }),
      RUNS,
    );
  });

  it('passes on the bare content where it was asked for', () => {
    fc.assert(
      fc.property(requests, cuts, (stream, at) => {
        const bodies = requestsIn(cutAt(stream, at), LIMITS, 'content').messages.map(({ body }) => body);
        expect(bodies).toEqual(parseRequests(stream, LIMITS).messages.map(({ body }) => body));
      }),
      RUNS,
    );
  });
});

describe('responses', () => {
  it('accepts every valid stream, and gives the messages of the reference parser', () => {
    fc.assert(
      fc.property(responses, cuts, (stream, at) => {
        const answered = Array<string>(3).fill('GET');
        const reference = parseResponses(stream, answered, LIMITS);
        expect(reference.end).toEqual({ kind: 'complete' });
        agree(stream, at, reference, (pieces) => responsesIn(pieces, answered, LIMITS));
      }),
      RUNS,
    );
  });

  it('gives the messages and the verdict of the reference parser for damaged streams', () => {
    fc.assert(
      fc.property(damaged(responses), methods, cuts, (stream, answered, at) => {
        const reference = parseResponses(stream, answered, LIMITS);
        agree(stream, at, reference, (pieces) => responsesIn(pieces, answered, LIMITS));
      }),
      { numRuns: 2000 },
    );
  });
});
