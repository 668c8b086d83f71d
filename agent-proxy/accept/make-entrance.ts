/** The entrance of a server, from its configuration. */
import type { ServerConfig } from '../config/schema/linkerd.ts';
import type { Entrance } from '../exchange/entrance.ts';
import { ConnectionForwarded } from '../http1/forwarded.ts';
import type { ServerConnection } from '../http1/server-connection.ts';
import { ConcurrencyLimit } from '../resilience/admission.ts';
import type { ServerScope } from '../telemetry/server-scope.ts';

const NEVER = Number.POSITIVE_INFINITY;
const UNKNOWN = { address: '', port: 0 };

/** `router` is the label, `random` gives 0 ≤ x < 1. */
export function makeEntrance(config: ServerConfig, router: string, scope: ServerScope, random: () => number): Entrance {
  const { addForwardedHeader, timestampHeader, timeoutMs, maxConcurrentRequests } = config;
  return {
    config,
    scope,
    timeoutMs: timeoutMs ?? NEVER,
    concurrency: new ConcurrencyLimit(maxConcurrentRequests ?? NEVER),
    addsLines: addForwardedHeader !== null || timestampHeader !== null,
    forwarded: addForwardedHeader === null ? null : forwardedBy(addForwardedHeader, router, random),
  };
}

function forwardedBy(
  config: NonNullable<ServerConfig['addForwardedHeader']>,
  router: string,
  random: () => number,
): NonNullable<Entrance['forwarded']> {
  const byConnection = new WeakMap<ServerConnection, ConnectionForwarded>();
  return (connection, host) => {
    let forwarded = byConnection.get(connection);
    if (forwarded === undefined) {
      const { local, remote } = connection.transport;
      forwarded = new ConnectionForwarded(config, router, local ?? UNKNOWN, remote ?? UNKNOWN, random);
      byConnection.set(connection, forwarded);
    }
    return forwarded.value(host, 'http');
  };
}
