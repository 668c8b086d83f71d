/**
 * A listening address of a router: serves HTTP/1.1 on a descriptor that the supervisor bound, bounds what it takes on,
 * and drains.
 */
import type { Server } from 'node:http';
import { Call, type CallListener } from '../endpoint/call.ts';
import { createHttp1Server } from '../http1/server.ts';
import type { Walk } from '../STACK.ts';
import type { ServerScope } from '../telemetry/scopes.ts';

const MAX_CONNECTIONS = 20_000;
const MAX_CONCURRENT_REQUESTS = 10_000;

export interface ListenerOptions {
  readonly scope: ServerScope;
  readonly walk: Walk;
  readonly now: () => number;
  readonly calls: CallListener;
  readonly maxConcurrentRequests?: number;
}

export class Listener {
  readonly server: Server;
  private isDraining = false;

  constructor({ scope, walk, now, calls, maxConcurrentRequests = MAX_CONCURRENT_REQUESTS }: ListenerOptions) {
    this.server = createHttp1Server(
      {
        request: (downstream) => {
          const call = new Call(downstream, scope, now, calls);
          if (scope.recorder.pending > maxConcurrentRequests) {
            call.refuse({ code: 'shed', detail: `more than ${maxConcurrentRequests} requests at once` });
            return;
          }
          walk(call);
        },
        refuse: (downstream, why) => new Call(downstream, scope, now, calls).refuse(why),
        unparsed: ({ status }) => {
          scope.recorder.record({ status, success: false, latencyMs: 0 }, now());
          scope.failed('bad-request');
        },
      },
      () => this.isDraining,
    );
    this.server.maxConnections = MAX_CONNECTIONS;
    this.server.on('connection', (socket) => {
      scope.connects += 1;
      scope.connections += 1;
      socket.once('close', () => {
        scope.connections -= 1;
      });
    });
  }

  /** Takes no new connections, closes the idle ones; resolves when the last request is answered. */
  drain(): Promise<void> {
    this.isDraining = true;
    return new Promise((resolve) => this.server.close(() => resolve()));
  }

  /** Cuts what is left. */
  destroy(): void {
    this.server.closeAllConnections();
  }
}

/** Listens on an inherited descriptor. Rejects with the system's error where another process listens there already. */
export function listenOn(server: Server, fd: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ fd }, () => {
      server.off('error', reject);
      // accept(2) may fail for a while (too many open files); the next connection is another matter.
      server.on('error', () => undefined);
      resolve();
    });
  });
}
