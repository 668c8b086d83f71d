/** How a connection to an endpoint is begun: plain or with TLS. Addresses are literals: nothing is resolved here. */
import type { ClientParams } from '../config/client-params.ts';
import { openPlain, openTls } from '../transport/connecting.ts';
import { shorterOf } from '../transport/socket-timeout.ts';
import type { Transport } from '../transport/transport.ts';
import type { ClientTls } from './tls-options.ts';

/** Begins a connection. Throws an Error where TLS lacks a file. */
export type Connect = (address: string, port: number) => Transport;

/** `tls` is null for plain connections; `now` in milliseconds. */
export function connector(
  { noDelay, keepAlive, readTimeoutMs, writeTimeoutMs }: ClientParams['socketOptions'],
  tls: { readonly files: ClientTls; readonly commonName: string | null } | null,
  now: () => number,
): Connect {
  const options = { noDelay, keepAlive, idleMs: shorterOf(readTimeoutMs, writeTimeoutMs) };
  if (tls === null) return (address, port) => openPlain(address, port, options);
  return (address, port) => {
    const answer = tls.files.options(tls.commonName, now());
    if (answer.kind === 'failed') throw new Error(answer.reason);
    return openTls(address, port, options, answer.options);
  };
}
