/** Names that a configuration file's dtab binds to addresses: for a proxy without a scheduler. */
import type { Endpoint } from '../control/contract.ts';
import { RetryBudget } from '../resilience/budget.ts';
import { SERVICE_PREFIX, showSegment } from '../routing/path.ts';
import { type InetAddress, type PrefixRule, resolvePrefixes } from '../routing/prefix-rules.ts';
import { ClientScope, PairScope, ServiceScope } from '../telemetry/scopes.ts';
import { Balancer } from './balancer.ts';
import type { Binding, BindingOptions } from './bindings.ts';
import type { Refusal } from './picker.ts';

/** linkerd's default for its path cache. Names come from clients, so there is no end to them. */
const MAX_NAMES = 1_000;

type StaticBound =
  | { readonly kind: 'bound'; readonly binding: Binding }
  | { readonly kind: 'none'; readonly refusal: Refusal };

interface Client {
  readonly balancer: Balancer;
  readonly clientScope: ClientScope;
  readonly budget: RetryBudget;
}

export class StaticBindings {
  private readonly rules: readonly PrefixRule[];
  private readonly options: BindingOptions;
  private readonly byHost = new Map<string, Binding>();
  private readonly clients = new Map<string, Client>();

  constructor(rules: readonly PrefixRule[], options: BindingOptions) {
    this.rules = rules;
    this.options = options;
  }

  bind(host: string): StaticBound {
    const known = this.byHost.get(host);
    if (known !== undefined) return { kind: 'bound', binding: known };
    const segment = showSegment(host);
    const resolved = resolvePrefixes(this.rules, [SERVICE_PREFIX.slice(1), segment]);
    if (resolved.kind === 'none') {
      const detail = `looked up ${SERVICE_PREFIX}/${segment} in the dtab of router ${this.options.router}: ${resolved.reason}`;
      return { kind: 'none', refusal: { code: 'unknown-name', detail } };
    }
    const binding = this.make(`${SERVICE_PREFIX}/${segment}`, resolved.inet);
    if (this.byHost.size < MAX_NAMES) {
      this.byHost.set(host, binding);
      this.options.scopes.add(binding.serviceScope);
      this.options.scopes.add(binding.pairScope);
    }
    return { kind: 'bound', binding };
  }

  private make(logical: string, inet: InetAddress): Binding {
    const { router, clock } = this.options;
    const { balancer, clientScope, budget } = this.client(inet);
    const serviceScope = new ServiceScope(router, logical, clock(), () => budget.balance(clock()));
    const pairScope = new PairScope(router, clientScope, serviceScope, clock());
    return { logical, bound: inet.bound, service: inet.bound, balancer, budget, serviceScope, clientScope, pairScope };
  }

  private client(inet: InetAddress): Client {
    const known = this.clients.get(inet.bound);
    if (known !== undefined) return known;
    const { router, clock, random, scopes, nodes } = this.options;
    const balancer = new Balancer(inet.bound, random);
    balancer.update([endpointOf(inet)]);
    const budget = new RetryBudget(clock(), nodes);
    const parts = { balancer, budget: () => budget.balance(clock()), clock };
    const clientScope = new ClientScope(router, inet.bound, parts);
    const client = { balancer, clientScope, budget };
    // A dtab may pass the port on from the name, so there may be more addresses than rules.
    if (this.clients.size < MAX_NAMES) {
      this.clients.set(inet.bound, client);
      scopes.add(clientScope);
    }
    return client;
  }
}

/** An endpoint that is no task's. */
function endpointOf({ bound, address, port }: InetAddress): Endpoint {
  return {
    service: bound,
    instance: `${address}:${port}`,
    address,
    port,
    ports: [],
    agentId: '-',
    agentAddress: address,
    weight: 1,
    state: 'ready',
    labels: {},
  };
}
