/** What the page says about its connection to the scheduler, from how its requests fared of late. */
import { formatClock } from './format.ts';

/** One of the things that are asked for again and again. */
export interface FeedStatus {
  readonly path: string;
  /** When its last good answer came, epoch milliseconds; null before the first. */
  readonly goodAt: number | null;
  /** Why the last request failed, in a few words; null when it succeeded. */
  readonly failure: string | null;
  /** Its answer never changes, so it is asked for seldom and never gets old. */
  readonly lasting?: boolean;
}

export type Connection =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'live' }
  /** The scheduler never answered. */
  | { readonly kind: 'unreachable'; readonly message: string; readonly detail: string }
  /** It answered once; what is shown is old. */
  | { readonly kind: 'lost'; readonly message: string; readonly detail: string };

/** The time of the last answer when what is shown of it is old, null while it is fresh or there is none. */
export function staleSince(feed: FeedStatus): number | null {
  return feed.failure === null ? null : feed.goodAt;
}

export function connectionOf(feeds: readonly FeedStatus[]): Connection {
  const failing = feeds.filter((feed) => feed.failure !== null);
  const first = failing[0];
  if (first === undefined) {
    return feeds.some((feed) => feed.goodAt === null) ? { kind: 'connecting' } : { kind: 'live' };
  }
  const detail = `${first.path}: ${first.failure}. Trying again by itself.`;
  const answered = failing.filter((feed) => feed.goodAt !== null);
  const aged = answered.filter((feed) => feed.lasting !== true);
  const known = (aged.length > 0 ? aged : answered).flatMap((feed) => feed.goodAt ?? []);
  if (known.length === 0) return { kind: 'unreachable', message: 'The scheduler does not answer.', detail };
  return { kind: 'lost', message: `Connection lost, showing the state of ${formatClock(Math.min(...known))}.`, detail };
}
