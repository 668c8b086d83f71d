/** The master's allocator: once a second, whatever is free is offered, but for what a filter keeps back. */
import { type Offer, type OfferId, offerId } from '../../../framework/mesos-http-client/messages.ts';
import type { Context } from '../context.ts';
import type { AgentEntry, Filter, OutstandingOffer } from './entry.ts';
import { isTerminal } from './entry.ts';
import type { Pools } from './pools.ts';

const INTERVAL_MS = 1_000;

export const ROLES = ['nodemesh', 'slave_public/nodemesh'] as const;

/** What the allocator has to know of the rest of the master. */
interface Demand {
  /** The framework is subscribed and wants offers. */
  isWanted(): boolean;
  frameworkId(): Offer['framework_id'];
  send(offers: Offer[]): void;
  rescind(id: OfferId): void;
}

export class Allocator {
  readonly offers = new Map<OfferId, OutstandingOffer>();
  readonly #context: Context;
  readonly #demand: Demand;
  readonly #filters = new Map<string, Filter>();
  /** Looked at in the next round. */
  readonly #dirty = new Set<AgentEntry>();
  #isSet = false;

  constructor(context: Context, demand: Demand) {
    this.#context = context;
    this.#demand = demand;
  }

  /** Something may be free on the agent. */
  look(entry: AgentEntry): void {
    this.#dirty.add(entry);
    if (this.#isSet) return;
    this.#isSet = true;
    this.#context.clock.after(INTERVAL_MS, () => {
      this.#isSet = false;
      this.#round();
    });
  }

  free(entry: AgentEntry): Pools {
    const free = entry.total.copy();
    for (const task of entry.tasks.values()) if (!isTerminal(task.state)) free.takeAll(task.resources);
    free.take(entry.agent.machine.base, entry.agent.machine.others);
    for (const offer of this.offers.values()) if (offer.entry === entry) free.takeAll(offer.pools);
    return free;
  }

  filter(entry: AgentEntry, role: string, pools: Pools, seconds: number): void {
    // The other role is offered it next.
    this.look(entry);
    if (seconds <= 0) return;
    const until = this.#context.now + Math.max(seconds * 1000, INTERVAL_MS);
    this.#filters.set(`${entry.id} ${role}`, { until, pools });
    this.#context.clock.at(until, () => this.look(entry));
  }

  dropFilters(): void {
    this.#filters.clear();
  }

  /** Its offers are taken back. */
  rescindOf(entry: AgentEntry): void {
    for (const offer of [...this.offers.values()]) {
      if (offer.entry !== entry) continue;
      this.offers.delete(offer.id);
      this.#demand.rescind(offer.id);
    }
  }

  #round(): void {
    if (!this.#demand.isWanted()) return;
    const offers: Offer[] = [];
    for (const entry of this.#dirty) {
      if (
        entry.state !== 'registered' ||
        entry.isDeactivated ||
        (entry.agent.silentSince !== null && !entry.agent.isHung)
      )
        continue;
      for (const role of this.#context.rng.chance(0.8) ? ROLES : ROLES.toReversed()) {
        const offer = this.#offer(entry, role);
        if (offer !== null) offers.push(offer);
      }
    }
    this.#dirty.clear();
    if (offers.length > 0) this.#demand.send(offers);
  }

  #offer(entry: AgentEntry, role: string): Offer | null {
    const pools = this.free(entry).visibleTo(role);
    if (pools.isEmpty) return null;
    const filter = this.#filters.get(`${entry.id} ${role}`);
    if (filter !== undefined && filter.until > this.#context.now && pools.isWithin(filter.pools)) return null;
    const id = offerId(`o${this.#context.number()}`);
    this.offers.set(id, { id, entry, role, pools, at: this.#context.now });
    const { machine } = entry.agent;
    const { maintenance } = machine;
    return {
      id: { value: id },
      framework_id: this.#demand.frameworkId(),
      agent_id: { value: entry.id },
      ...machine.place,
      resources: pools.resources(role),
      executor_ids: [],
      allocation_info: { role },
      ...(maintenance === null ? {} : { unavailability: unavailability(maintenance) }),
    };
  }
}

export function unavailability({ from, until }: { from: number; until: number }) {
  return { start: { nanoseconds: from * 1e6 }, duration: { nanoseconds: (until - from) * 1e6 } };
}
