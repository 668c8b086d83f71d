/** The ports of a service, as its names need them: those of one of its endpoints, also where the table leaves these out. */
import type { Endpoint } from '../control/contract.ts';
import type { ServiceTable } from './service-table.ts';

interface ServicePorts {
  /** The name of the first one, at which `Host: <service>` arrives; null where it has none. */
  readonly first: string | null;
  readonly ports: readonly { readonly name: string; readonly index?: number | undefined }[];
}

/** Null where there is no endpoint. */
export function portsOf(table: ServiceTable, service: string): ServicePorts | null {
  const outline = table.document('outline', service);
  if (outline !== undefined) return outline;
  const endpoint = table.service(service)?.endpoints[0];
  return endpoint === undefined ? null : portsOfEndpoint(endpoint);
}

export function portsOfEndpoint({ port, ports }: Endpoint): ServicePorts {
  return { first: ports.find((each) => each.port === port)?.name ?? null, ports };
}
