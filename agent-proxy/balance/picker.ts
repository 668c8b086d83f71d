/**
 * Balancer and picker: the balancer digests changes of the table, and requests see a picker, which answers at once and
 * allocates nothing. Everything is synchronous, so a picker is changed in place, and one instance in thousands that comes
 * or goes costs no rebuilding of the others.
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

export interface Picker {
  /**
   * An instance that is open and that this request has not tried; null where there is none. Where most of the instances
   * are out of use, their state is ignored: an attempt in vain costs little, an outage by ejection a lot.
   */
  pick(tried: readonly Instance[], now: number): Instance | null;
}

/** A picker as the balancer sees it. */
export interface Algorithm extends Picker {
  add(instance: Instance): void;
  remove(instance: Instance): void;
  /** The weight of one of its instances may be another. */
  reweigh(instance: Instance): void;
}
