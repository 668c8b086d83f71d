/** `routers:` – one router: its listeners, and the way of a request through it. */
import { z } from 'zod';
import { defaultsFor } from '../defaults.ts';
import { accessLog } from './access-log.ts';
import { client } from './client.ts';
import { identifier } from './identifier.ts';
import { interpreter } from './interpreter.ts';
import {
  fallsBack,
  fromDefaults,
  inner,
  kindError,
  kinds,
  needed,
  noEffect,
  oneOrMore,
  optional,
  orElse,
  pluginsNotYet,
} from './keys.ts';
import { dtab, path } from './names.ts';
import { duration, flag, integer, label } from './scalars.ts';
import { completeServer, server } from './server.ts';
import { service } from './service.ts';

const bindingCache = z.strictObject({
  paths: fallsBack(integer(1), 1_000, 'Names that are remembered; as many again that lead nowhere.'),
  trees: noEffect(integer(1), 'what hangs on a name is kept with it'),
  bounds: noEffect(integer(1), 'what hangs on a name is kept with it'),
  clients: noEffect(integer(1), 'what hangs on a name is kept with it'),
  idleTtlSecs: fallsBack(integer(1, 2_000_000), 600, 'Forget what nobody asked for in this many seconds.'),
});

const shedding = z.strictObject({
  maxPendingRequests: fromDefaults(
    integer(1).nullable(),
    ({ router }) => router.maxPendingRequests,
    'Requests in the router at a time; further ones are answered 503 with `l5d-retryable`.',
  ),
  maxLoopDelayMs: fromDefaults(
    duration.nullable(),
    ({ router }) => router.maxLoopDelayMs,
    'New requests are answered so while the process is this late.',
  ),
});

const upgradeToken = z
  .string('is not a token')
  .toLowerCase()
  .regex(/^[a-z0-9.+-]+$/, 'is not a token of Upgrade');

const nodemesh = z.strictObject({
  linkerdCompat: fallsBack(flag, false, "linkerd's defaults where ours differ."),
  maxRetries: fromDefaults(
    integer(0, 100).nullable(),
    ({ router }) => router.maxRetries,
    'Retries of one request, at most; the budget bounds them too.',
  ),
  retryAtEachHop: fromDefaults(
    flag,
    ({ router }) => router.retryAtEachHop,
    'Send again also what a proxy before this one (nodemesh or linkerd, by `Via`) may send again itself.',
  ),
  retryBufferKB: fallsBack(integer(0, 65_536), 64, 'A request with a larger body is not sent again.'),
  enforceDeadlines: fromDefaults(
    flag,
    ({ router }) => router.enforceDeadlines,
    'Refuse and cut off requests whose `l5d-ctx-deadline` is over; it is passed on in any case.',
  ),
  localDtab: fallsBack(
    z.enum(['any', 'names', 'ignore']),
    'any',
    'What `l5d-dtab` of a caller may do: all, all but name addresses (`/$/inet` and its like), or nothing.',
  ),
  // As many as a head can be scanned for (http1/head-scanner.ts, MOST_FIELDS).
  maxHeaderCount: fallsBack(integer(1, 256), 128, 'Header fields of one message.'),
  upgrades: fallsBack(z.array(upgradeToken), [], 'Tokens of `Upgrade` that pass: `websocket`.'),
  connect: fallsBack(flag, false, 'Whether CONNECT opens a tunnel.'),
  shedding: inner(shedding, 'When requests are refused before all of them suffer.'),
});

const tracePropagator = kinds('trace propagator', [
  z.strictObject({ kind: z.literal('io.l5d.default').describe('`l5d-ctx-trace`.') }),
  z.strictObject({ kind: z.literal('io.l5d.zipkin').describe('`x-b3-*`.') }),
]);

const http = z.strictObject({
  protocol: needed(z.literal('http'), 'What is spoken.'),
  label: fallsBack(label, 'http', 'Unique; in metrics and logs.'),
  servers: optional(
    z.array(server).min(1, 'is an empty list'),
    'Where it listens; without it one server with all defaults.',
  ),
  dtab: fallsBack(dtab, '', 'How names are rewritten.'),
  dstPrefix: fallsBack(path, '/svc', 'What identifiers put before names.'),
  identifier: fallsBack(
    oneOrMore(identifier),
    [{ kind: 'io.l5d.header.token', header: 'Host' }],
    'How a request gets its name. One, or a list: the first that knows one.',
  ),
  interpreter: fallsBack(interpreter, { kind: 'default', transformers: [] }, 'Who binds names.'),
  bindingTimeoutMs: fallsBack(duration, 10_000, 'How long a request waits for its name to be bound.'),
  bindingCache: inner(bindingCache, 'How much is remembered of names.'),
  client: fallsBack(client, { kind: 'io.l5d.static', configs: [] }, 'How endpoints are called.'),
  service: fallsBack(service, { kind: 'io.l5d.static', configs: [] }, 'Retries and timeouts of names.'),
  originator: fallsBack(flag, false, 'A gauge that marks the first router of requests.'),
  tracePropagator: fallsBack(tracePropagator, { kind: 'io.l5d.default' }, 'Which headers tell the trace.'),
  maxHeadersKB: fallsBack(integer(1, 1_024), 8, 'The size of all header fields of a message, at most.'),
  maxInitialLineKB: fallsBack(integer(1, 1_024), 4, 'The size of the first line of a message, at most.'),
  maxErrResponseKB: noEffect(integer(1, 65_536), 'an error of the proxy is one line of at most 1,000 characters'),
  compressionLevel: fromDefaults(
    integer(-1, 9),
    ({ router }) => router.compressionLevel,
    'Compression of responses: 0 none, 1 to 9 always, -1 texts at 6.',
  ),
  ...accessLog,
  streamAfterContentLengthKB: noEffect(integer(0), 'bodies of any length are streamed'),
  streamingEnabled: noEffect(flag, 'bodies of any length are streamed'),
  experimental: noEffect(flag, 'nothing needs it here'),
  announcers: pluginsNotYet('Where a server tells that it is there'),
  nodemesh: inner(nodemesh, 'Our own keys.'),
});

const PROTOCOLS_NOT_YET = ['h2', 'thrift', 'thriftmux', 'mux'];

export const router = z
  .discriminatedUnion('protocol', [http], kindError('protocol', PROTOCOLS_NOT_YET))
  .meta({ kindsNotYet: PROTOCOLS_NOT_YET })
  .transform((written) => complete(written));

/** Fills in what depends on `linkerdCompat`, but for the layers of clients and services, which are completed by name. */
function complete(written: z.output<typeof http>) {
  const defaults = defaultsFor(written.nodemesh.linkerdCompat);
  const { streamAfterContentLengthKB: _1, streamingEnabled: _2, experimental: _3, announcers: _4, ...kept } = written;
  const { nodemesh: ours } = written;
  return {
    ...kept,
    servers: (written.servers ?? [server.parse({})]).map((one) => completeServer(one, defaults.server)),
    compressionLevel: written.compressionLevel ?? defaults.router.compressionLevel,
    nodemesh: {
      ...ours,
      maxRetries: orElse(ours.maxRetries, defaults.router.maxRetries),
      retryAtEachHop: ours.retryAtEachHop ?? defaults.router.retryAtEachHop,
      enforceDeadlines: ours.enforceDeadlines ?? defaults.router.enforceDeadlines,
      shedding: {
        maxPendingRequests: orElse(ours.shedding.maxPendingRequests, defaults.router.maxPendingRequests),
        maxLoopDelayMs: orElse(ours.shedding.maxLoopDelayMs, defaults.router.maxLoopDelayMs),
      },
    },
  };
}
