/** What the page says about its connection to the scheduler, from how its requests fared of late. */
import { formatClock } from './format.ts';

/** One of the things that are asked for again and again. */
export interface FeedStatus {
  readonly path: string;
  /** When its last good answer came, epoch milliseconds; null before the first. */
  readonly goodAt: number | null;
  /** Why the last request failed, in a few words; null when it succeeded. */
  readonly failure: string | null;
}

export type Connection =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'live' }
  /** The scheduler never answered. */
  | { readonly kind: 'unreachable'; readonly message: string; readonly detail: string }
  /** It answered once; what is shown is old. */
  | { readonly kind: 'lost'; readonly message: string; readonly detail: string };

export function connectionOf(feeds: readonly FeedStatus[]): Connection {
  const failing = feeds.filter((feed) => feed.failure !== null);
  const first = failing[0];
  if (first === undefined) {
    return feeds.some((feed) => feed.goodAt === null) ? { kind: 'connecting' } : { kind: 'live' };
  }
  const detail = `${first.path}: ${first.failure}. Trying again by itself.`;
  const known = failing.flatMap((feed) => (feed.goodAt === null ? [] : [feed.goodAt]));
  if (known.length === 0) return { kind: 'unreachable', message: 'The scheduler does not answer.', detail };
  return { kind: 'lost', message: `Connection lost, showing the state of ${formatClock(Math.min(...known))}.`, detail };
}
