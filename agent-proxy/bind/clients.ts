/** The clients of a router, by bound name: made when a name is bound to it, closed when no name is any more. */
import type { BoundName } from '../routing/names.ts';
import { showPath } from '../routing/path.ts';
import type { ScopeHome } from '../telemetry/name-scopes.ts';
import type { BoundClient } from './bound-client.ts';

interface Held {
  readonly client: BoundClient;
  holders: number;
}

export class Clients {
  private readonly make: (id: string, bound: BoundName) => BoundClient;
  private readonly scopes: ScopeHome;
  private readonly byId = new Map<string, Held>();
  /** Those that another one has taken the place of, as long as somebody holds them. */
  private readonly outdated = new Map<BoundClient, Held>();

  constructor(make: (id: string, bound: BoundName) => BoundClient, scopes: ScopeHome) {
    this.make = make;
    this.scopes = scopes;
  }

  get size(): number {
    return this.byId.size;
  }

  /** To be given back by {@link release}. */
  hold(bound: BoundName): BoundClient {
    const id = showPath(bound.id);
    let held = this.byId.get(id);
    if (held === undefined) {
      held = { client: this.make(id, bound), holders: 0 };
      this.byId.set(id, held);
      this.scopes.add(held.client.scope);
      held.client.open();
    }
    held.holders += 1;
    return held.client;
  }

  /** Clients of which this is true are not given to anybody any more: whoever holds a name gets a new one. */
  renew(isOutdated: (client: BoundClient) => boolean): void {
    for (const [id, held] of this.byId) {
      if (!isOutdated(held.client)) continue;
      this.byId.delete(id);
      this.outdated.set(held.client, held);
    }
  }

  release(client: BoundClient): void {
    const current = this.byId.get(client.id);
    const held = current?.client === client ? current : this.outdated.get(client);
    if (held === undefined) return;
    held.holders -= 1;
    if (held.holders > 0) return;
    if (held === current) this.byId.delete(client.id);
    else this.outdated.delete(client);
    this.scopes.remove(client.scope);
    client.close();
  }

  all(): Iterable<BoundClient> {
    return Array.from([...this.byId.values(), ...this.outdated.values()], ({ client }) => client);
  }

  /** Young instances get the weight of now. */
  ramp(): void {
    for (const { client } of this.byId.values()) client.balancer.ramp();
  }
}
