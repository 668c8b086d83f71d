/** `servers:` of a router – where it listens, and what it asks of its callers. */
import { z } from 'zod';
import type { Defaults } from '../defaults.ts';
import { fallsBack, fromDefaults, inner, kinds, notYet, optional, orElse, withKind } from './keys.ts';
import { duration, flag, headerName, integer, ip, label, milliseconds, port } from './scalars.ts';
import { serverSocketOptions } from './socket-options.ts';

/** How one side of a hop is named in `Forwarded` (RFC 7239). */
const labeler = withKind(
  'requestRandom',
  kinds('labeler', [
    z.strictObject({ kind: z.literal('ip') }),
    z.strictObject({ kind: z.literal('ip:port') }),
    z.strictObject({ kind: z.literal('requestRandom') }),
    z.strictObject({ kind: z.literal('connectionRandom') }),
    z.strictObject({ kind: z.literal('router') }),
    z.strictObject({ kind: z.literal('static'), label }),
  ]),
);

const addForwardedHeader = z.strictObject({
  by: fallsBack(labeler, { kind: 'requestRandom' }, 'How this proxy is named.'),
  for: fallsBack(labeler, { kind: 'requestRandom' }, 'How the caller is named.'),
});

const serverSession = z.strictObject({
  idleTimeMs: fromDefaults(
    milliseconds.nullable(),
    (defaults) => defaults.server.idleTimeMs,
    'Close a connection without a request for this long.',
  ),
  lifeTimeMs: fallsBack(milliseconds.nullable(), null, 'Close a connection of this age after its request.'),
});

const nodemesh = z.strictObject({
  headTimeoutMs: fromDefaults(
    duration.nullable(),
    (defaults) => defaults.server.headTimeoutMs,
    'How long the head of a request may take; then 408.',
  ),
  bodyTimeoutMs: fromDefaults(
    duration.nullable(),
    (defaults) => defaults.server.bodyTimeoutMs,
    'How long the body of a request may pause, and how long a client may take nothing of its answer.',
  ),
  maxConnections: fallsBack(
    integer(1).nullable(),
    null,
    'Open connections of this server, at most; the limit of open files (RLIMIT_NOFILE) bounds them in any case.',
  ),
});

export const server = z.strictObject({
  port: fallsBack(port, 4140, 'The port to listen on; 0 for any.'),
  ip: fallsBack(ip, '127.0.0.1', 'The address to listen on; `0.0.0.0` and `::` for all.'),
  label: optional(label, 'A name for people.'),
  maxConcurrentRequests: fallsBack(
    integer(1).nullable(),
    null,
    'Requests at a time; further ones are refused at once.',
  ),
  timeoutMs: fallsBack(duration.nullable(), null, 'How long a request of this server may take.'),
  maxCallDepth: fromDefaults(
    integer(1),
    (defaults) => defaults.server.maxCallDepth,
    'Proxies that a request may have come through (values of `Via`), to break loops.',
  ),
  clearContext: fallsBack(flag, false, 'Drop all `l5d-*` headers of callers, and of responses to them.'),
  addForwardedHeader: fallsBack(addForwardedHeader.nullable(), null, 'Add `Forwarded` (RFC 7239) to requests.'),
  timestampHeader: fallsBack(
    headerName.nullable(),
    null,
    'A header that tells upstream when the request arrived, in ms since 1970.',
  ),
  serverSession: inner(serverSession, 'How long connections stay open.'),
  socketOptions: inner(serverSocketOptions, 'Options of accepted connections.'),
  tls: notYet('server TLS'),
  announce: notYet('announce'),
  nodemesh: inner(nodemesh, 'Our own keys.'),
});

/** Fills in what depends on `linkerdCompat`, and leaves out what has no effect. */
export function completeServer(written: z.output<typeof server>, defaults: Defaults['server']) {
  const { tls: _tls, announce: _announce, ...kept } = written;
  const { noDelay, keepAlive, readTimeoutMs, writeTimeoutMs, backlog } = written.socketOptions;
  return {
    ...kept,
    maxCallDepth: written.maxCallDepth ?? defaults.maxCallDepth,
    serverSession: {
      idleTimeMs: orElse(written.serverSession.idleTimeMs, defaults.idleTimeMs),
      lifeTimeMs: written.serverSession.lifeTimeMs,
    },
    socketOptions: { noDelay, keepAlive, readTimeoutMs, writeTimeoutMs, backlog },
    nodemesh: {
      headTimeoutMs: orElse(written.nodemesh.headTimeoutMs, defaults.headTimeoutMs),
      bodyTimeoutMs: orElse(written.nodemesh.bodyTimeoutMs, defaults.bodyTimeoutMs),
      maxConnections: written.nodemesh.maxConnections,
    },
  };
}
