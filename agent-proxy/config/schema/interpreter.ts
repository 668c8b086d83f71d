/** `interpreter:` of a router – who turns logical names to addresses. */
import { z } from 'zod';
import { fallsBack, kinds, needed, noEffect, withKind } from './keys.ts';
import { file, flag, text } from './scalars.ts';
import { transformers } from './transformer.ts';

const common = { transformers, experimental: noEffect(flag, 'nothing needs it here') };

export const interpreter = withKind(
  'default',
  kinds(
    'interpreter',
    [
      z.strictObject({ kind: z.literal('default').describe('The dtab and the namers of this file.'), ...common }),
      z.strictObject({
        kind: z.literal('io.l5d.fs').describe('A dtab in a file of its own, read again when it changes.'),
        dtabFile: needed(file, 'Which; looked for again while it is not there.'),
        ...common,
      }),
      z.strictObject({
        kind: z.literal('io.nodemesh.scheduler').describe('What the scheduler says; only under a scheduler.'),
        namespace: fallsBack(text, 'default', 'Of its namespaces.'),
        ...common,
      }),
    ],
    ['io.l5d.namerd', 'io.l5d.namerd.http', 'io.l5d.mesh', 'io.l5d.k8s.configMap', 'io.l5d.consul.interpreter'],
  ),
);
