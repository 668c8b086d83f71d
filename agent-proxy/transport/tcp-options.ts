/** What is set on a TCP connection, on either side of the proxy. */
export interface TcpOptions {
  /** TCP_NODELAY. */
  readonly noDelay: boolean;
  /** SO_KEEPALIVE. */
  readonly keepAlive: boolean;
  /** Milliseconds without a byte in either direction after which it is closed; null for never. */
  readonly idleMs: number | null;
}

/** Idle for so long, a connection is probed. */
export const KEEP_ALIVE_DELAY_MS = 60_000;
