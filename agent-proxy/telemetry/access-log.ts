/** One line for each request at the server's edge, always, with what became of it upstream. Off unless asked for. */
import type { Call } from '../endpoint/call.ts';
import type { Log } from './log.ts';

export function logAccess(log: Log, router: string, call: Call): void {
  const { head, remoteAddress } = call.downstream;
  const status = call.status ?? '-';
  const reason = call.reason ?? '-';
  const what = `"${head.method} ${head.target} HTTP/${head.version}" host=${JSON.stringify(head.host)}`;
  const where = `service=${call.binding?.bound ?? '-'} upstream=${call.upstream ?? '-'} retries=${call.retries}`;
  const time = `${call.latencyMs.toFixed(1)}ms`;
  log.line(
    `${new Date().toISOString()} access ${router} ${remoteAddress} ${what} ${status} ${reason} ${time} ${where}`,
  );
}
