/** `budget:` and `backoff:` – how many retries there may be, and the waits before them. */
import { z } from 'zod';
import { fallsBack, kindError, needed } from './keys.ts';
import { decimal, integer, milliseconds } from './scalars.ts';

const jittered = z
  .strictObject({
    kind: z.literal('jittered'),
    minMs: needed(milliseconds, 'The first wait.'),
    maxMs: needed(milliseconds, 'The longest wait.'),
  })
  .refine(({ minMs, maxMs }) => minMs >= 1 && minMs <= maxMs, {
    message: 'is less than minMs, or minMs is 0',
    path: ['maxMs'],
  });

export const backoff = z.discriminatedUnion(
  'kind',
  [z.strictObject({ kind: z.literal('constant'), ms: fallsBack(milliseconds, 0, 'Each wait.') }), jittered],
  kindError('backoff'),
);

export const budget = z.strictObject({
  minRetriesPerSec: fallsBack(integer(0, 1_000_000), 10, 'Retries that are always allowed.'),
  percentCanRetry: fallsBack(decimal(0, 1_000), 0.2, 'Retries for each request: 0.2 is one retry for five requests.'),
  ttlSecs: fallsBack(integer(1, 60), 10, 'How long a request counts, in seconds.'),
});
