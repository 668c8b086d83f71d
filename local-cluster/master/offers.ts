/** The offers that frameworks hold, and the filters that keep refused resources from being offered again. */
import type { AgentId, Filters, FrameworkId, OfferId } from '../../framework/mesos-http-client/messages.ts';
import { add, contains, type Resources, unallocate } from './resources.ts';

export interface OfferRecord {
  readonly id: OfferId;
  readonly frameworkId: FrameworkId;
  readonly agentId: AgentId;
  readonly role: string;
  /** Allocated to the role. Held back from everyone else until the offer is answered or rescinded. */
  readonly resources: Resources;
}

export class OfferBook {
  readonly #byId = new Map<OfferId, OfferRecord>();

  get(id: OfferId): OfferRecord | undefined {
    return this.#byId.get(id);
  }

  add(offer: OfferRecord): void {
    this.#byId.set(offer.id, offer);
  }

  remove(id: OfferId): void {
    this.#byId.delete(id);
  }

  ofAgent(id: AgentId): OfferRecord[] {
    return [...this.#byId.values()].filter((offer) => offer.agentId === id);
  }

  ofFramework(id: FrameworkId): OfferRecord[] {
    return [...this.#byId.values()].filter((offer) => offer.frameworkId === id);
  }

  /** What an agent has out in offers, as the agent has it (not allocated). */
  offeredOn(id: AgentId): Resources {
    return this.ofAgent(id).reduce<Resources>((sum, offer) => add(sum, unallocate(offer.resources)), []);
  }
}

interface Filter {
  readonly frameworkId: FrameworkId;
  readonly role: string;
  readonly agentId: AgentId;
  readonly refused: Resources;
  readonly until: number;
}

/** A refusal holds for one framework, role and agent, and only for offers of no more than what was refused. */
export class OfferFilters {
  #filters: Filter[] = [];

  add(filter: Filter): void {
    // One that blocks no more than the new one, and for no longer, is not needed: this bounds the list.
    const superseded = (old: Filter): boolean =>
      old.frameworkId === filter.frameworkId &&
      old.role === filter.role &&
      old.agentId === filter.agentId &&
      old.until <= filter.until &&
      contains(filter.refused, old.refused);
    this.#filters = [...this.#filters.filter((old) => !superseded(old)), filter];
  }

  blocks(frameworkId: FrameworkId, role: string, agentId: AgentId, offered: Resources, now: number): boolean {
    this.#filters = this.#filters.filter((filter) => filter.until > now);
    return this.#filters.some(
      (filter) =>
        filter.frameworkId === frameworkId &&
        filter.role === role &&
        filter.agentId === agentId &&
        contains(filter.refused, offered),
    );
  }

  /** REVIVE, removal of a role, a noticed disconnect. Without roles: all of them. */
  forget(frameworkId: FrameworkId, roles?: ReadonlySet<string>): void {
    this.#filters = this.#filters.filter(
      (filter) => filter.frameworkId !== frameworkId || (roles !== undefined && !roles.has(filter.role)),
    );
  }

  forgetAgent(agentId: AgentId): void {
    this.#filters = this.#filters.filter((filter) => filter.agentId !== agentId);
  }
}

const YEAR_SECONDS = 31_536_000;

/** Default 5 s, also for nonsense; capped at a year. */
export function refusalMs(filters: Filters | undefined): number {
  const seconds = filters?.refuse_seconds ?? 5;
  return (seconds >= 0 ? Math.min(seconds, YEAR_SECONDS) : 5) * 1000;
}
