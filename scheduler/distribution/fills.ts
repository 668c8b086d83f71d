/**
 * Endpoints service by service, for sessions of the scope `bound`: each gets those of the services that its proxy wants, and of
 * those that have an instance on its node. Nothing is queued for a reader: what it has is held against what there is, service
 * by service, whenever it takes more.
 */
import type { Endpoint } from '../../agent-proxy/control/contract.ts';
import { digestText } from '../../agent-proxy/routing/digest.ts';
import type { DeltaParts } from './delta-cutter.ts';
import type { Reader } from './distributor.ts';
import { type Entry, serviceBytes } from './entries.ts';
import type { Feed } from './feed.ts';
import { changedServices } from './outline-feed.ts';
import { encodeText, packBySize, RECORD_BUDGET } from './records.ts';
import { Rounds } from './rounds.ts';

/** How many frames back the digest of a proxy can be judged. */
const HISTORY = 32;

/** A service as it is now, as far as frames of it have been needed. */
interface Current {
  readonly digest: string;
  /** All of it, without the beginning of the frames, which is each session's own. */
  bodies: readonly string[] | null;
  /** What has changed since it was at `base`; null where that is not known, or more than a frame holds. */
  readonly patch: { readonly base: string; readonly body: string } | null;
}

/** What one session has of endpoints, and wants. */
export class Fill {
  readonly reader: Reader;
  readonly agentId: string;
  /** What its proxy wants. */
  wants: ReadonlySet<string>;
  /** The digests of the services that the proxy has, once it has taken what has been handed to its connection. */
  readonly has: Map<string, string>;
  /** Services to look at when the reader takes more. */
  readonly due = new Set<string>();
  /** Frames so far. */
  seq = 0;
  /** Under way: the rest of the frames of one service. */
  sending: {
    readonly service: string;
    readonly digest: string;
    readonly bodies: readonly string[];
    at: number;
  } | null = null;
  #sum = 0n;
  readonly #sums = new Map<number, bigint>();

  constructor(reader: Reader, agentId: string, wants: Iterable<string>, has: Iterable<readonly [string, string]>) {
    this.reader = reader;
    this.agentId = agentId;
    this.wants = new Set(wants);
    this.has = new Map(has);
    for (const digest of this.has.values()) this.#sum ^= sumOf(digest);
    this.#sums.set(0, this.#sum);
  }

  /** A frame goes out; the proxy has the service like this after it, null: not at all, undefined: as before. */
  count(service: string, digest: string | null | undefined): number {
    if (digest !== undefined) {
      this.#sum ^= sumOf(this.has.get(service)) ^ sumOf(digest ?? undefined);
      if (digest === null) this.has.delete(service);
      else this.has.set(service, digest);
    }
    this.seq += 1;
    this.#sums.set(this.seq, this.#sum);
    this.#sums.delete(this.seq - HISTORY);
    return this.seq;
  }

  /** What the digest of all that the proxy has must be after a frame; undefined where that is too long ago. */
  digestAt(seq: number): string | undefined {
    const sum = this.#sums.get(seq);
    return sum === undefined ? undefined : digestText(sum);
  }
}

export class Fills {
  readonly #feed: Feed;
  readonly #rounds = new Rounds<Fill>((fill) => fill.reader.pump());
  readonly #current = new Map<string, Current>();
  /** Who is to be told of a service. */
  readonly #followers = new Map<string, Set<Fill>>();
  readonly #byAgent = new Map<string, Set<Fill>>();
  /** Where services have instances, both ways. */
  readonly #agentsOf = new Map<string, ReadonlySet<string>>();
  readonly #servicesOn = new Map<string, Set<string>>();
  #isOpen = false;

  constructor(feed: Feed) {
    this.#feed = feed;
  }

  /** From now on the feed holds the truth. */
  open(): void {
    if (this.#isOpen) return;
    this.#isOpen = true;
    for (const fills of this.#byAgent.values()) for (const fill of fills) this.#rounds.add(fill);
    this.#rounds.run();
  }

  add(fill: Fill): void {
    setIn(this.#byAgent, fill.agentId, fill);
    for (const service of new Set([...fill.wants, ...this.#on(fill.agentId)])) {
      setIn(this.#followers, service, fill);
      fill.due.add(service);
    }
    // Of what it has some may have gone, or not be wanted any more.
    for (const service of fill.has.keys()) fill.due.add(service);
    this.#rounds.add(fill);
  }

  remove(fill: Fill): void {
    this.#rounds.remove(fill);
    removeFrom(this.#byAgent, fill.agentId, fill);
    for (const service of new Set([...fill.wants, ...this.#on(fill.agentId)])) this.#unfollow(service, fill);
  }

  /** Its proxy wants these and no others. */
  want(fill: Fill, services: Iterable<string>): void {
    const before = fill.wants;
    fill.wants = new Set(services);
    for (const service of fill.wants) if (!before.has(service)) this.#look(service, fill);
    for (const service of before) if (!fill.wants.has(service)) this.#look(service, fill);
    this.#rounds.run();
  }

  /** The table was changed by these. */
  follow(deltas: readonly DeltaParts[]): void {
    for (const service of changedServices(deltas)) {
      this.#move(service);
      const followers = this.#followers.get(service);
      if (followers === undefined) continue;
      const before = this.#current.get(service);
      if (before !== undefined) this.#current.set(service, this.#changed(service, before.digest, deltas));
      for (const fill of followers) {
        fill.due.add(service);
        this.#rounds.add(fill);
      }
    }
    this.#rounds.run();
  }

  /** The next frame for a session whose reader takes one, or null. */
  next(fill: Fill): Buffer | null {
    if (!this.#isOpen) return null;
    if (fill.sending !== null) return this.#sendOn(fill, fill.sending);
    for (const service of fill.due) {
      fill.due.delete(service);
      const has = fill.has.get(service);
      if (!this.#isFor(service, fill)) {
        if (has === undefined) continue;
        return this.#frame('forget', fill.count(service, null), `"service":${JSON.stringify(service)}}`);
      }
      const current = this.#currentOf(service);
      const { digest, patch } = current;
      if (has === digest) continue;
      if (patch !== null && has === patch.base) {
        return this.#frame('endpoints-patch', fill.count(service, digest), patch.body);
      }
      current.bodies ??= this.#bodies(service, digest);
      fill.sending = { service, digest, bodies: current.bodies, at: 0 };
      return this.#sendOn(fill, fill.sending);
    }
    return null;
  }

  stop(): void {
    this.#rounds.stop();
  }

  #sendOn(fill: Fill, sending: NonNullable<Fill['sending']>): Buffer | null {
    const { service, digest, bodies } = sending;
    const body = bodies[sending.at];
    if (body === undefined) return null;
    sending.at += 1;
    const isLast = sending.at === bodies.length;
    if (isLast) fill.sending = null;
    return this.#frame('endpoints', fill.count(service, isLast ? digest : undefined), body);
  }

  #frame(type: string, seq: number, body: string): Buffer {
    return encodeText(`{"type":"${type}","epoch":${this.#feed.epoch},"seq":${seq},${body}`);
  }

  #currentOf(service: string): Current {
    let current = this.#current.get(service);
    if (current === undefined) {
      current = { digest: this.#feed.digestOf(service), bodies: null, patch: null };
      this.#current.set(service, current);
    }
    return current;
  }

  /** As it is after a change: where that is small, it is what goes to those who had it as it was. */
  #changed(service: string, base: string, deltas: readonly DeltaParts[]): Current {
    const digest = this.#feed.digestOf(service);
    const touching = deltas.filter(
      ({ remove, upsert, patch }) => remove.includes(service) || upsert.has(service) || patch.has(service),
    );
    const change = touching.length === 1 ? touching[0]?.patch.get(service) : undefined;
    if (change === undefined) return { digest, bodies: null, patch: null };
    const { set, unset } = change;
    const body =
      `"base":"${base}","digest":"${digest}","patch":{"service":${JSON.stringify(service)},` +
      `"set":[${jsonOf(set)}],"unset":${JSON.stringify(unset)}}}`;
    return { digest, bodies: null, patch: { base, body } };
  }

  #bodies(service: string, digest: string): string[] {
    const entries = [...(this.#feed.endpointsOf(service)?.values() ?? [])];
    const room = RECORD_BUDGET - serviceBytes(service);
    const parts = entries.length === 0 ? [[]] : packBySize(entries, ({ bytes }) => bytes, room);
    return parts.map(
      (part, at) =>
        `"service":${JSON.stringify(service)},"part":${at},"last":${at === parts.length - 1},"digest":"${digest}",` +
        `"endpoints":[${jsonOf(part)}]}`,
    );
  }

  /** Its instances may be on other nodes now: their proxies are told of it, and those that it left no longer. */
  #move(service: string): void {
    const before = this.#agentsOf.get(service) ?? new Set<string>();
    const after = new Set<string>();
    for (const { value } of this.#feed.endpointsOf(service)?.values() ?? []) after.add(value.agentId);
    if (after.size === 0) this.#agentsOf.delete(service);
    else this.#agentsOf.set(service, after);
    for (const agentId of after) if (!before.has(agentId)) setIn(this.#servicesOn, agentId, service);
    for (const agentId of before) if (!after.has(agentId)) removeFrom(this.#servicesOn, agentId, service);
    for (const agentId of new Set([...before, ...after])) {
      if (before.has(agentId) === after.has(agentId)) continue;
      for (const fill of this.#byAgent.get(agentId) ?? []) this.#look(service, fill);
    }
  }

  /** It may be for this session now, or not any more. */
  #look(service: string, fill: Fill): void {
    if (this.#isFor(service, fill)) setIn(this.#followers, service, fill);
    else this.#unfollow(service, fill);
    fill.due.add(service);
    this.#rounds.add(fill);
  }

  #unfollow(service: string, fill: Fill): void {
    removeFrom(this.#followers, service, fill);
    if (!this.#followers.has(service)) this.#current.delete(service);
  }

  #isFor(service: string, { wants, agentId }: Fill): boolean {
    return wants.has(service) || this.#servicesOn.get(agentId)?.has(service) === true;
  }

  #on(agentId: string): Iterable<string> {
    return this.#servicesOn.get(agentId) ?? [];
  }
}

function sumOf(digest: string | undefined): bigint {
  return digest === undefined ? 0n : BigInt(`0x${digest}`);
}

function jsonOf(entries: readonly Entry<Endpoint>[]): string {
  return entries.map(({ json }) => json).join(',');
}

function setIn<K, V>(sets: Map<K, Set<V>>, key: K, value: V): void {
  const known = sets.get(key);
  if (known === undefined) sets.set(key, new Set([value]));
  else known.add(value);
}

function removeFrom<K, V>(sets: Map<K, Set<V>>, key: K, value: V): void {
  const known = sets.get(key);
  known?.delete(value);
  if (known?.size === 0) sets.delete(key);
}
