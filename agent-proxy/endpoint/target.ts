/** An instance as the exchange needs it: with the connections that go straight to it. */
import { Instance } from '../balance/instance.ts';
import type { Siblings } from '../balance/siblings.ts';
import type { Endpoint } from '../control/contract.ts';
import type { Pool } from './pool.ts';

/** Makes the pool of straight connections to an address. */
export type OpenPool = (endpoint: Endpoint) => Pool;

export class Target extends Instance {
  private readonly openPool: OpenPool;
  private direct: Pool | null = null;

  constructor(endpoint: Endpoint, siblings: Siblings, openPool: OpenPool) {
    super(endpoint, siblings);
    this.openPool = openPool;
  }

  /** Its connections. Made at the first request: behind peers most instances never have any. */
  get pool(): Pool {
    this.direct ??= this.openPool(this.endpoint);
    return this.direct;
  }

  override update(endpoint: Endpoint): void {
    const { address, port } = this.endpoint;
    super.update(endpoint);
    if (endpoint.address !== address || endpoint.port !== port) this.closeConnections();
  }

  /** Out of rotation: what is idle is closed, what is in use finishes. */
  override leave(): void {
    super.leave();
    this.closeConnections();
  }

  private closeConnections(): void {
    this.direct?.close();
    this.direct = null;
  }
}
