/** `service:` of a router – retries, timeouts and the judgement of responses; for all, or by the prefix of the name. */
import { z } from 'zod';
import { backoff, budget } from './backoff.ts';
import { fromDefaults, kinds, needed, optional, withKind } from './keys.ts';
import { pathPattern } from './names.ts';
import { responseClassifier } from './response-classifier.ts';
import { duration, integer } from './scalars.ts';

const retries = z.strictObject({
  budget: fromDefaults(
    budget,
    ({ service }) => service.retries.budget,
    'How many retries there may be, compared with requests.',
  ),
  backoff: fromDefaults(backoff, ({ service }) => service.retries.backoff, 'The waits before retries.'),
});

const nodemesh = z.strictObject({
  maxRetries: optional(
    integer(0).nullable(),
    "How often one request may be sent again, at most; without it the router's `nodemesh.maxRetries`.",
  ),
});

/** Keys that are there override those of earlier layers; so nothing here has a default. */
const layer = {
  responseClassifier: fromDefaults(
    responseClassifier,
    ({ service }) => service.responseClassifier,
    'What is a failure.',
  ),
  retries: optional(retries, 'Retries of failed requests.'),
  totalTimeoutMs: fromDefaults(
    duration.nullable(),
    ({ service }) => service.totalTimeoutMs,
    'How long a request may take with all its attempts, until the response head is there.',
  ),
  nodemesh: optional(nodemesh, 'Our own keys.'),
};

const serviceLayer = z.strictObject({
  prefix: needed(pathPattern, 'The logical names that this is for; `*` and `{captures}` stand in segments.'),
  ...layer,
});

export const service = withKind(
  'io.l5d.global',
  kinds('service', [
    z.strictObject({ kind: z.literal('io.l5d.global').describe('The same for all services.'), ...layer }),
    z.strictObject({
      kind: z.literal('io.l5d.static').describe('By the logical name.'),
      configs: needed(z.array(serviceLayer), 'All whose prefix matches, in order; later ones win.'),
    }),
  ]),
).transform((written): { kind: 'io.l5d.static'; configs: ServiceLayer[] } => {
  if (written.kind === 'io.l5d.static') return written;
  const { kind: _global, ...keys } = written;
  const saysNothing = Object.values(keys).every((value) => value === undefined);
  return { kind: 'io.l5d.static', configs: saysNothing ? [] : [{ prefix: '/', ...keys }] };
});

export type ServiceLayer = z.output<typeof serviceLayer>;
