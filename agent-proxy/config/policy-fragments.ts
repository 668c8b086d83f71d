/** Reads what labels of apps say over the configuration of clients and services, by the schema of linkerd.yaml. */
import type { ServiceSettings } from '../control/contract.ts';
import { type ClientLayer, client } from './schema/client.ts';
import { type ServiceLayer, service } from './schema/service.ts';

/** For one port of an app, by its name; null for all. */
export interface PortPolicy {
  readonly port: string | null;
  readonly client: readonly ClientLayer[];
  readonly service: readonly ServiceLayer[];
}

/** The scheduler has checked them; one of a later version may know more than this proxy. `refused` hears of each. */
export function readPolicies(
  policies: ServiceSettings['policies'],
  refused: (reason: string) => void,
): readonly PortPolicy[] {
  return policies.map(({ port, ...fragments }) => {
    const ofClient = client.safeParse(fragments.client);
    const ofService = service.safeParse(fragments.service);
    for (const { error } of [ofClient, ofService])
      if (error !== undefined) refused(error.issues[0]?.message ?? 'unknown');
    return {
      port,
      client: ofClient.success ? ofClient.data.configs : [],
      service: ofService.success ? ofService.data.configs : [],
    };
  });
}
