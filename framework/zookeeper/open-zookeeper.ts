/** How sessions are opened in earnest: with the process's clock and the figures that fit a Mesos cluster. */
import type { ConnectString } from './connect-string.ts';
import { openSession, type Session } from './session.ts';

/**
 * A standby takes over at most this, a tick of the ensemble (2 s by default) and a moment after its leader was killed. Less
 * would lose sessions to an election among the ZooKeeper servers themselves. Mesos' masters use ten seconds too.
 */
const SESSION_TIMEOUT_MS = 10_000;
const OPEN_MS = 30_000;
/** No longer than a session is without a connection. */
const OPERATION_MS = 10_000;

export interface ZooKeeperOptions {
  /** Milliseconds; what is asked for. Ten seconds unless said otherwise. */
  readonly timeoutMs?: number;
  /** How long to look for a server at first. Thirty seconds unless said otherwise. */
  readonly openMs?: number;
  /** How long an operation waits for a connection. Ten seconds unless said otherwise. */
  readonly operationMs?: number;
  /** Gives up looking for a server; of no effect once the session is open. */
  readonly signal?: AbortSignal;
  readonly logger?: { debug(fields: object, message: string): void };
}

/**
 * Opens a session. When it ends it has to be opened again, by whoever wants to go on: the nodes of the old one are gone.
 * @throws {ZooKeeperError} `unreachable` when no server could be reached in `openMs`, `auth-failed`, `closed` after `signal`
 */
export async function openZooKeeper(where: ConnectString, options: ZooKeeperOptions = {}): Promise<Session> {
  const { logger, signal } = options;
  return await openSession({
    servers: where.servers,
    auth: where.auth,
    timeoutMs: options.timeoutMs ?? SESSION_TIMEOUT_MS,
    openMs: options.openMs ?? OPEN_MS,
    operationMs: options.operationMs ?? OPERATION_MS,
    note: (fields, message) => logger?.debug(fields, message),
    ...(signal === undefined ? {} : { signal }),
    now: () => performance.now(),
    random: Math.random,
  });
}
