/** How an answer goes to its client: the shape that all ways back have in common. */
import type { ResponseTarget } from '../http1/client-connection.ts';

export interface Relay extends ResponseTarget {
  readonly keepAlive: boolean;
  /** The lines of the head that say how the body is framed and whether the connection goes on. */
  readonly lines: string;
  /** The answer's lines without the framing that does not hold any more; null where all of them go back. */
  readonly changedLines: string | null;
  /** Ends a body that is framed anew, and calls back; null where its own framing ends it. */
  readonly end: ((done: () => void) => void) | null;
  /** Whether it has taken more than it could pass on, where it takes anything. */
  readonly isFull?: () => boolean;
}
