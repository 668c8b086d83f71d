/** An address that is no task's, as an endpoint. */
import type { Endpoint } from '../control/contract.ts';

/** `service` is the name that it is listed under. The instance is `address:port`, and there is no agent. */
export function plainEndpoint(service: string, address: string, port: number, weight = 1): Endpoint {
  return {
    service,
    instance: `${address}:${port}`,
    address,
    port,
    ports: [],
    agentId: '-',
    agentAddress: address,
    weight,
    state: 'ready',
    labels: {},
  };
}
