/**
 * Picks among instances that are ready, and only where none of them works among those of which Mesos has lost sight: these
 * may be well behind a network that fails, or gone. One of the reserve gets requests as long as it works; it is never
 * the one that is tried in spite of everything.
 */
import type { Instance } from './instance.ts';
import type { Picker } from './picker.ts';

export class WithReserve implements Picker {
  private readonly ready: Picker;
  private readonly reserve: Picker;

  constructor(ready: Picker, reserve: Picker) {
    this.ready = ready;
    this.reserve = reserve;
  }

  pick(tried: readonly Instance[], now: number): Instance | null {
    const first = this.ready.pick(tried, now);
    if (first?.isAvailable(now) === true) return first;
    const second = this.reserve.pick(tried, now);
    return second?.isAvailable(now) === true ? second : first;
  }
}
