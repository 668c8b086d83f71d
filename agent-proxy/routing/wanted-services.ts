/** The services whose addresses somebody follows: in the scope `bound` their endpoints are asked for. */
import type { Unsubscribe } from './activity.ts';

export class WantedServices {
  /** By service: how many follow it. */
  private readonly counts = new Map<string, number>();
  private readonly listeners = new Set<(service: string, isWanted: boolean) => void>();

  get size(): number {
    return this.counts.size;
  }

  names(): IterableIterator<string> {
    return this.counts.keys();
  }

  /** Returns how to want it no more. */
  add(service: string): Unsubscribe {
    this.count(service, 1);
    let over = false;
    return () => {
      if (!over) this.count(service, -1);
      over = true;
    };
  }

  /** The listener hears when a service becomes wanted, or is not any more. */
  onChange(listener: (service: string, isWanted: boolean) => void): Unsubscribe {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private count(service: string, more: 1 | -1): void {
    const before = this.counts.get(service) ?? 0;
    const after = before + more;
    if (after === 0) this.counts.delete(service);
    else this.counts.set(service, after);
    if (before > 0 && after > 0) return;
    for (const listener of this.listeners) listener(service, after > 0);
  }
}
