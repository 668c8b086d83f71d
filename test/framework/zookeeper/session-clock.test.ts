/** The session's clock, in virtual time: a session of 9 s, probed each 3 s, with a margin of 0.9 s. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SessionClock } from '../../../framework/zookeeper/session-clock.ts';

const TIMEOUT = 9000;

describe('the session clock', () => {
  it('counts from when the handshake was sent', () => {
    const clock = new SessionClock(TIMEOUT, 1000);
    expect(clock.safeUntil).toBe(1000 + 8100);
    expect(clock.due(1000)).toBe('nothing');
    expect(clock.wakeAt()).toBe(4000);
  });

  it('probes each third, and drops a connection whose probe is not answered within a third', () => {
    const clock = new SessionClock(TIMEOUT, 0);
    expect(clock.due(2999)).toBe('nothing');
    expect(clock.due(3000)).toBe('probe');
    clock.probed(3000);
    expect(clock.wakeAt()).toBe(6000);
    expect(clock.due(5999)).toBe('nothing');
    clock.probeAnswered();
    expect(clock.safeUntil).toBe(3000 + 8100);
    expect(clock.due(6000)).toBe('probe');
    clock.probed(6000);
    expect(clock.due(9000)).toBe('drop');
    clock.disconnected();
    expect(clock.due(9000)).toBe('nothing');
    expect(clock.wakeAt()).toBe(11_100);
    expect(clock.due(11_100)).toBe('lost');
  });

  it('counts from what was sent and answered, not from when the answer came', () => {
    const clock = new SessionClock(TIMEOUT, 0);
    clock.answered(500);
    clock.disconnected();
    expect(clock.safeUntil).toBe(8600);
    expect(clock.due(8599)).toBe('nothing');
    expect(clock.due(8600)).toBe('lost');
  });

  it('goes on over another connection, from its handshake', () => {
    const clock = new SessionClock(TIMEOUT, 0);
    clock.probed(3000);
    clock.disconnected();
    clock.attached(7000);
    expect(clock.safeUntil).toBe(15_100);
    // The probe of the old connection is forgotten.
    expect(clock.due(9000)).toBe('nothing');
    expect(clock.due(10_000)).toBe('probe');
  });

  it('is lost after a pause of the process, whatever had been due', () => {
    const clock = new SessionClock(TIMEOUT, 0);
    expect(clock.due(60_000)).toBe('lost');
  });

  describe('what a write proves', () => {
    it('is that the sign of life before the last hand-over has come to the leader', () => {
      const clock = new SessionClock(TIMEOUT, 0);
      clock.answered(3000);
      clock.answered(6000);
      // A hand-over (2250 ms) before 6000 lies the sign at 3000.
      expect(clock.provenUntil(6000)).toBe(3000 + 8100);
      expect(clock.provenUntil(8250)).toBe(6000 + 8100);
    });

    it('is at least the handshake of this connection, and nothing of the connections before it', () => {
      const clock = new SessionClock(TIMEOUT, 0);
      clock.answered(3000);
      clock.attached(6000);
      expect(clock.provenUntil(6100)).toBe(6000 + 8100);
    });

    it('is never more than the write itself', () => {
      const clock = new SessionClock(TIMEOUT, 0);
      clock.attached(6000);
      // Sent over the connection before, answered by nobody, asked about now.
      expect(clock.provenUntil(5000)).toBe(5000 + 8100);
    });

    it('keeps half of the timeout ahead when it is repeated as often as it should', () => {
      const clock = new SessionClock(TIMEOUT, 0);
      for (let now = 0; now < 60_000; now += clock.proofEveryMs) {
        clock.answered(now);
        expect(clock.provenUntil(now)).toBeGreaterThanOrEqual(now + clock.proofEveryMs + TIMEOUT / 2);
      }
    });
  });

  it('never says that it is safe beyond what was answered, and never proves more than is safe', () => {
    const happening = fc.record({
      after: fc.integer({ min: 1, max: 4000 }),
      what: fc.constantFrom('answered', 'probed', 'probe-answered', 'disconnected', 'attached'),
    });
    fc.assert(
      fc.property(fc.array(happening, { maxLength: 60 }), (happenings) => {
        const clock = new SessionClock(TIMEOUT, 0);
        let now = 0;
        let lastHeard = 0;
        let probe: number | null = null;
        for (const { after, what } of happenings) {
          now += after;
          const sentAt = now - Math.min(after, 50);
          if (what === 'answered') clock.answered(sentAt);
          if (what === 'attached') clock.attached(sentAt);
          if (what === 'answered' || what === 'attached') lastHeard = sentAt;
          if (what === 'probed') {
            clock.probed(now);
            probe = now;
          }
          if (what === 'probe-answered' && probe !== null) {
            clock.probeAnswered();
            lastHeard = Math.max(lastHeard, probe);
          }
          if (what === 'attached' || what === 'disconnected') probe = null;
          if (what === 'disconnected') clock.disconnected();
          expect(clock.safeUntil).toBe(lastHeard + TIMEOUT * 0.9);
          expect(clock.provenUntil(now)).toBeLessThanOrEqual(clock.safeUntil);
          expect(clock.wakeAt()).toBeLessThanOrEqual(clock.safeUntil);
          // Nobody who sleeps until `wakeAt` misses anything.
          const due = clock.due(now);
          if (now < clock.wakeAt()) expect(due).toBe('nothing');
          else expect(due).not.toBe('nothing');
        }
      }),
    );
  });
});
