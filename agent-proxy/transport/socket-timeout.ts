/** linkerd's `readTimeoutMs` and `writeTimeoutMs`: a connection on which nothing moves is closed. */
import type { Socket } from 'node:net';

/** Null where neither is set. */
export function shorterOf(a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : Math.min(a, b);
}

/** `ms` is null for never. */
export function closeWhenIdle(socket: Socket, ms: number | null): void {
  if (ms !== null) socket.setTimeout(ms, () => socket.destroy());
}
