/** The clients of a router, by bound name: made when a name is bound to it, closed when no name is any more. */
import type { BoundName } from '../routing/names.ts';
import { showPath } from '../routing/path.ts';
import type { ScopeHome } from '../telemetry/scopes.ts';
import type { BoundClient } from './bound-client.ts';

interface Held {
  readonly client: BoundClient;
  holders: number;
}

export class Clients {
  private readonly make: (id: string, bound: BoundName) => BoundClient;
  private readonly scopes: ScopeHome;
  private readonly byId = new Map<string, Held>();

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

  release(client: BoundClient): void {
    const held = this.byId.get(client.id);
    if (held === undefined || held.client !== client) return;
    held.holders -= 1;
    if (held.holders > 0) return;
    this.byId.delete(client.id);
    this.scopes.remove(client.scope);
    client.close();
  }

  all(): Iterable<BoundClient> {
    return Array.from(this.byId.values(), ({ client }) => client);
  }
}
