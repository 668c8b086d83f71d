/**
 * A coarse timer wheel: thousands of timeouts, armed and disarmed with every request, for one timer of Node's. A timeout
 * fires up to one tick late, never early. The wheel does not know what time it is; whoever drives it does.
 */

/** Milliseconds a tick: timeouts of the data path are hundreds of milliseconds and more. */
export const TICK_MS = 20;
/** Ticks a turn of the wheel (10 s). A later deadline stays in its slot for several turns. */
const SLOTS = 512;

/** Something that can time out. A class that extends it carries its own links, so arming allocates nothing. */
export abstract class Timed {
  /** Milliseconds, or 0 while it is not armed. */
  dueAt = 0;
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
    if (timed.dueAt !== 0) unlink(timed);
    timed.dueAt = deadline;
    this.link(timed);
  }

  /** Times out `ms` from now, give or take a tick. */
  armIn(timed: Timed, ms: number): void {
    this.arm(timed, this.time + ms);
  }

  disarm(timed: Timed): void {
    if (timed.dueAt === 0) return;
    timed.dueAt = 0;
    unlink(timed);
  }

  /** Fires all that is due. Called about once a tick; a late call catches up. */
  turn(now: number): void {
    this.time = now;
    const target = Math.floor(now / TICK_MS);
    // After a long pause every slot is looked at once.
    const first = Math.max(this.tick + 1, target - SLOTS + 1);
    this.tick = target;
    for (let tick = first; tick <= target; tick += 1) this.fire(this.slots[tick % SLOTS], now);
  }

  /** What is due leaves the slot first: what it does may arm and disarm any other, also one that is due with it. */
  private fire(head: Head | undefined, now: number): void {
    const { due } = this;
    let timed = head?.nextTimed ?? null;
    while (timed !== null && timed !== head) {
      const next: Timed | null = timed.nextTimed;
      if (timed.dueAt <= now) {
        unlink(timed);
        append(due, timed);
      }
      timed = next;
    }
    for (timed = due.nextTimed; timed !== null && timed !== due; timed = due.nextTimed) {
      this.disarm(timed);
      timed.timedOut(now);
    }
  }

  private link(timed: Timed): void {
    const due = Math.max(Math.ceil(timed.dueAt / TICK_MS), this.tick + 1);
    const head = this.slots[due % SLOTS];
    // There is no slot for what is infinitely far.
    if (head !== undefined) append(head, timed);
  }
}

function append(head: Head, timed: Timed): void {
  const last = head.previousTimed ?? head;
  timed.previousTimed = last;
  timed.nextTimed = head;
  last.nextTimed = timed;
  head.previousTimed = timed;
}

function unlink(timed: Timed): void {
  if (timed.previousTimed !== null) timed.previousTimed.nextTimed = timed.nextTimed;
  if (timed.nextTimed !== null) timed.nextTimed.previousTimed = timed.previousTimed;
  timed.previousTimed = null;
  timed.nextTimed = null;
}
