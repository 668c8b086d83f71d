/** Listens on a descriptor that the supervisor bound. */
import type { Server } from 'node:net';

/** Rejects with the system's error where another process listens there already. */
export function listenOn(server: Server, fd: number, backlog?: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    // For a descriptor `listen` takes the backlog from its arguments and not from its options.
    server.listen({ fd }, backlog, () => {
      server.off('error', reject);
      // accept(2) may fail for a while (too many open files); the next connection is another matter.
      server.on('error', () => undefined);
      resolve();
    });
  });
}
