/**
 * The instances on this node, as the hop sees them that all of their traffic passes: how many requests each has, and
 * how many of late went well. Peers and the scheduler are told (contract 8).
 */
import { Instance } from '../balance/instance.ts';
import type { Endpoint, Report, Service } from '../control/contract.ts';
import type { ServiceTable, TableChange } from '../routing/service-table.ts';

/** Weight of one outcome in the moving success rate: about the last twenty requests count. */
const WEIGHT = 0.05;

export class LocalInstance extends Instance {
  health = 1;

  judged(success: boolean): void {
    this.health += WEIGHT * ((success ? 1 : 0) - this.health);
  }
}

export class LocalInstances {
  private readonly agentId: string;
  private readonly byInstance = new Map<string, LocalInstance>();
  /** Instances of each service that has any here. */
  private readonly byService = new Map<string, string[]>();

  constructor(table: ServiceTable, agentId: string) {
    this.agentId = agentId;
    for (const service of table.services()) this.update(service);
    table.onChange((change) => this.changed(change));
  }

  isLocal(endpoint: Endpoint): boolean {
    return endpoint.agentId === this.agentId;
  }

  find(instance: string): LocalInstance | undefined {
    return this.byInstance.get(instance);
  }

  /** The shared instance of an endpoint of this node. */
  of(endpoint: Endpoint): LocalInstance {
    return this.byInstance.get(endpoint.instance) ?? new LocalInstance(endpoint);
  }

  /** For the report to the scheduler. */
  report(): Report['instances'] {
    return [...this.byInstance.values()].map(({ endpoint, inflight, health }) => ({
      service: endpoint.service,
      instance: endpoint.instance,
      inflight,
      health,
    }));
  }

  private changed(change: TableChange): void {
    for (const service of change.upserted) this.update(service);
    for (const name of change.removed) this.update({ name, endpoints: [] });
  }

  private update(service: Service): void {
    const present = service.endpoints.filter((endpoint) => this.isLocal(endpoint));
    const ids = new Set(present.map(({ instance }) => instance));
    for (const instance of this.byService.get(service.name) ?? []) {
      if (!ids.has(instance)) this.byInstance.delete(instance);
    }
    for (const endpoint of present) {
      const known = this.byInstance.get(endpoint.instance);
      if (known === undefined) this.byInstance.set(endpoint.instance, new LocalInstance(endpoint));
      else known.update(endpoint);
    }
    if (ids.size === 0) this.byService.delete(service.name);
    else this.byService.set(service.name, [...ids]);
  }
}
