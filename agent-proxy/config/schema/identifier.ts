/** `identifier:` of a router – how a request gets its logical name. */
import { z } from 'zod';
import { fallsBack, kinds, needed } from './keys.ts';
import { path } from './names.ts';
import { flag, headerName, integer } from './scalars.ts';

export const identifier = kinds(
  'identifier',
  [
    z.strictObject({
      kind: z.literal('io.l5d.header.token').describe('The value of a header, as one segment.'),
      header: fallsBack(headerName, 'Host', 'Which header.'),
    }),
    z.strictObject({
      kind: z.literal('io.l5d.header').describe('The value of a header, which is a path.'),
      header: fallsBack(headerName, 'l5d-name', 'Which header.'),
    }),
    z.strictObject({
      kind: z.literal('io.l5d.path').describe("The first segments of the request's path."),
      segments: fallsBack(integer(1, 100), 1, 'How many.'),
      consume: fallsBack(flag, false, 'Take them off the path that upstream sees.'),
    }),
    z.strictObject({
      kind: z.literal('io.l5d.methodAndHost').describe('Version, method and host: `/1.1/GET/web`.'),
      httpUriInDst: fallsBack(flag, false, "Add the segments of the request's path."),
    }),
    z.strictObject({
      kind: z.literal('io.l5d.static').describe('The same name for every request.'),
      path: needed(path, 'Which.'),
    }),
  ],
  ['io.l5d.ingress', 'io.l5d.k8s.istio'],
);
