/**
 * The instances on this node, as the hop sees them that all of their traffic passes: how many requests each has, and
 * how many of late went well. Peers and the scheduler are told (contract 8).
 */
import type { Endpoint, Report } from '../control/contract.ts';
import type { ServiceTable } from '../routing/service-table.ts';
import type { TableChange } from '../routing/staged-snapshot.ts';

/** Weight of one outcome in the moving success rate: about the last twenty requests count. */
const WEIGHT = 0.05;

export class LocalInstance {
  endpoint: Endpoint;
  health = 1;

  constructor(endpoint: Endpoint) {
    this.endpoint = endpoint;
  }

  judged(success: boolean): void {
    this.health += WEIGHT * ((success ? 1 : 0) - this.health);
  }
}

export class LocalInstances {
  private readonly agentId: string;
  private readonly byInstance = new Map<string, LocalInstance>();
  /** Instances of each service that has any here. */
  private readonly byService = new Map<string, Set<string>>();

  /** Requests on their way to an instance: who sends them knows. */
  inflightOf: (instance: string) => number = () => 0;

  constructor(table: ServiceTable, agentId: string) {
    this.agentId = agentId;
    for (const { endpoints } of table.services()) for (const endpoint of endpoints) this.set(endpoint);
    table.onChange((change) => this.changed(change));
  }

  isLocal(endpoint: Endpoint): boolean {
    return endpoint.agentId === this.agentId;
  }

  find(instance: string): LocalInstance | undefined {
    return this.byInstance.get(instance);
  }

  /** For the report to the scheduler. */
  report(): Report['instances'] {
    return [...this.byInstance.values()].map(({ endpoint, health }) => ({
      service: endpoint.service,
      instance: endpoint.instance,
      inflight: this.inflightOf(endpoint.instance),
      health,
    }));
  }

  private changed(change: TableChange): void {
    for (const { name, set, unset } of change.services) {
      for (const instance of unset) this.unset(name, instance);
      for (const endpoint of set) this.set(endpoint);
    }
    for (const name of change.removed) {
      for (const instance of this.byService.get(name) ?? []) this.unset(name, instance);
    }
  }

  private set(endpoint: Endpoint): void {
    const { service, instance } = endpoint;
    if (!this.isLocal(endpoint)) {
      this.unset(service, instance);
      return;
    }
    const known = this.byInstance.get(instance);
    if (known === undefined) this.byInstance.set(instance, new LocalInstance(endpoint));
    else known.endpoint = endpoint;
    const ids = this.byService.get(service);
    if (ids === undefined) this.byService.set(service, new Set([instance]));
    else ids.add(instance);
  }

  private unset(service: string, instance: string): void {
    const ids = this.byService.get(service);
    if (ids === undefined || !ids.delete(instance)) return;
    if (ids.size === 0) this.byService.delete(service);
    // The task may have become another service's in the same change.
    if (this.byInstance.get(instance)?.endpoint.service === service) this.byInstance.delete(instance);
  }
}
