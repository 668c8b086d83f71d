/**
 * Which offer gets which instance: a pure function of the offers in hand, the apps that wait, and what runs where. An
 * app's instances are spread over the agents (fewest of that app first, then fewest tasks), and every offer that was
 * not used has a reason, in Marathon's words.
 */
import type { AgentId, Offer, Resource } from '../../framework/mesos-http-client/messages.ts';
import { attributesOf, type Place, satisfies } from './constraints.ts';
import { type Need, OfferPool, type Shortage } from './resource-pool.ts';
import type { Random } from './timers.ts';

export type RefusalReason = 'UnfulfilledRole' | 'UnfulfilledConstraint' | Shortage;
export type RefusalCount = Partial<Record<RefusalReason, number>>;

/** An app that waits for `count` instances. */
export interface Demand {
  readonly appId: string;
  readonly count: number;
  readonly need: Need;
  /** Whose resources it may use. */
  readonly roles: readonly string[];
  readonly constraints: readonly (readonly string[])[];
  /** Where its instances run now. */
  readonly places: readonly Place[];
}

export interface Placement {
  readonly appId: string;
  readonly offer: Offer;
  readonly ports: readonly number[];
  readonly resources: Resource[];
  readonly role: string;
}

export interface Matching {
  readonly placements: readonly Placement[];
  /** For each app, why offers did not do, counted. */
  readonly refusals: ReadonlyMap<string, RefusalCount>;
}

/** `tasksOn`: how many tasks of any app run on each agent. */
export function matchOffers(
  offers: readonly Offer[],
  demands: readonly Demand[],
  tasksOn: ReadonlyMap<AgentId, number>,
  random: Random,
): Matching {
  const pools = offers.map((offer) => new OfferPool(offer));
  const load = new Map<string, number>(tasksOn);
  const placements: Placement[] = [];
  const refusals = new Map<string, RefusalCount>();
  const open = demands.map((demand) => ({ demand, left: demand.count, places: [...demand.places] }));

  // One instance of each app in turn: a large app does not take all before a small one is asked.
  let progress = true;
  while (progress) {
    progress = false;
    for (const entry of open) {
      if (entry.left === 0) continue;
      const placed = placeOne(entry.demand, entry.places, pools, load, random, refusals);
      if (placed === null) {
        entry.left = 0;
        continue;
      }
      entry.left -= 1;
      entry.places.push(placeOf(placed.offer));
      const agent = placed.offer.agent_id.value;
      load.set(agent, (load.get(agent) ?? 0) + 1);
      placements.push(placed);
      progress = true;
    }
  }
  return { placements, refusals };
}

function placeOf(offer: Offer): Place {
  return { host: offer.hostname, agentId: offer.agent_id.value, attributes: attributesOf(offer) };
}

function placeOne(
  demand: Demand,
  places: readonly Place[],
  pools: readonly OfferPool[],
  load: ReadonlyMap<string, number>,
  random: Random,
  refusals: Map<string, RefusalCount>,
): Placement | null {
  const rank = (pool: OfferPool) => {
    const agent = pool.offer.agent_id.value;
    return { same: places.filter((place) => place.agentId === agent).length, all: load.get(agent) ?? 0 };
  };
  const candidates = pools.map((pool) => ({ pool, ...rank(pool) })).sort((a, b) => a.same - b.same || a.all - b.all);
  const counted: RefusalCount = {};
  const refuse = (reason: RefusalReason) => {
    counted[reason] = (counted[reason] ?? 0) + 1;
  };
  for (const { pool } of candidates) {
    if (!pool.roles.some((role) => demand.roles.includes(role))) {
      refuse('UnfulfilledRole');
    } else if (!satisfies(demand.constraints, placeOf(pool.offer), places)) {
      refuse('UnfulfilledConstraint');
    } else {
      const taken = pool.take(demand.need, demand.roles, random);
      if (taken.ok) {
        const { ports, resources, role } = taken;
        return { appId: demand.appId, offer: pool.offer, ports, resources, role };
      }
      refuse(taken.reason);
    }
  }
  refusals.set(demand.appId, counted);
  return null;
}
