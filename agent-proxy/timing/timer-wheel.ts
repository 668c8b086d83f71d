/**
 * A coarse timer wheel: thousands of timeouts, armed and disarmed with every request, for one timer of Node's. A timeout
 * fires up to one tick late, never early. The wheel does not know what time it is; whoever drives it does.
 *
 * Arming for a later time, and disarming, only change a number: what stands in a slot stays there until the slot's turn
 * comes, and is looked at then. So a connection whose idle time begins anew with each request moves once in a turn of the
 * wheel, and not twice with each request.
 */

/** Milliseconds a tick: timeouts of the data path are hundreds of milliseconds and more. */
export const TICK_MS = 20;
/** Ticks a turn of the wheel (10 s). What is due later is looked at once a turn. */
const SLOTS = 512;

/** Something that can time out. A class that extends it carries its own links, so arming allocates nothing. */
export abstract class Timed {
  /**
   * When it times out, in ticks; 0 while it is not armed. Small whole numbers stand in the object itself, where milliseconds
   * with their fractions would be one more place in memory for each of thousands of connections.
   */
  dueAt = 0;
  /** When the wheel looks at it next, in ticks; 0 while it stands in no slot. */
  lookAt = 0;
  previousTimed: Timed | null = null;
  nextTimed: Timed | null = null;

  /** Its deadline has passed; it is not armed any more. */
  abstract timedOut(now: number): void;
}

/** A list of its own, empty at first. */
class Head extends Timed {
  constructor() {
    super();
    this.previousTimed = this;
    this.nextTimed = this;
  }

  override timedOut(): void {
    // The head of a slot's list is never armed.
  }
}

export class TimerWheel {
  private readonly slots: readonly Head[];
  private readonly due = new Head();
  /** The tick that was turned last. */
  private tick: number;
  /** When that was, milliseconds: good enough for what is measured in seconds, and free. */
  time: number;

  constructor(now: number) {
    this.slots = Array.from({ length: SLOTS }, () => new Head());
    this.tick = Math.floor(now / TICK_MS);
    this.time = now;
  }

  /** Times out at `deadline`; an earlier arming is void. */
  arm(timed: Timed, deadline: number): void {
    const due = this.tickOf(deadline);
    // There is no end to what is infinitely far.
    timed.dueAt = due === Number.POSITIVE_INFINITY ? 0 : due;
    if (timed.lookAt !== 0) {
      if (timed.lookAt <= due) return;
      unlink(timed);
    }
    this.link(timed, due);
  }

  /** Times out `ms` from now, give or take a tick. */
  armIn(timed: Timed, ms: number): void {
    this.arm(timed, this.time + ms);
  }

  /** It may be armed again soon: until its turn comes the wheel still knows it. */
  disarm(timed: Timed): void {
    timed.dueAt = 0;
  }

  /** It will not be armed again: the wheel lets go of it. */
  forget(timed: Timed): void {
    timed.dueAt = 0;
    if (timed.lookAt !== 0) unlink(timed);
  }

  /** Fires all that is due. Called about once a tick; a late call catches up. */
  turn(now: number): void {
    this.time = now;
    const target = Math.floor(now / TICK_MS);
    // After a long pause every slot is looked at once.
    const first = Math.max(this.tick + 1, target - SLOTS + 1);
    this.tick = target;
    for (let tick = first; tick <= target; tick += 1) this.lookInto(this.slots[tick % SLOTS], now);
  }

  /** What is due leaves the slot first: what it does may arm and disarm any other, also one that is due with it. */
  private lookInto(head: Head | undefined, now: number): void {
    if (head === undefined) return;
    const { due } = this;
    // What is due in another turn may get a place behind it, in this very slot.
    const last = head.previousTimed;
    let timed = head.nextTimed;
    while (timed !== null && timed !== head) {
      const next: Timed | null = timed === last ? null : timed.nextTimed;
      unlink(timed);
      if (timed.dueAt > this.tick) this.link(timed, timed.dueAt);
      else if (timed.dueAt !== 0) append(due, timed, this.tick);
      timed = next;
    }
    for (timed = due.nextTimed; timed !== null && timed !== due; timed = due.nextTimed) this.fire(timed, now);
  }

  private fire(timed: Timed, now: number): void {
    unlink(timed);
    const { dueAt } = timed;
    // One that fired just before it may have disarmed it, or armed it for another time.
    if (dueAt === 0) return;
    if (dueAt > this.tick) {
      this.link(timed, dueAt);
      return;
    }
    timed.dueAt = 0;
    timed.timedOut(now);
  }

  /** What has passed is due with the next turn. */
  private tickOf(deadline: number): number {
    return Math.max(Math.ceil(deadline / TICK_MS), this.tick + 1);
  }

  private link(timed: Timed, due: number): void {
    // There is no slot for what is infinitely far.
    if (due === Number.POSITIVE_INFINITY) return;
    const lookAt = Math.min(due, this.tick + SLOTS - 1);
    const head = this.slots[lookAt % SLOTS];
    if (head !== undefined) append(head, timed, lookAt);
  }
}

function append(head: Head, timed: Timed, lookAt: number): void {
  const last = head.previousTimed ?? head;
  timed.lookAt = lookAt;
  timed.previousTimed = last;
  timed.nextTimed = head;
  last.nextTimed = timed;
  head.previousTimed = timed;
}

function unlink(timed: Timed): void {
  if (timed.previousTimed !== null) timed.previousTimed.nextTimed = timed.nextTimed;
  if (timed.nextTimed !== null) timed.nextTimed.previousTimed = timed.previousTimed;
  timed.lookAt = 0;
  timed.previousTimed = null;
  timed.nextTimed = null;
}
