/** What a listening address asks of the requests that come by it and adds to them, and where it keeps count of them. */
import type { ServerConfig } from '../config/schema/linkerd.ts';
import type { RequestHead } from '../http1/request-head.ts';
import type { ServerConnection } from '../http1/server-connection.ts';
import type { ConcurrencyLimit } from '../resilience/admission.ts';
import type { ServerScope } from '../telemetry/server-scope.ts';

export interface Entrance {
  readonly config: Pick<ServerConfig, 'maxCallDepth' | 'clearContext' | 'timestampHeader' | 'nodemesh'>;
  /** A request of it may take so long, milliseconds. */
  readonly timeoutMs: number;
  readonly scope: ServerScope;
  readonly concurrency: ConcurrencyLimit;
  /** Whether {@link entranceLines} has anything to say. */
  readonly addsLines: boolean;
  /** The value of `Forwarded` (RFC 7239) for a request of this connection; null where none is added. */
  readonly forwarded: ((connection: ServerConnection, host: string | null) => string) | null;
}

interface Entered {
  readonly entrance: Entrance;
  readonly connection: ServerConnection;
  readonly head: RequestHead;
  /** Milliseconds of the process' clock. */
  readonly startedAt: number;
}

/** The lines that the server's configuration adds to a request, each with its CR LF. */
export function entranceLines({ entrance, connection, head, startedAt }: Entered): string {
  const { forwarded, config } = entrance;
  let lines = forwarded === null ? '' : `Forwarded: ${forwarded(connection, head.host)}\r\n`;
  if (config.timestampHeader !== null) {
    lines += `${config.timestampHeader}: ${Math.round(performance.timeOrigin + startedAt)}\r\n`;
  }
  return lines;
}
