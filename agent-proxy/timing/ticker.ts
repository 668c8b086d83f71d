/** Drives the timer wheel, and tells how late the event loop is: the one timer of the data path. */
import { TICK_MS, TimerWheel } from './timer-wheel.ts';

interface Repeated {
  readonly everyMs: number;
  readonly act: () => void;
  next: number;
}

export class Ticker {
  readonly wheel: TimerWheel;
  private readonly now: () => number;
  private readonly repeated: Repeated[] = [];
  private readonly listeners: ((lateMs: number) => void)[] = [];
  private timer: NodeJS.Timeout | null = null;
  private expected = 0;
  private worst = 0;

  constructor(now: () => number) {
    this.now = now;
    this.wheel = new TimerWheel(now());
  }

  /** Calls back about every `everyMs`, for as long as the ticker runs. */
  every(everyMs: number, act: () => void): void {
    this.repeated.push({ everyMs, act, next: this.now() + everyMs });
  }

  /** The listener hears with each tick by how many milliseconds it was late. */
  onTick(listener: (lateMs: number) => void): void {
    this.listeners.push(listener);
  }

  /** The longest delay since it was asked for last, milliseconds. */
  worstDelay(): number {
    const { worst } = this;
    this.worst = 0;
    return worst;
  }

  start(): void {
    if (this.timer !== null) return;
    this.expected = this.now() + TICK_MS;
    this.timer = setInterval(() => this.tick(), TICK_MS);
  }

  stop(): void {
    if (this.timer !== null) clearInterval(this.timer);
    this.timer = null;
  }

  private tick(): void {
    const now = this.now();
    const late = Math.max(0, now - this.expected);
    this.expected = now + TICK_MS;
    if (late > this.worst) this.worst = late;
    this.wheel.turn(now);
    for (const listener of this.listeners) listener(late);
    for (const one of this.repeated) {
      if (now < one.next) continue;
      one.next = now + one.everyMs;
      one.act();
    }
  }
}
