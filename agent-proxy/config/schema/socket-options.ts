/** `socketOptions:` of servers and clients: those that Node.js can set. */
import { z } from 'zod';
import { fallsBack, fromDefaults, noEffect } from './keys.ts';
import { duration, flag, integer } from './scalars.ts';

const NO_DELAY = 'Send small packets at once (TCP_NODELAY).';
const KEEP_ALIVE = 'Probe idle connections (SO_KEEPALIVE).';
const READ_TIMEOUT = 'Close a connection on which nothing was read or written for this long.';
const WRITE_TIMEOUT = 'The same; the shorter of the two counts.';

const ignored = {
  reuseAddr: noEffect(flag, 'Node.js always sets SO_REUSEADDR on listening sockets'),
  reusePort: noEffect(flag, 'the workers share one listening socket'),
};

export const serverSocketOptions = z.strictObject({
  noDelay: fallsBack(flag, true, NO_DELAY),
  keepAlive: fallsBack(flag, false, KEEP_ALIVE),
  readTimeoutMs: fallsBack(duration.nullable(), null, READ_TIMEOUT),
  writeTimeoutMs: fallsBack(duration.nullable(), null, WRITE_TIMEOUT),
  backlog: fallsBack(integer(1, 65_535), 1_024, 'Connections that the kernel keeps until they are accepted.'),
  ...ignored,
});

export const clientSocketOptions = z.strictObject({
  noDelay: fromDefaults(flag, ({ client }) => client.socketOptions.noDelay, NO_DELAY),
  keepAlive: fromDefaults(flag, ({ client }) => client.socketOptions.keepAlive, KEEP_ALIVE),
  readTimeoutMs: fromDefaults(duration.nullable(), ({ client }) => client.socketOptions.readTimeoutMs, READ_TIMEOUT),
  writeTimeoutMs: fromDefaults(duration.nullable(), ({ client }) => client.socketOptions.writeTimeoutMs, WRITE_TIMEOUT),
  backlog: noEffect(integer(1, 65_535), 'a client accepts no connections'),
  ...ignored,
});
