/**
 * Names bound to balancers, kept from request to request. A change of the table updates a binding in place, so that
 * loads and ejections live on; a service that leaves the table takes its bindings and its metrics with it.
 */
import type { Service } from '../control/contract.ts';
import { RetryBudget } from '../resilience/budget.ts';
import { hostNamesOf, normalizeHost } from '../routing/host-names.ts';
import { SERVICE_PREFIX, showSegment } from '../routing/path.ts';
import type { ServiceTable } from '../routing/service-table.ts';
import type { TableChange } from '../routing/staged-snapshot.ts';
import { ClientScope, PairScope, type ScopeHome, ServiceScope } from '../telemetry/scopes.ts';
import { Balancer, type BalancerOptions } from './balancer.ts';

/** A logical name, what it is bound to, and all that requests by this name share. */
export interface Binding {
  /** `/svc/web` */
  readonly logical: string;
  /** `/#/io.l5d.marathon/web` */
  readonly bound: string;
  /** The service's name in reports. */
  readonly service: string;
  readonly balancer: Balancer;
  readonly budget: RetryBudget;
  readonly serviceScope: ServiceScope;
  readonly clientScope: ClientScope;
  readonly pairScope: PairScope;
}

/** The bound name of a service of the table. */
export function boundName(service: string): string {
  return `/#/io.l5d.marathon/${service}`;
}

interface Entry {
  readonly balancer: Balancer;
  readonly budget: RetryBudget;
  readonly clientScope: ClientScope;
  readonly byHost: Map<string, Binding>;
  plain: Binding | null;
}

export interface BindingOptions {
  readonly router: string;
  readonly clock: () => number;
  readonly random: () => number;
  readonly scopes: ScopeHome;
  /** How many proxies share a retry budget's floor. */
  readonly nodes: () => number;
  readonly balancer?: BalancerOptions;
}

export class Bindings {
  private readonly table: ServiceTable;
  private readonly options: BindingOptions;
  private readonly entries = new Map<string, Entry>();
  /** Host as written → binding. Only normal spellings are kept, so there are at most three for a service. */
  private readonly hosts = new Map<string, Binding>();

  constructor(table: ServiceTable, options: BindingOptions) {
    this.table = table;
    this.options = options;
    table.onChange((change) => this.changed(change));
  }

  /** The binding of a host name in any spelling, or null when no service answers to it. */
  byHost(host: string): Binding | null {
    const known = this.hosts.get(host);
    if (known !== undefined) return known;
    const name = normalizeHost(host);
    const service = this.table.lookup(name);
    if (service === undefined) return null;
    const binding = this.of(service, name);
    if (name === host) this.hosts.set(host, binding);
    return binding;
  }

  /** The binding of a service by its plain name, or null when there is no such service. */
  byService(name: string): Binding | null {
    const known = this.entries.get(name)?.plain;
    if (known !== undefined && known !== null) return known;
    const service = this.table.service(name);
    if (service === undefined) return null;
    const binding = this.of(service, hostNamesOf(name)[0]?.host ?? name);
    const entry = this.entries.get(name);
    if (entry !== undefined) entry.plain = binding;
    return binding;
  }

  private of(service: Service, host: string): Binding {
    let entry = this.entries.get(service.name);
    if (entry === undefined) {
      entry = this.enter(service);
      this.entries.set(service.name, entry);
    }
    let binding = entry.byHost.get(host);
    if (binding === undefined) {
      binding = this.bind(service.name, host, entry);
      entry.byHost.set(host, binding);
    }
    return binding;
  }

  private enter(service: Service): Entry {
    const { router, clock, random, scopes, nodes } = this.options;
    const balancer = new Balancer(service.name, random, this.options.balancer);
    balancer.update(service.endpoints);
    const budget = new RetryBudget(clock(), nodes);
    const parts = { balancer, budget: () => budget.balance(clock()), clock };
    const clientScope = new ClientScope(router, boundName(service.name), parts);
    scopes.add(clientScope);
    return { balancer, budget, clientScope, byHost: new Map(), plain: null };
  }

  private bind(service: string, host: string, entry: Entry): Binding {
    const { router, clock, scopes } = this.options;
    const logical = `${SERVICE_PREFIX}/${showSegment(host)}`;
    const serviceScope = new ServiceScope(router, logical, clock(), () => entry.budget.balance(clock()));
    scopes.add(serviceScope);
    const { balancer, budget, clientScope } = entry;
    const pairScope = new PairScope(router, clientScope, serviceScope, clock());
    scopes.add(pairScope);
    return { logical, bound: boundName(service), service, balancer, budget, serviceScope, clientScope, pairScope };
  }

  private changed(change: TableChange): void {
    for (const { name, set, unset, size } of change.services) {
      this.entries.get(name)?.balancer.patch(set, unset, size);
    }
    for (const name of change.removed) this.forget(name);
    // A new service may take a name from another, so which host means which service is looked up anew.
    if (change.removed.length > 0 || change.services.some(({ isNew }) => isNew)) this.hosts.clear();
  }

  private forget(name: string): void {
    const entry = this.entries.get(name);
    if (entry === undefined) return;
    this.entries.delete(name);
    const { scopes } = this.options;
    scopes.remove(entry.clientScope);
    for (const { serviceScope, pairScope } of entry.byHost.values()) {
      scopes.remove(serviceScope);
      scopes.remove(pairScope);
    }
  }
}
