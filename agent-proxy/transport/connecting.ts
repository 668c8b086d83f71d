/** How a connection to an address is begun. It connects when it is started. */
import { connect, isIP } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { closeWhenIdle } from './socket-timeout.ts';
import { StreamTransport } from './stream-transport.ts';
import { KEEP_ALIVE_DELAY_MS, type TcpOptions } from './tcp-options.ts';
import { HANDLES, TcpTransport } from './tcp-transport.ts';
import type { Transport } from './transport.ts';

/** `address` is a literal: nothing is resolved here. */
export function openPlain(address: string, port: number, options: TcpOptions): Transport {
  const { noDelay, keepAlive, idleMs } = options;
  const family = isIP(address);
  // Timeouts of sockets are the streams' business.
  if (HANDLES === null || idleMs !== null || (family !== 4 && family !== 6)) {
    const socket = connect({ host: address, port, ...streamOptions(options) });
    closeWhenIdle(socket, idleMs);
    return new StreamTransport(socket);
  }
  const handle = HANDLES.newTcp();
  if (noDelay) handle.setNoDelay(true);
  if (keepAlive) handle.setKeepAlive(true, KEEP_ALIVE_DELAY_MS / 1_000);
  return new TcpTransport(handle, { address, port, family });
}

export function openTls(address: string, port: number, options: TcpOptions, tls: ConnectionOptions): Transport {
  const socket = connectTls({ host: address, port, ...streamOptions(options), ...tls });
  closeWhenIdle(socket, options.idleMs);
  return new StreamTransport(socket);
}

function streamOptions({ noDelay, keepAlive }: TcpOptions): object {
  // Half-open, so that the two ways of a tunnel end one by one.
  return { noDelay, keepAlive, keepAliveInitialDelay: KEEP_ALIVE_DELAY_MS, allowHalfOpen: true };
}
