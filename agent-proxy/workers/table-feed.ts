/**
 * What one worker that follows is still to be told of the table, in order, and few frames at a time: the next goes when one
 * was taken. One that falls behind, or finds a gap, gets the whole table instead of what it missed. Pure.
 */
import type { WorkerFrame } from '../routing/service-table.ts';

/** Frames on their way. */
const WINDOW = 2;
/** Changes that wait; beyond that the whole table is less work. */
const MOST_WAITING = 200;

export class TableFeed {
  private readonly snapshot: () => Iterator<WorkerFrame>;
  private running: Iterator<WorkerFrame> | null = null;
  private readonly waiting: WorkerFrame[] = [];
  private onTheWay = 0;
  /** Nothing is sent to a worker that has not said what it has. */
  private isJoined = false;
  private wantsAll = false;

  /** `snapshot` gives the frames of the table as it is when it is called. */
  constructor(snapshot: () => Iterator<WorkerFrame>) {
    this.snapshot = snapshot;
  }

  /** The worker has just begun, or its leader has. */
  join(isUpToDate: boolean): void {
    this.isJoined = true;
    this.onTheWay = 0;
    this.running = null;
    this.waiting.length = 0;
    this.wantsAll = !isUpToDate;
  }

  /** The table has changed by this frame. */
  changed(delta: WorkerFrame): void {
    if (!this.isJoined || this.wantsAll) return;
    this.waiting.push(delta);
    if (this.waiting.length > MOST_WAITING) this.replaced();
  }

  /** The table is another one. */
  replaced(): void {
    this.wantsAll = true;
    this.waiting.length = 0;
  }

  took(isGap: boolean): void {
    this.onTheWay = Math.max(0, this.onTheWay - 1);
    if (!isGap) return;
    this.running = null;
    this.replaced();
  }

  /** The frame to be sent now, or null: there is none, or those on their way have to be taken first. */
  next(): WorkerFrame | null {
    if (!this.isJoined || this.onTheWay >= WINDOW) return null;
    const frame = this.following();
    if (frame !== null) this.onTheWay += 1;
    return frame;
  }

  private following(): WorkerFrame | null {
    // One that was begun is not worth its end any more.
    if (this.wantsAll) {
      this.wantsAll = false;
      this.running = this.snapshot();
    }
    if (this.running !== null) {
      const { done, value } = this.running.next();
      if (done !== true) return value;
      this.running = null;
    }
    return this.waiting.shift() ?? null;
  }
}
