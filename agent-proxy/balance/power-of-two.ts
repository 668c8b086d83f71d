/**
 * The power of two choices (Mitzenmacher): two instances are drawn at random, and the better one gets the request. What
 * "better" is, the algorithms say that are made of this one. Heavier instances are drawn more often.
 */
import type { Instance } from './instance.ts';
import type { Algorithm } from './picker.ts';
import { Rotation } from './rotation.ts';
import type { Siblings } from './siblings.ts';

export abstract class PowerOfTwo extends Rotation implements Algorithm {
  protected readonly siblings: Siblings;
  private readonly maxEffort: number;

  constructor(siblings: Siblings, maxEffort: number) {
    super(siblings.random);
    this.siblings = siblings;
    this.maxEffort = maxEffort;
  }

  pick(tried: readonly Instance[], now: number): Instance | null {
    const count = this.width();
    if (tried.length === 0 && count > 1) {
      // The usual case: two draws, both open.
      const a = this.draw(count);
      if (a === null) return null;
      const b = this.drawOther(a.slot, count);
      if (b !== null && a.isAvailable(now) && b.isAvailable(now)) return this.prefers(b, a, now) ? b : a;
    }
    return this.pickCarefully(tried, now);
  }

  /** Whether `b` gets the request, which was drawn after `a`. */
  protected abstract prefers(b: Instance, a: Instance, now: number): boolean;

  /** Draws are made among the first so many. */
  protected width(): number {
    return this.instances.length;
  }

  /** An instance was drawn that is out of use. */
  protected unavailable(_instance: Instance): void {
    // Where all are drawn from, there is nobody to take its place.
  }

  private pickCarefully(tried: readonly Instance[], now: number): Instance | null {
    for (let effort = 0; effort < this.maxEffort; effort += 1) {
      const count = this.width();
      const first = count === 0 ? null : this.draw(count);
      if (first === null) return null;
      const second = count === 1 ? null : this.drawOther(first.slot, count);
      const a = this.usable(first, tried, now);
      const b = this.usable(second, tried, now);
      if (a !== null && b !== null) return this.prefers(b, a, now) ? b : a;
      if (a !== null || b !== null) return a ?? b;
    }
    const found = this.scan(tried, now);
    if (found !== null) this.siblings.figures.failedOpen += Number(!found.isAvailable(now));
    return found;
  }

  private usable(instance: Instance | null, tried: readonly Instance[], now: number): Instance | null {
    if (instance === null || tried.includes(instance)) return null;
    if (instance.isAvailable(now)) return instance;
    this.unavailable(instance);
    return null;
  }

  /**
   * The first that will do, from a random one on. That is not far: at least half are open, or any will do that was not
   * tried.
   */
  private scan(tried: readonly Instance[], now: number): Instance | null {
    const { instances } = this;
    const count = instances.length;
    const isPanic = this.siblings.isPanic();
    const from = Math.floor(this.siblings.random() * count);
    for (let step = 0; step < count; step += 1) {
      const instance = instances[(from + step) % count];
      if (instance !== undefined && (isPanic || instance.isAvailable(now)) && !tried.includes(instance))
        return instance;
    }
    return null;
  }
}
