/** `responseClassifier:` of a service – which responses are failures, and which of those may be retried. */
import { z } from 'zod';
import { kinds } from './keys.ts';

export const responseClassifier = kinds(
  'response classifier',
  [
    z.strictObject({ kind: z.literal('io.l5d.http.nonRetryable5XX').describe('5xx fails and is not retried.') }),
    z.strictObject({
      kind: z.literal('io.l5d.http.retryableRead5XX').describe('… retried for GET, HEAD, OPTIONS, TRACE.'),
    }),
    z.strictObject({ kind: z.literal('io.l5d.http.retryableIdempotent5XX').describe('… for PUT and DELETE too.') }),
    z.strictObject({ kind: z.literal('io.l5d.http.retryableAll5XX').describe('… for POST and PATCH too.') }),
    z.strictObject({ kind: z.literal('io.l5d.http.allSuccessful').describe('Every response is a success.') }),
  ],
  [
    'io.l5d.h2.nonRetryable5XX',
    'io.l5d.h2.retryableRead5XX',
    'io.l5d.h2.retryableIdempotent5XX',
    'io.l5d.h2.allSuccessful',
    'io.l5d.h2.grpc.default',
    'io.l5d.h2.grpc.compliant',
    'io.l5d.h2.grpc.alwaysRetryable',
    'io.l5d.h2.grpc.neverRetryable',
    'io.l5d.h2.grpc.retryableStatusCodes',
  ],
);

export type ResponseClassifierConfig = z.output<typeof responseClassifier>;
