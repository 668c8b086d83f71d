/**
 * A picker is a frozen view of a service's instances that answers at once which of them gets a request: the less loaded
 * of two drawn at random (Mitzenmacher's power of two choices), among those that are not ejected and that this request
 * has not tried.
 */
import type { ReasonCode } from '../control/reason-codes.ts';
import type { Instance } from './instance.ts';

/** Why something was refused: its code, and for people what was looked at. */
export interface Refusal {
  readonly code: ReasonCode;
  readonly detail: string;
  /** What the client should do instead, where that can be guessed. */
  readonly hint?: string;
}

export type Pick =
  | { readonly kind: 'instance'; readonly instance: Instance }
  | { readonly kind: 'none'; readonly refusal: Refusal };

export class Picker {
  private readonly instances: readonly Instance[];
  private readonly empty: Refusal;
  private readonly random: () => number;

  /** `empty` is the answer where there is no instance at all. */
  constructor(instances: readonly Instance[], empty: Refusal, random: () => number) {
    this.instances = instances;
    this.empty = empty;
    this.random = random;
  }

  pick(tried: readonly Instance[], now: number): Pick {
    const { instances } = this;
    const count = instances.length;
    if (count === 0) return { kind: 'none', refusal: this.empty };
    if (count > 1 && tried.length === 0) {
      // The usual case: two draws, both good, nothing allocated but the answer.
      const first = Math.floor(this.random() * count);
      const a = instances[first];
      const b = instances[(first + 1 + Math.floor(this.random() * (count - 1))) % count];
      if (a !== undefined && b !== undefined && !a.isEjected(now) && !b.isEjected(now)) {
        return { kind: 'instance', instance: a.load() <= b.load() ? a : b };
      }
    }
    return this.pickCarefully(tried, now);
  }

  private pickCarefully(tried: readonly Instance[], now: number): Pick {
    const untried = this.instances.filter((instance) => !tried.includes(instance));
    const available = untried.filter((instance) => !instance.isEjected(now));
    // If all are ejected, one of them is tried: a refused connection costs little, an outage by ejection a lot.
    const candidates = available.length > 0 ? available : untried;
    const count = candidates.length;
    const first = Math.floor(this.random() * count);
    const a = candidates[first];
    if (a === undefined) {
      const detail = `all ${this.instances.length} instances were tried`;
      return { kind: 'none', refusal: { code: 'breaker', detail } };
    }
    const b = count === 1 ? a : candidates[(first + 1 + Math.floor(this.random() * (count - 1))) % count];
    return { kind: 'instance', instance: b === undefined || a.load() <= b.load() ? a : b };
  }
}
