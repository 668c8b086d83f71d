/**
 * How long a session can be relied upon, by our own clock. ZooKeeper ends a session when it has heard nothing of it for
 * the session's timeout, and a client that is cut off is not told. So the time is counted here, from an instant that
 * cannot be too late: when the last message that was answered left us. The server had it at that instant or later.
 *
 * Pure: instants (milliseconds of a monotonic clock) come in, and what is due comes out.
 */

/** A probe is sent each third of the timeout, and has as long for its answer: the last third is for another server. */
const PROBES_IN_TIMEOUT = 3;
/** We are done this part of the timeout before a server could be, so that whoever is told can still stop in time. */
const MARGIN = 1 / 10;
/**
 * A follower hands its clients' signs of life to the leader with the leader's next ping, twice in a tick
 * (LearnerHandler.ping), and no session is shorter than two ticks.
 */
const HAND_OVER = 1 / 4;

export type Due =
  | 'nothing'
  /** Send a ping, and say so with `probed`. */
  | 'probe'
  /** The last probe has had no answer in its time: this connection is dead, whatever TCP says. */
  | 'drop'
  /** A server may end the session soon, or has done so: it is over for us. Final. */
  | 'lost';

export class SessionClock {
  readonly timeoutMs: number;
  /** When what was answered had been sent, over this connection, oldest first; the first is the handshake. */
  #signs: number[];
  #probe: { readonly sentAt: number; readonly open: boolean } | null = null;
  #connected = true;
  #safeUntil: number;

  /** A session that was made by a handshake sent at `sentAt`. `timeoutMs` is the one that the server granted. */
  constructor(timeoutMs: number, sentAt: number) {
    this.timeoutMs = timeoutMs;
    this.#signs = [sentAt];
    this.#safeUntil = sentAt + timeoutMs * (1 - MARGIN);
  }

  /** Until then no server ends the session for our silence. */
  get safeUntil(): number {
    return this.#safeUntil;
  }

  /** The session goes on over another connection, whose handshake was sent at `sentAt`. */
  attached(sentAt: number): void {
    this.#connected = true;
    this.#probe = null;
    this.#signs = [sentAt];
    this.#extend(sentAt);
  }

  /** What was sent at `sentAt` has been answered. */
  answered(sentAt: number): void {
    this.#extend(sentAt);
    const [first = sentAt, ...later] = this.#signs;
    // Of older signs only the last one before the hand-over is ever asked for, and the handshake.
    const recent = later.filter((sign) => sign > sentAt - this.timeoutMs);
    const newest = recent.at(-1) ?? first;
    this.#signs = sentAt - newest >= this.timeoutMs / 64 ? [first, ...recent, sentAt] : [first, ...recent];
  }

  probed(sentAt: number): void {
    this.#probe = { sentAt, open: true };
  }

  probeAnswered(): void {
    if (this.#probe === null) return;
    this.answered(this.#probe.sentAt);
    this.#probe = { ...this.#probe, open: false };
  }

  disconnected(): void {
    this.#connected = false;
    this.#probe = null;
  }

  due(now: number): Due {
    if (now >= this.#safeUntil) return 'lost';
    if (!this.#connected || now < this.#nextProbeOrDrop()) return 'nothing';
    return this.#probe?.open === true ? 'drop' : 'probe';
  }

  /** When `due` may answer something else. */
  wakeAt(): number {
    return this.#connected ? Math.min(this.#safeUntil, this.#nextProbeOrDrop()) : this.#safeUntil;
  }

  /**
   * Until when the session lives by the word of the ensemble, given that a write sent at `sentAt` was carried out.
   *
   * A follower that has lost its leader goes on answering pings for a while (syncLimit), and the rest of the ensemble can
   * end the session meanwhile; so a ping's answer is good enough to go on reading, and not to lead. A write is carried
   * out by the leader and a majority, and what its follower had heard of us one hand-over before has come there first,
   * over the same connection. A handshake is asked of the leader itself (revalidation), so it counts at once.
   */
  provenUntil(sentAt: number): number {
    const handedOver = this.#signs.findLast((sign) => sign <= sentAt - this.timeoutMs * HAND_OVER);
    const sign = handedOver ?? this.#signs[0] ?? sentAt;
    return Math.min(sign, sentAt) + this.timeoutMs * (1 - MARGIN);
  }

  /** How often whoever leads should write, so that half of the timeout is proven at any time. */
  get proofEveryMs(): number {
    return (this.timeoutMs * HAND_OVER) / 2;
  }

  #nextProbeOrDrop(): number {
    return (this.#probe?.sentAt ?? this.#signs[0] ?? 0) + this.timeoutMs / PROBES_IN_TIMEOUT;
  }

  #extend(sentAt: number): void {
    this.#safeUntil = Math.max(this.#safeUntil, sentAt + this.timeoutMs * (1 - MARGIN));
  }
}
