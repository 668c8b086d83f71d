/** `client:` of a router – how its endpoints are called; one for all, or layers by the prefix of the bound name. */
import { z } from 'zod';
import { PathMatcher } from '../../routing/path-matcher.ts';
import type { Defaults } from '../defaults.ts';
import type { LayeredClient } from '../layered.ts';
import { failureAccrual } from './accrual.ts';
import { budget } from './backoff.ts';
import { loadBalancer } from './balancer.ts';
import { clientTls } from './client-tls.ts';
import { fromDefaults, kinds, needed, noEffect, optional, pluginsNotYet, withKind } from './keys.ts';
import { pathPattern } from './names.ts';
import { duration, flag, integer, milliseconds, ratio } from './scalars.ts';
import { clientSocketOptions } from './socket-options.ts';

const hostConnectionPool = z.strictObject({
  minSize: fromDefaults(
    integer(0),
    pool('minSize'),
    'Connections to each endpoint that stay open though they are idle.',
  ),
  maxSize: fromDefaults(integer(1).nullable(), pool('maxSize'), 'Connections to each endpoint, at most.'),
  idleTimeMs: fromDefaults(
    milliseconds.nullable(),
    pool('idleTimeMs'),
    'Close connections above `minSize` that are idle for this long.',
  ),
  maxWaiters: fromDefaults(
    integer(0).nullable(),
    pool('maxWaiters'),
    'Requests that wait for a connection to an endpoint; further ones are refused.',
  ),
});

const clientSession = z.strictObject({
  idleTimeMs: fromDefaults(
    milliseconds.nullable(),
    ({ client }) => client.clientSession.idleTimeMs,
    'Close a connection that is idle for this long, whatever `minSize` is.',
  ),
  lifeTimeMs: fromDefaults(
    milliseconds.nullable(),
    ({ client }) => client.clientSession.lifeTimeMs,
    'Close a connection of this age after its request.',
  ),
});

const nodemesh = z.strictObject({
  connectTimeoutMs: fromDefaults(
    duration,
    ({ client }) => client.nodemesh.connectTimeoutMs,
    'How long a connection may take to open.',
  ),
  panicThreshold: fromDefaults(
    ratio,
    ({ client }) => client.nodemesh.panicThreshold,
    'Share of the endpoints that have to be out before the balancer uses them all the same; 0: it always does.',
  ),
  maxEjected: fromDefaults(
    ratio,
    ({ client }) => client.nodemesh.maxEjected,
    'Share of the endpoints that failure accrual may take out at a time.',
  ),
  comparesSiblings: fromDefaults(
    flag,
    ({ client }) => client.nodemesh.comparesSiblings,
    'Success rates take out only what does worse than the other endpoints.',
  ),
  failurePenaltyMs: fromDefaults(
    milliseconds,
    ({ client }) => client.nodemesh.failurePenaltyMs,
    'What `ewma` takes for the latency of an endpoint all of whose answers fail.',
  ),
});

const layer = {
  loadBalancer: fromDefaults(loadBalancer, ({ client }) => client.loadBalancer, 'How an endpoint is chosen.'),
  hostConnectionPool: optional(hostConnectionPool, 'Connections to each endpoint.'),
  failFast: fromDefaults(
    flag,
    ({ client }) => client.failFast,
    'Refuse at once what is for an endpoint that could not be connected to.',
  ),
  failureAccrual: fromDefaults(failureAccrual, ({ client }) => client.failureAccrual, 'When an endpoint is out.'),
  requeueBudget: fromDefaults(budget, ({ client }) => client.requeueBudget, 'Re-sending of requests that never left.'),
  requestAttemptTimeoutMs: fromDefaults(
    duration.nullable(),
    ({ client }) => client.requestAttemptTimeoutMs,
    'How long one attempt may take until the response head is there.',
  ),
  clientSession: optional(clientSession, 'How long connections stay open.'),
  tls: optional(clientTls, 'Encrypted connections.'),
  socketOptions: optional(clientSocketOptions, 'Options of connections.'),
  forwardClientCert: noEffect(flag, 'there is no server TLS yet, so no caller shows a certificate'),
  requestAuthorizers: pluginsNotYet('Who may call'),
  nodemesh: optional(nodemesh, 'Our own keys.'),
};

const clientLayer = z
  .strictObject({
    prefix: needed(pathPattern, 'The bound names that this is for; `*` and `{captures}` stand in segments.'),
    ...layer,
  })
  .superRefine(({ prefix, tls }, context) => {
    const { variables } = new PathMatcher(prefix);
    for (const [, name = ''] of (tls?.commonName ?? '').matchAll(/\{([^}]*)\}/g)) {
      if (variables.has(name)) continue;
      context.addIssue({
        code: 'custom',
        path: ['tls', 'commonName'],
        message: `{${name}} is not captured by the prefix ${prefix}`,
      });
    }
  });

/** Whatever was written, it is layers afterwards: the global form is one layer for all names. */
export const client = withKind(
  'io.l5d.global',
  kinds('client', [
    z.strictObject({ kind: z.literal('io.l5d.global').describe('The same for all clients.'), ...layer }),
    z.strictObject({
      kind: z.literal('io.l5d.static').describe('By the bound name.'),
      configs: needed(z.array(clientLayer), 'All whose prefix matches, in order; later ones win.'),
    }),
  ]),
).transform((written): { kind: 'io.l5d.static'; configs: ClientLayer[] } => {
  if (written.kind === 'io.l5d.static') return written;
  const { kind: _global, ...keys } = written;
  const saysNothing = Object.values(keys).every((value) => value === undefined);
  return { kind: 'io.l5d.static', configs: saysNothing ? [] : [{ prefix: '/', ...keys }] };
});

export type ClientLayer = z.output<typeof clientLayer>;

function pool(key: keyof LayeredClient['hostConnectionPool']) {
  return ({ client }: Defaults) => client.hostConnectionPool[key];
}
