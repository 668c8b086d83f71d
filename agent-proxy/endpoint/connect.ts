/** How a connection to an endpoint is begun: plain or with TLS. Addresses are literals: nothing is resolved here. */
import { connect as connectPlain } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { ClientParams } from '../config/client-params.ts';
import type { Opened } from '../http1/client-connection.ts';
import { DirectReads, SharedReads } from '../http1/reads.ts';
import { closeWhenIdle, shorterOf } from '../http1/socket-timeout.ts';
import type { ClientTls } from './tls-options.ts';

/** Begins a connection. Throws an Error where TLS lacks a file. */
export type Connect = (address: string, port: number) => Opened;

const KEEP_ALIVE_DELAY_MS = 60_000;

/** `tls` is null for plain connections; `now` in milliseconds. */
export function connector(
  { noDelay, keepAlive, readTimeoutMs, writeTimeoutMs }: ClientParams['socketOptions'],
  tls: { readonly files: ClientTls; readonly commonName: string | null } | null,
  now: () => number,
): Connect {
  // Half-open, so that the two ways of a tunnel end one by one.
  const idleMs = shorterOf(readTimeoutMs, writeTimeoutMs);
  const common = { noDelay, keepAlive, keepAliveInitialDelay: KEEP_ALIVE_DELAY_MS, allowHalfOpen: true };
  if (tls === null) {
    return (host, port) => {
      const reads = new SharedReads();
      const socket = connectPlain({ host, port, ...common, onread: reads.onread });
      closeWhenIdle(socket, idleMs);
      return { socket, reads: reads.of(socket) };
    };
  }
  return (host, port) => {
    const answer = tls.files.options(tls.commonName, now());
    if (answer.kind === 'failed') throw new Error(answer.reason);
    const socket = connectTls({ host, port, ...common, ...answer.options });
    closeWhenIdle(socket, idleMs);
    return { socket, reads: new DirectReads(socket) };
  };
}
