/** `transformers:` of interpreters and namers – what happens to addresses after binding, in the order written. */
import { z } from 'zod';
import { fallsBack, kinds, needed } from './keys.ts';
import { path } from './names.ts';
import { host, integer, remotePort } from './scalars.ts';

const prefixLength = fallsBack(integer(0, 128), 24, 'Bits of an address that name its subnet.');

const transformer = kinds(
  'transformer',
  [
    z.strictObject({
      kind: z.literal('io.l5d.port').describe('The same port for all addresses.'),
      port: needed(remotePort, 'Which.'),
    }),
    z.strictObject({ kind: z.literal('io.l5d.localhost').describe('Only what is on this node.') }),
    z.strictObject({
      kind: z.literal('io.l5d.specificHost').describe('Only what is on one host.'),
      host: needed(host, 'Which.'),
    }),
    z.strictObject({
      kind: z.literal('io.l5d.replace').describe('The addresses of another name instead, where there are any.'),
      path: needed(path, 'Which name.'),
    }),
    z.strictObject({
      kind: z.literal('io.l5d.const').describe('The addresses of another name in any case.'),
      path: needed(path, 'Which name.'),
    }),
    z.strictObject({
      kind: z.literal('io.nodemesh.subnetLocal').describe("Only what is in this node's subnet."),
      prefixLength,
    }),
    z.strictObject({
      kind: z
        .literal('io.nodemesh.subnetGateway')
        .describe('For each address the one of another name in the same subnet.'),
      path: needed(path, 'The name of the gateways.'),
      prefixLength,
    }),
  ],
  ['io.l5d.k8s.daemonset', 'io.l5d.k8s.localnode'],
);

export const transformers = fallsBack(z.array(transformer), [], 'What happens to addresses after binding.');
