/**
 * Offers: answered at once when nothing waits; when something does, held for a moment, so that instances can be spread
 * over all agents that come, then accepted or declined for long. REVIVE asks for more when a new need arises.
 */
import {
  type AgentId,
  type CallBody,
  type Offer,
  type OfferId,
  type TaskInfo,
  taskId,
} from '../../framework/mesos-http-client/messages.ts';
import { Alarm } from './alarm.ts';
import { instancePrefix } from './app-id.ts';
import { portWishes } from './app-spec.ts';
import { attributesOf } from './constraints.ts';
import type { Instance } from './instance.ts';
import type { QueueEntry } from './launch-queue.ts';
import { type Demand, type Matching, matchOffers, type Placement } from './offer-matcher.ts';
import type { MarathonState } from './state.ts';
import { buildTask } from './task-builder.ts';

/** Marathon's `decline_offer_duration`. */
const DECLINE_SECONDS = 120;
/** How long offers wait for those of other agents. */
const GATHER_MS = 50;
const REVIVE_INTERVAL_MS = 250;
/** A need that stays unmet is brought to the master's mind again (`min_revive_offers_interval`). */
const REVIVE_AGAIN_MS = 5_000;
const MAX_HELD_OFFERS = 1_000;
const MAX_KNOWN_AGENTS = 10_000;

export interface OfferDeskOptions {
  readonly state: MarathonState;
  /** False when there is no subscription. */
  readonly call: (body: CallBody) => boolean;
  /** Each instance, when its launch is about to be sent. */
  readonly onLaunched: (instance: Instance) => void;
  /** The launch could not be sent after all. */
  readonly onLaunchLost: (instance: Instance) => void;
  /** Instances were launched, or a need could not be met. */
  readonly onAnswered: () => void;
}

export class OfferDesk {
  readonly #options: OfferDeskOptions;
  readonly #held = new Map<OfferId, Offer>();
  readonly #knownAgents = new Set<AgentId>();
  readonly #gather: Alarm;
  readonly #revive: Alarm;
  /** Rings when the backoff of an app is over. */
  readonly #backoff: Alarm;
  #lastRevive = Number.NEGATIVE_INFINITY;
  #asked = new Map<string, number>();

  constructor(options: OfferDeskOptions) {
    this.#options = options;
    this.#gather = new Alarm(options.state.timers, () => this.#answer());
    this.#revive = new Alarm(options.state.timers, () => this.#sendRevive());
    this.#backoff = new Alarm(options.state.timers, () => this.seek());
  }

  /** A new subscription: what was held is void, and fresh offers come by themselves unless filters stand. */
  subscribed(): void {
    this.forget();
    this.#asked = new Map();
    this.#lastRevive = Number.NEGATIVE_INFINITY;
    this.seek();
  }

  /** The subscription ended, or the desk closes. */
  forget(): void {
    this.#held.clear();
    this.#gather.clear();
    this.#revive.clear();
    this.#backoff.clear();
  }

  receive(offers: readonly Offer[]): void {
    for (const offer of offers) {
      if (this.#knownAgents.size < MAX_KNOWN_AGENTS) this.#knownAgents.add(offer.agent_id.value);
      this.#held.set(offer.id.value, offer);
    }
    if (this.#ready().length === 0 || this.#held.size > MAX_HELD_OFFERS || this.#allAgentsHere()) this.#answer();
    else this.#gather.set(this.#options.state.timers.now() + GATHER_MS);
  }

  rescinded(id: OfferId): void {
    this.#held.delete(id);
  }

  agentLost(id: AgentId): void {
    this.#knownAgents.delete(id);
    for (const offer of this.#held.values()) if (offer.agent_id.value === id) this.#held.delete(offer.id.value);
  }

  /** The queue changed: ask for offers if more is wanted than before. */
  seek(): void {
    const { timers, queue } = this.#options.state;
    const now = timers.now();
    const counts = new Map(this.#ready().map((entry) => [entry.record.spec.id, entry.count]));
    const more = [...counts].some(([app, count]) => count > (this.#asked.get(app) ?? 0));
    this.#asked = counts;
    const next = queue.nextReadyAt(now);
    if (next !== null) this.#backoff.set(next);
    if (counts.size === 0) {
      this.#revive.clear();
      if (this.#held.size > 0) this.#answer();
      return;
    }
    if (this.#held.size > 0) return;
    this.#revive.set(more ? Math.max(now, this.#lastRevive + REVIVE_INTERVAL_MS) : this.#lastRevive + REVIVE_AGAIN_MS);
  }

  #ready(): QueueEntry[] {
    return this.#options.state.queue.ready(this.#options.state.timers.now());
  }

  #allAgentsHere(): boolean {
    const here = new Set([...this.#held.values()].map((offer) => offer.agent_id.value));
    return [...this.#knownAgents].every((agent) => here.has(agent));
  }

  #sendRevive(): void {
    const { timers } = this.#options.state;
    if (this.#ready().length === 0) return;
    const now = timers.now();
    this.#lastRevive = now;
    this.#options.call({ type: 'REVIVE' });
    this.#revive.set(now + REVIVE_AGAIN_MS);
  }

  /** Answer every offer in hand. */
  #answer(): void {
    this.#gather.clear();
    const offers = [...this.#held.values()];
    this.#held.clear();
    const entries = this.#ready();
    const matching = this.#match(offers, entries);
    this.#count(offers.length, entries, matching);
    for (const offer of offers) {
      this.#answerOne(
        offer,
        matching.placements.filter((placement) => placement.offer === offer),
      );
    }
    if (entries.length > 0) this.#options.onAnswered();
  }

  #match(offers: readonly Offer[], entries: readonly QueueEntry[]): Matching {
    const { tracker, random } = this.#options.state;
    const demands = entries.map(({ record: { spec }, count }): Demand => {
      const ports = portWishes(spec).map((wish) => wish.hostPort);
      return {
        appId: spec.id,
        count,
        need: { cpus: spec.cpus, mem: spec.mem, disk: spec.disk, gpus: spec.gpus, ports },
        roles: spec.acceptedResourceRoles ?? ['*'],
        constraints: spec.constraints,
        places: tracker.ofApp(spec.id),
      };
    });
    return matchOffers(offers, demands, tracker.tasksPerAgent(), random);
  }

  #count(offers: number, entries: readonly QueueEntry[], { placements, refusals }: Matching): void {
    const now = this.#options.state.timers.now();
    for (const entry of entries) {
      const used = new Set(placements.filter(({ appId }) => appId === entry.record.spec.id).map(({ offer }) => offer))
        .size;
      entry.processedOffers += offers;
      entry.unusedOffers += offers - used;
      entry.refusals = refusals.get(entry.record.spec.id) ?? {};
      if (offers > used) entry.lastUnused = now;
    }
  }

  #answerOne(offer: Offer, placements: readonly Placement[]): void {
    const { call, onLaunched, onLaunchLost } = this.#options;
    const filters = { refuse_seconds: DECLINE_SECONDS };
    if (placements.length === 0) {
      call({ type: 'DECLINE', decline: { offer_ids: [offer.id], filters } });
      return;
    }
    const launches = placements.flatMap((placement) => this.#launch(placement));
    for (const { instance } of launches) onLaunched(instance);
    const tasks: TaskInfo[] = launches.map(({ task }) => task);
    const accepted = call({
      type: 'ACCEPT',
      accept: { offer_ids: [offer.id], operations: [{ type: 'LAUNCH', launch: { task_infos: tasks } }], filters },
    });
    if (!accepted) for (const { instance } of launches) onLaunchLost(instance);
  }

  #launch(placement: Placement): { task: TaskInfo; instance: Instance }[] {
    const { store, newId, timers } = this.#options.state;
    const record = store.get(placement.appId);
    if (record === undefined) return [];
    const { spec } = record;
    const { offer } = placement;
    const instanceId = `${instancePrefix(spec.id)}.instance-${newId()}`;
    const id = taskId(`${instanceId}._app.1`);
    const domain = offer.domain?.fault_domain;
    const ip = offer.url?.address.ip ?? offer.hostname;
    const now = timers.now();
    const instance: Instance = {
      taskId: id,
      instanceId,
      appId: spec.id,
      spec,
      version: record.version,
      agentId: offer.agent_id.value,
      host: offer.hostname,
      ports: placement.ports,
      servicePorts: portWishes(spec).map((wish) => wish.servicePort),
      role: placement.role,
      region: domain?.region?.name ?? null,
      zone: domain?.zone?.name ?? null,
      attributes: attributesOf(offer),
      stagedAt: now,
      ipAddresses: [{ ipAddress: ip, protocol: ip.includes(':') ? 'IPv6' : 'IPv4' }],
      startedAt: null,
      condition: 'Provisioned',
      unreachableSince: null,
      killSentAt: null,
      health: spec.healthChecks.map(() => null),
      heardAt: now,
    };
    return [{ task: buildTask(record, placement, id), instance }];
  }
}
