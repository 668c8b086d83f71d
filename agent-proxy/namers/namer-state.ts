/** What a namer knows, as plain JSON for people. */
import type { AddressState } from '../routing/names.ts';

export interface AddressesState {
  readonly state: AddressState['kind'];
  readonly addresses?: readonly string[];
  readonly failure?: string;
}

export function describeAddresses(state: AddressState): AddressesState {
  switch (state.kind) {
    case 'bound':
      return { state: state.kind, addresses: state.endpoints.map(({ address, port }) => `${address}:${port}`) };
    case 'failed':
      return { state: state.kind, failure: state.reason };
    default:
      return { state: state.kind };
  }
}
