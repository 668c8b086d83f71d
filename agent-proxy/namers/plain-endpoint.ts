/** An address that is no task's, as an endpoint. */
import type { Endpoint } from '../control/contract.ts';

const NO_PORTS: Endpoint['ports'] = [];
const NO_LABELS: Endpoint['labels'] = {};

/** `service` is the name that it is listed under. The instance is `address:port`, and there is no agent. */
export function plainEndpoint(service: string, address: string, port: number, weight = 1): Endpoint {
  return {
    service,
    // In one piece: a text put together in a template keeps its parts.
    instance: [address, port].join(':'),
    address,
    port,
    ports: NO_PORTS,
    agentId: '-',
    agentAddress: address,
    weight,
    state: 'ready',
    startedAt: null,
    labels: NO_LABELS,
  };
}
