/** `failureAccrual:` of a client – when an endpoint is out, and for how long. */
import { z } from 'zod';
import { backoff } from './backoff.ts';
import { kinds, needed, optional } from './keys.ts';
import { integer, ratio } from './scalars.ts';

const common = {
  backoff: optional(
    backoff,
    'Waits before an endpoint is tried again; without it 5 s, doubled with jitter up to 300 s.',
  ),
};

export const failureAccrual = kinds('failure accrual', [
  z.strictObject({
    kind: z.literal('io.l5d.consecutiveFailures').describe('Out after failures in a row.'),
    failures: needed(integer(1), 'How many.'),
    ...common,
  }),
  z.strictObject({
    kind: z.literal('io.l5d.successRate').describe('Out when too few requests succeed.'),
    successRate: needed(ratio, 'The least share of successes.'),
    requests: needed(integer(1), 'Over how many requests it is averaged.'),
    ...common,
  }),
  z.strictObject({
    kind: z.literal('io.l5d.successRateWindowed').describe('The same over a time.'),
    successRate: needed(ratio, 'The least share of successes.'),
    window: needed(integer(1, 86_400), 'Over how many seconds it is averaged.'),
    ...common,
  }),
  z.strictObject({ kind: z.literal('none').describe('Never out.') }),
]);
