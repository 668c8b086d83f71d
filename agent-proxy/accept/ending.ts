/**
 * How the listeners of a worker end: who is served for how much longer, and when what is left is cut. Nothing that was
 * begun is dropped before its time is up.
 */
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * - `over`: the proxy ends. Local callers have no other way to the mesh, so they are served until they are quiet, or until
 *   the grace is almost over.
 * - `replaced`: another worker accepts on the same sockets already.
 */
export type Ending = 'over' | 'replaced';

/** What is asked of a listener. */
export interface EndingListener {
  /** Its callers are on this node. */
  readonly isLocal: boolean;
  /** Takes no new connections, and tells clients with each answer that theirs ends; resolves when the last is closed. */
  close(): Promise<void>;
  /** No request is under way, and none came for so long. */
  isQuiet(ms: number): boolean;
  /** Closes the connections on which nothing is under way. */
  closeIdle(): void;
  /** Cuts what is left. */
  destroy(): void;
}

/** Without a request for so long, or for this part of the grace, local callers are quiet. */
const QUIET_MS = 1_000;
const QUIET_PART = 0.1;
/** The rest of the grace is for what is in flight then. */
const SERVING_PART = 0.9;
/**
 * A client may just be sending a request on a connection that was idle. So these stay open until their next answer says
 * that it is their last, or for so long: clients that are at work have asked again by then. (Where the server's own idle
 * time is shorter, they end sooner.)
 */
const IDLE_MS = 5_000;
const POLL_MS = 20;

/** Ends all listeners within `graceMs`; null: whenever the last request is over. */
export async function endListeners(
  listeners: readonly EndingListener[],
  ending: Ending,
  graceMs: number | null,
): Promise<void> {
  const grace = graceMs ?? Number.POSITIVE_INFINITY;
  const startedAt = performance.now();
  const passed = (): number => performance.now() - startedAt;
  const closing: Promise<void>[] = [];
  const locals = ending === 'over' ? listeners.filter(({ isLocal }) => isLocal) : [];
  for (const listener of listeners) if (!locals.includes(listener)) closing.push(listener.close());

  const quietMs = Math.min(QUIET_MS, grace * QUIET_PART);
  while (passed() < grace * SERVING_PART && locals.some((listener) => !listener.isQuiet(quietMs))) await sleep(POLL_MS);
  for (const listener of locals) closing.push(listener.close());

  let isOver = false;
  const over = Promise.all(closing).then(() => {
    isOver = true;
  });
  const idleUntil = ending === 'over' ? 0 : Math.min(IDLE_MS, grace / 2);
  while (!isOver && passed() < grace) {
    if (passed() >= idleUntil) for (const listener of listeners) listener.closeIdle();
    await Promise.race([over, sleep(POLL_MS)]);
  }
  if (!isOver) for (const listener of listeners) listener.destroy();
  await over;
}
