/** The listening sockets that the supervisor holds, by the addresses that configurations ask for. */
import type { ListenerSpec } from '../config/spec.ts';
import { type BoundSocket, bindSocket } from './sockets.ts';

export class HeldSockets {
  private sockets = new Map<string, BoundSocket>();

  /**
   * A socket for each listener, in their order: one that is held already, else a new one. Throws a BindError, and holds
   * what it held before.
   */
  hold(listeners: readonly ListenerSpec[]): BoundSocket[] {
    const added = new Map<string, BoundSocket>();
    try {
      return listeners.map((listener) => {
        const key = keyOf(listener);
        const known = this.sockets.get(key) ?? added.get(key);
        if (known !== undefined) return known;
        const socket = bindSocket(listener.ip, listener.port);
        added.set(key, socket);
        return socket;
      });
    } catch (error) {
      for (const socket of added.values()) socket.close();
      added.clear();
      throw error;
    } finally {
      for (const [key, socket] of added) this.sockets.set(key, socket);
    }
  }

  /** Closes those that none of these listeners needs. The kernel refuses connections once their workers have closed them. */
  keepOnly(listeners: readonly ListenerSpec[]): void {
    const needed = new Set(listeners.map(keyOf));
    for (const [key, socket] of this.sockets) {
      if (needed.has(key)) continue;
      socket.close();
      this.sockets.delete(key);
    }
  }
}

/** Port 0 is another one for each listener that asks for it, and stays the same for as long as that listener is there. */
function keyOf({ ip, port, serves }: ListenerSpec): string {
  if (port !== 0) return `${ip} ${port}`;
  return `${ip} 0 ${serves.kind === 'admin' ? 'admin' : `${serves.label} ${serves.server}`}`;
}
