/**
 * A set of addresses that its owner sets: tells observers what is different, not everything anew, so that balancers keep
 * what they know of the endpoints that stay.
 */
import type { Endpoint } from '../control/contract.ts';
import type { Unsubscribe } from '../routing/activity.ts';
import { Listeners } from '../routing/listeners.ts';
import type { AddressChange, AddressSet, AddressState } from '../routing/names.ts';

const RESET: AddressChange = { kind: 'reset' };

export class AddressVar implements AddressSet {
  private current: AddressState = { kind: 'pending' };
  private readonly listeners = new Listeners<AddressChange>();
  private readonly whenObserved: (() => Unsubscribe) | null;
  private stop: Unsubscribe | null = null;

  /** `whenObserved` is called for the first observer, and must not set anything before it returns. */
  constructor(whenObserved: (() => Unsubscribe) | null = null) {
    this.whenObserved = whenObserved;
  }

  get state(): AddressState {
    return this.current;
  }

  get isObserved(): boolean {
    return !this.listeners.isEmpty;
  }

  /** These endpoints and no others. Nobody hears of it when they are the same as before. */
  bound(endpoints: readonly Endpoint[]): void {
    const before = this.current;
    if (before.kind !== 'bound') {
      this.change({ kind: 'bound', endpoints }, RESET);
      return;
    }
    const { set, unset } = difference(before.endpoints, endpoints);
    if (set.length === 0 && unset.length === 0) return;
    this.change({ kind: 'bound', endpoints }, { kind: 'patch', set, unset, size: endpoints.length });
  }

  neg(reason?: string): void {
    if (this.current.kind !== 'neg') this.change({ kind: 'neg', ...(reason !== undefined && { reason }) }, RESET);
  }

  /** Ignored where something was known before: the last good set is kept. */
  failed(reason: string): void {
    const before = this.current;
    if (before.kind === 'bound' || before.kind === 'neg') return;
    if (before.kind === 'failed' && before.reason === reason) return;
    this.change({ kind: 'failed', reason }, RESET);
  }

  observe(listener: (change: AddressChange) => void): Unsubscribe {
    const isFirst = this.listeners.isEmpty;
    const remove = this.listeners.add(listener);
    if (isFirst && this.whenObserved !== null) this.stop = this.whenObserved();
    return () => {
      if (!remove() || !this.listeners.isEmpty) return;
      const { stop } = this;
      this.stop = null;
      stop?.();
    };
  }

  private change(state: AddressState, change: AddressChange): void {
    this.current = state;
    this.listeners.tell(change);
  }
}

/** Endpoints that are new or different, and instances that are gone. */
function difference(
  before: readonly Endpoint[],
  after: readonly Endpoint[],
): { readonly set: Endpoint[]; readonly unset: string[] } {
  const known = new Map(before.map((endpoint) => [endpoint.instance, endpoint]));
  const set: Endpoint[] = [];
  for (const endpoint of after) {
    const old = known.get(endpoint.instance);
    known.delete(endpoint.instance);
    if (old === undefined || !same(old, endpoint)) set.push(endpoint);
  }
  return { set, unset: [...known.keys()] };
}

function same(a: Endpoint, b: Endpoint): boolean {
  if (a === b) return true;
  // A thousand files may change at once, and what changes is mostly one of these.
  const isPlainlyOther = a.weight !== b.weight || a.state !== b.state || a.address !== b.address || a.port !== b.port;
  return !isPlainlyOther && JSON.stringify(a) === JSON.stringify(b);
}
