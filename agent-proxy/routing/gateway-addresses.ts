/**
 * An address set in which each endpoint has the address of the gateway in its subnet. Two sets change here: that of the
 * endpoints, of which each patch is passed on as one, and that of the gateways, which changes all.
 */
import type { Endpoint } from '../control/contract.ts';
import type { Unsubscribe } from './activity.ts';
import { MappedAddresses } from './mapped-addresses.ts';
import type { AddressChange, AddressSet, AddressState } from './names.ts';
import { subnetOf } from './subnet.ts';

export class GatewayAddresses implements AddressSet {
  private readonly gateways: AddressSet;
  private readonly bits: number;
  private readonly mapped: MappedAddresses;
  /** The gateway of each subnet; null when it has to be made anew. */
  private bySubnet: ReadonlyMap<string, Endpoint> | null = null;

  constructor(source: AddressSet, gateways: AddressSet, bits: number) {
    this.gateways = gateways;
    this.bits = bits;
    const observeGateways = (changed: () => void): Unsubscribe =>
      gateways.observe(() => {
        this.bySubnet = null;
        changed();
      });
    this.mapped = new MappedAddresses(source, (endpoint) => this.throughGateway(endpoint), observeGateways);
  }

  get state(): AddressState {
    const { state } = this.gateways;
    if (state.kind === 'pending' || state.kind === 'failed') return state;
    // Nobody may have observed the gateways since the index was made.
    this.bySubnet = null;
    return this.mapped.state;
  }

  observe(listener: (change: AddressChange) => void): Unsubscribe {
    this.bySubnet = null;
    return this.mapped.observe(listener);
  }

  private throughGateway(endpoint: Endpoint): Endpoint | null {
    this.bySubnet ??= this.index();
    const gateway = this.bySubnet.get(subnetOf(endpoint.address, this.bits) ?? '');
    return gateway === undefined ? null : { ...endpoint, address: gateway.address, port: gateway.port };
  }

  private index(): ReadonlyMap<string, Endpoint> {
    const { state } = this.gateways;
    const bySubnet = new Map<string, Endpoint>();
    if (state.kind !== 'bound') return bySubnet;
    for (const gateway of state.endpoints) {
      const subnet = subnetOf(gateway.address, this.bits);
      if (subnet !== null && !bySubnet.has(subnet)) bySubnet.set(subnet, gateway);
    }
    return bySubnet;
  }
}
