/** When a proxy's claim about its table is believed, waited for, or answered with a fresh snapshot. */
import { beforeEach, describe, expect, test } from 'vitest';
import { CATCH_UP_MS, judge } from '../../../scheduler/distribution/anti-entropy.ts';
import { Feed } from '../../../scheduler/distribution/feed.ts';

let feed: Feed;
const snapshot = { revision: 1, at: 0 };

beforeEach(() => {
  feed = new Feed(7);
});

function commit(): void {
  feed.setAgent({ agentId: `S${feed.revision}`, address: '127.0.36.1', incomingPort: 4141, ready: true });
  feed.commit();
}

const claim = (revision: number, digest = feed.digestAt(revision) ?? 'none', epoch = 7) => ({
  epoch,
  revision,
  digest,
});
const late = CATCH_UP_MS + 1;

describe('a claim', () => {
  test('that is right for the newest revision is fresh', () => {
    commit();
    expect(judge(feed, { snapshot, behind: null }, claim(2), late)).toEqual({ kind: 'fresh', behind: null });
  });

  test('that differs is repaired, but not while a snapshot may be under way', () => {
    commit();
    expect(judge(feed, { snapshot, behind: null }, claim(2, 'wrong'), 100).kind).toBe('settling');
    expect(judge(feed, { snapshot, behind: null }, claim(2, 'wrong'), late)).toEqual({ kind: 'repair', why: 'digest' });
  });

  test.each([
    ['of an earlier leader', 2, 6],
    ['of a revision that never was', 99, 7],
    ['from before the snapshot', 0, 7],
  ])('%s is waited out and then repaired', (_name, revision, epoch) => {
    commit();
    const about = claim(revision, 'old', epoch);
    expect(judge(feed, { snapshot, behind: null }, about, 100).kind).toBe('settling');
    expect(judge(feed, { snapshot, behind: null }, about, late)).toEqual({ kind: 'repair', why: 'other-table' });
  });

  test('that is behind and moves on is let be; one that stands still is repaired', () => {
    for (let n = 0; n < 5; n++) commit();
    const first = judge(feed, { snapshot, behind: null }, claim(3), late);
    expect(first).toEqual({ kind: 'settling', behind: { revision: 3, since: late } });
    const behind = { revision: 3, since: late };
    expect(judge(feed, { snapshot, behind }, claim(4), late * 2)).toEqual({
      kind: 'settling',
      behind: { revision: 4, since: late * 2 },
    });
    expect(judge(feed, { snapshot, behind }, claim(3), late + 100)).toEqual({ kind: 'settling', behind });
    expect(judge(feed, { snapshot, behind }, claim(3), late * 2)).toEqual({ kind: 'repair', why: 'behind' });
  });

  test('before any snapshot was sent says nothing', () => {
    expect(judge(feed, { snapshot: null, behind: null }, claim(5, 'x'), late).kind).toBe('settling');
  });
});
