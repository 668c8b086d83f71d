/**
 * Slow start: the weight of an instance grows from a tenth to all of it over a time after its start, so that what has to
 * warm up first (caches, a compiler) is not met by its full share. Weights change now and then, never for a request.
 */
import type { Instance } from './instance.ts';

/** An instance without any requests would not warm up. */
const LEAST_SHARE = 0.1;

export class SlowStart {
  private readonly overMs: number;
  private readonly wallClock: () => number;
  /** Instances whose weight still grows, and when they began, milliseconds since the epoch. */
  private readonly young = new Map<Instance, number>();
  /** When those were seen first that began in the future. */
  private readonly ahead = new WeakMap<Instance, number>();

  constructor(overMs: number, wallClock: () => number) {
    this.overMs = overMs;
    this.wallClock = wallClock;
  }

  /** An instance comes, or the table says something new of it. Its weight is right afterwards. */
  take(instance: Instance): void {
    const { startedAt } = instance.endpoint;
    if (startedAt === null) return;
    const now = this.wallClock();
    // Of what is here it is certain that it began: an agent's clock may be ahead of ours.
    if (startedAt > now && !this.ahead.has(instance)) this.ahead.set(instance, now);
    const since = this.ahead.get(instance) ?? startedAt;
    if (now - since < this.overMs) this.young.set(instance, since);
    else this.young.delete(instance);
    this.weigh(instance, since, now);
  }

  forget(instance: Instance): void {
    this.young.delete(instance);
  }

  /** Gives all that are young the weight of now; `changed` hears of each. */
  advance(changed: (instance: Instance) => void): void {
    if (this.young.size === 0) return;
    const now = this.wallClock();
    for (const [instance, since] of this.young) {
      this.weigh(instance, since, now);
      if (now - since >= this.overMs) this.young.delete(instance);
      changed(instance);
    }
  }

  private weigh(instance: Instance, since: number, now: number): void {
    const share = Math.min(1, Math.max(LEAST_SHARE, (now - since) / this.overMs));
    instance.weight = share * instance.endpoint.weight;
  }
}
