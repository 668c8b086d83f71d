/**
 * An address set seen through a function that changes or drops single endpoints. A patch of a few endpoints stays a
 * patch of a few endpoints.
 */
import type { Endpoint } from '../control/contract.ts';
import type { Unsubscribe } from './activity.ts';
import type { AddressChange, AddressSet, AddressState } from './names.ts';

/** The endpoint as it is to be seen, with the instance that it had; null to drop it. */
export type EndpointMap = (endpoint: Endpoint) => Endpoint | null;

type ObserveMap = (changed: () => void) => Unsubscribe;
type Listener = (change: AddressChange) => void;

export class MappedAddresses implements AddressSet {
  private readonly source: AddressSet;
  private readonly map: EndpointMap;
  private readonly listeners = new Set<Listener>();
  /** The instances that are left, while somebody observes. */
  private readonly kept = new Set<string>();
  private readonly observeMap: ObserveMap | null;
  private stops: readonly Unsubscribe[] = [];

  /** `observeMap` is for a map that changes by itself: then every endpoint may be another one. */
  constructor(source: AddressSet, map: EndpointMap, observeMap: ObserveMap | null = null) {
    this.source = source;
    this.map = map;
    this.observeMap = observeMap;
  }

  /** Where no endpoint is left, there is no such thing (linkerd's rule for filters). */
  get state(): AddressState {
    const { state } = this.source;
    if (state.kind !== 'bound') return state;
    const endpoints: Endpoint[] = [];
    for (const endpoint of state.endpoints) {
      const mapped = this.map(endpoint);
      if (mapped !== null) endpoints.push(mapped);
    }
    if (endpoints.length > 0) return { kind: 'bound', endpoints };
    const all = state.endpoints.length;
    if (all === 0) return { kind: 'neg' };
    return {
      kind: 'neg',
      reason: `${all} instances are known, and none has the port or is on the node that is asked for`,
    };
  }

  observe(listener: Listener): Unsubscribe {
    const own: Listener = (change) => listener(change);
    this.listeners.add(own);
    if (this.listeners.size === 1) {
      const stopSource = this.source.observe((change) => this.follow(change));
      const stopMap = this.observeMap?.(() => this.reset());
      this.stops = stopMap === undefined ? [stopSource] : [stopSource, stopMap];
      this.countAnew();
    }
    return () => {
      if (!this.listeners.delete(own) || this.listeners.size > 0) return;
      for (const stop of this.stops) stop();
      this.stops = [];
      this.kept.clear();
    };
  }

  private follow(change: AddressChange): void {
    if (change.kind === 'patch') this.patch(change.set, change.unset);
    else this.reset();
  }

  private reset(): void {
    this.countAnew();
    this.tell({ kind: 'reset' });
  }

  private patch(changed: readonly Endpoint[], gone: readonly string[]): void {
    const before = this.kept.size;
    const set: Endpoint[] = [];
    const unset = gone.filter((instance) => this.kept.delete(instance));
    for (const endpoint of changed) {
      const mapped = this.map(endpoint);
      if (mapped !== null) {
        this.kept.add(mapped.instance);
        set.push(mapped);
      } else if (this.kept.delete(endpoint.instance)) {
        unset.push(endpoint.instance);
      }
    }
    const size = this.kept.size;
    if (set.length === 0 && unset.length === 0) return;
    // From none to some or back is another kind of state, and no patch.
    this.tell(before === 0 || size === 0 ? { kind: 'reset' } : { kind: 'patch', set, unset, size });
  }

  private countAnew(): void {
    this.kept.clear();
    const { state } = this.source;
    if (state.kind !== 'bound') return;
    for (const endpoint of state.endpoints) if (this.map(endpoint) !== null) this.kept.add(endpoint.instance);
  }

  private tell(change: AddressChange): void {
    for (const listener of [...this.listeners]) listener(change);
  }
}
