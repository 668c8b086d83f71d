/** `loadBalancer:` of a client – how one of its endpoints is chosen. */
import { z } from 'zod';
import { fallsBack, kinds, noEffect, withKind } from './keys.ts';
import { decimal, duration, flag, integer } from './scalars.ts';

const common = {
  enableProbation: noEffect(
    flag,
    'an endpoint that left is known by its task, so an address that is used again is no danger',
  ),
};
const maxEffort = fallsBack(integer(1, 1_000), 5, 'Draws to find an endpoint that is not out.');

export const loadBalancer = withKind(
  'p2c',
  kinds('load balancer', [
    z.strictObject({
      kind: z.literal('p2c').describe('Of two at random, the one with fewer requests in flight.'),
      maxEffort,
      ...common,
    }),
    z.strictObject({
      kind: z.literal('ewma').describe('Of two at random, the one with the lower peak-sensitive latency.'),
      maxEffort,
      decayTimeMs: fallsBack(duration, 10_000, 'How long a latency is remembered.'),
      ...common,
    }),
    z.strictObject({
      kind: z.literal('aperture').describe('p2c over as few endpoints as the load needs.'),
      maxEffort,
      smoothWindowMs: fallsBack(duration, 5_000, 'The window over which load is averaged.'),
      lowLoad: fallsBack(decimal(0), 0.5, 'Requests for each endpoint below which the aperture narrows.'),
      highLoad: fallsBack(decimal(0), 2, 'Requests for each endpoint above which it widens.'),
      minAperture: fallsBack(integer(1), 1, 'Endpoints, at least.'),
      ...common,
    }),
    z.strictObject({ kind: z.literal('heap').describe('The one with the fewest requests in flight.'), ...common }),
    z.strictObject({ kind: z.literal('roundRobin').describe('One after the other.'), maxEffort, ...common }),
  ]),
);
