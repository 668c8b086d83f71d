/** `namers:` – who knows the addresses behind `/#/…`. Later ones are asked first. */
import { z } from 'zod';
import { PathMatcher, PathTemplate } from '../../routing/path-matcher.ts';
import type { Defaults } from '../defaults.ts';
import { clientTls } from './client-tls.ts';
import { fallsBack, fromDefaults, inner, kinds, needed, noEffect, notYet, optional } from './keys.ts';
import { namerPrefix, pathPattern, pathTemplate } from './names.ts';
import { duration, file, flag, host, milliseconds, remotePort } from './scalars.ts';
import { transformers } from './transformer.ts';

const common = (kind: string) => ({
  prefix: fallsBack(namerPrefix, `/${kind}`, 'The names below `/#` that it answers for.'),
  transformers,
  experimental: noEffect(flag, 'nothing needs it here'),
});

const uriPrefix = z
  .string('is not a path')
  .regex(/^(\/[!-~]+)?$/, 'is not a path such as /marathon')
  .transform((written) => written.replace(/\/+$/, ''))
  .meta({ shownAs: 'path of a URL' });

const rewrite = z
  .strictObject({
    kind: z.literal('io.l5d.rewrite').describe('Names that are built from parts of others.'),
    pattern: needed(pathPattern, 'What is matched.'),
    name: needed(pathTemplate, 'The new name, with what `pattern` captured.'),
    ...common('io.l5d.rewrite'),
  })
  .superRefine(({ pattern, name }, context) => {
    const { variables } = new PathMatcher(pattern);
    for (const variable of new PathTemplate(name).variables) {
      if (variables.has(variable)) continue;
      context.addIssue({
        code: 'custom',
        path: ['name'],
        message: `{${variable}} is not captured by the pattern ${pattern}`,
      });
    }
  });

export const namer = kinds(
  'namer',
  [
    z.strictObject({
      kind: z.literal('io.l5d.fs').describe('Files with a line `host port [* weight]` for each endpoint.'),
      rootDir: needed(file, 'Where they are; looked for again while it is not there.'),
      ...common('io.l5d.fs'),
    }),
    rewrite,
    z.strictObject({
      kind: z.literal('io.l5d.marathon').describe("Marathon's apps, asked from Marathon itself."),
      host: fallsBack(host, 'marathon.mesos', 'Where Marathon is; also the `Host` that it is told.'),
      port: fallsBack(remotePort, 80, 'Its port.'),
      uriPrefix: fallsBack(
        uriPrefix,
        '',
        "What stands before the paths of its API: `/marathon` through DC/OS' Admin Router.",
      ),
      ttlMs: fallsBack(duration, 5_000, 'How often it is asked.'),
      jitterMs: fallsBack(milliseconds, 50, 'How much each wait differs from that.'),
      useHealthCheck: fallsBack(flag, false, 'Only tasks that run and whose health checks all pass.'),
      tls: optional(clientTls, 'Encrypted connections to it.'),
      dst: notYet('dst of io.l5d.marathon'),
      nodemesh: inner(
        z.strictObject({
          shortestPrefix: fromDefaults(
            flag,
            ({ marathon }) => marathon.shortestPrefix,
            "Of several app ids that begin a name take the shortest. The default is linkerd's where all routers are `linkerdCompat`.",
          ),
        }),
        'Our own keys.',
      ),
      ...common('io.l5d.marathon'),
    }),
  ],
  [
    'io.l5d.consul',
    'io.l5d.serversets',
    'io.l5d.zkLeader',
    'io.l5d.k8s',
    'io.l5d.k8s.external',
    'io.l5d.k8s.ns',
    'io.l5d.k8s.istio',
    'io.l5d.dnssrv',
    'io.l5d.curator',
    'io.l5d.rancher',
  ],
);

/** Fills in what depends on `linkerdCompat`. */
export function completeNamer(written: z.output<typeof namer>, defaults: Defaults['marathon']) {
  if (written.kind !== 'io.l5d.marathon') return written;
  const { dst: _dst, experimental: _experimental, nodemesh, ...kept } = written;
  return { ...kept, nodemesh: { shortestPrefix: nodemesh.shortestPrefix ?? defaults.shortestPrefix } };
}
