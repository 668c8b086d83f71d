/** How connections are taken in: straight from the handle that listens, or as the sockets that Node's server makes. */
import { createServer, type Server } from 'node:net';
import { closeWhenIdle } from './socket-timeout.ts';
import { StreamTransport } from './stream-transport.ts';
import { KEEP_ALIVE_DELAY_MS, type TcpOptions } from './tcp-options.ts';
import { HANDLES, TcpTransport } from './tcp-transport.ts';
import type { Transport } from './transport.ts';

/** The handle of a server. */
interface ListeningHandle {
  /** `status` is 0, or an error of the system as a negative number: then there is no connection. */
  onconnection: (status: number, handle?: unknown) => void;
}

/**
 * A server that does not listen yet; `take` gets each of its connections. Its `close` event does not wait for them, and it
 * does not count them.
 */
export function acceptor(options: TcpOptions, take: (transport: Transport) => void): Server {
  const { noDelay, keepAlive, idleMs } = options;
  const common = { noDelay, keepAlive, keepAliveInitialDelay: KEEP_ALIVE_DELAY_MS };
  // Half-open: a client that ends its side may still want its answer.
  const server = createServer({ allowHalfOpen: true, ...common }, (socket) => {
    closeWhenIdle(socket, idleMs);
    take(new StreamTransport(socket));
  });
  // Timeouts of sockets are the streams' business.
  if (idleMs === null) server.on('listening', () => takeHandles(server, options, take));
  return server;
}

function takeHandles(server: Server, { noDelay, keepAlive }: TcpOptions, take: (transport: Transport) => void): void {
  const listening: unknown = Reflect.get(server, '_handle');
  if (HANDLES === null || !isListening(listening)) return;
  const { isTcp } = HANDLES;
  const asBefore = listening.onconnection;
  listening.onconnection = function (this: unknown, status, handle) {
    // accept(2) failed, as with too many open files: the server says so.
    if (status !== 0 || !isTcp(handle)) {
      asBefore.call(this, status, handle);
      return;
    }
    if (noDelay) handle.setNoDelay(true);
    if (keepAlive) handle.setKeepAlive(true, KEEP_ALIVE_DELAY_MS / 1_000);
    take(new TcpTransport(handle, null));
  };
}

function isListening(handle: unknown): handle is ListeningHandle {
  return (
    typeof handle === 'object' &&
    handle !== null &&
    'onconnection' in handle &&
    typeof handle.onconnection === 'function'
  );
}
