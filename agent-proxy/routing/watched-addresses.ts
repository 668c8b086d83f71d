/** Address sets as activities, so that a computation can look at them: the same set is the same activity. */
import type { Activity, ActivityState } from './activity.ts';
import type { AddressSet, AddressState } from './names.ts';
import type { Watch } from './recomputed.ts';

export class WatchedAddresses {
  private readonly known = new WeakMap<AddressSet, Activity<AddressState>>();

  /** What the set is now; the computation goes again when that changes. */
  read(watch: Watch, set: AddressSet): AddressState {
    const activity = this.known.get(set) ?? activityOf(set);
    this.known.set(set, activity);
    const state = watch(activity);
    return state.kind === 'ok' ? state.value : { kind: 'pending' };
  }
}

function activityOf(set: AddressSet): Activity<AddressState> {
  return {
    get state(): ActivityState<AddressState> {
      return { kind: 'ok', value: set.state };
    },
    observe: (listener) => set.observe(() => listener()),
  };
}
