/**
 * Freshness is proven, not hoped for: a proxy's report carries the digest of its table at the revision that it claims,
 * and here it is held against ours at that revision. Pure.
 */
import type { Feed } from './feed.ts';

/** How long a proxy may take to apply a snapshot or to catch up with the newest revision before that is a fault. */
export const CATCH_UP_MS = 5_000;

/** What a session remembers to judge its proxy. */
export interface Freshness {
  /** The revision of the snapshot that this session sent last, and when. */
  readonly snapshot: { readonly revision: number; readonly at: number } | null;
  /** The revision at which the proxy stands while the feed is further, and since when; null while it is not behind. */
  readonly behind: Behind | null;
}

export interface Behind {
  readonly revision: number;
  readonly since: number;
}

export interface Claim {
  readonly epoch: number;
  readonly revision: number;
  readonly digest: string;
}

export type Verdict =
  | { readonly kind: 'fresh' | 'settling'; readonly behind: Behind | null }
  /** Send a fresh snapshot. */
  | { readonly kind: 'repair'; readonly why: 'digest' | 'behind' | 'other-table' };

export function judge(feed: Feed, freshness: Freshness, claim: Claim, now: number): Verdict {
  const { snapshot, behind } = freshness;
  if (snapshot === null) return { kind: 'settling', behind: null };
  const expected = feed.digestAt(claim.revision);
  // Before the snapshot is applied the claim is about a table of an earlier session or leader.
  const ours = claim.epoch === feed.epoch && claim.revision >= snapshot.revision && expected !== undefined;
  if (!ours || claim.digest !== expected) {
    if (now - snapshot.at < CATCH_UP_MS) return { kind: 'settling', behind: null };
    return { kind: 'repair', why: ours ? 'digest' : 'other-table' };
  }
  if (claim.revision === feed.revision) return { kind: 'fresh', behind: null };
  // Right for its revision, but not the newest. While it moves on, deltas arrive; when it stands still, one was lost.
  if (behind?.revision !== claim.revision)
    return { kind: 'settling', behind: { revision: claim.revision, since: now } };
  return now - behind.since >= CATCH_UP_MS ? { kind: 'repair', why: 'behind' } : { kind: 'settling', behind };
}
