/** What the tests of balancing share: seeded randomness, endpoints, balancers, and a service in virtual time. */
import { Balancer } from '../../../agent-proxy/balance/balancer.ts';
import type { Instance } from '../../../agent-proxy/balance/instance.ts';
import { type BalanceParams, DEFAULT_BALANCE } from '../../../agent-proxy/balance/params.ts';
import type { Endpoint } from '../../../agent-proxy/control/contract.ts';
import { endpoint } from '../../fixtures/control-stream.ts';

/** A small seeded generator (mulberry32), so that a failure can be repeated. */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Ready endpoints `web.0`, `web.1`, … */
export function endpoints(count: number, given: Partial<Endpoint> = {}): Endpoint[] {
  return Array.from({ length: count }, (_, index) =>
    endpoint({ service: 'web', instance: `web.${index}`, port: 1_000 + index, ...given }),
  );
}

export function weighted(weights: readonly number[]): Endpoint[] {
  return endpoints(weights.length).map((row, index) => ({ ...row, weight: weights[index] ?? 1 }));
}

export function balancerOf(rows: readonly Endpoint[], given: Partial<BalanceParams> = {}, seed = 1): Balancer {
  const balancer = new Balancer('web', seeded(seed), { params: { ...DEFAULT_BALANCE, ...given } });
  balancer.update(rows);
  return balancer;
}

export function pick(balancer: Balancer, now = 0, tried: readonly Instance[] = []): Instance {
  const instance = balancer.picker.pick(tried, now);
  if (instance === null) throw new Error(balancer.refusal(tried).detail);
  return instance;
}

export function find(balancer: Balancer, index: number): Instance {
  const instance = balancer.find(`web.${index}`);
  if (instance === null) throw new Error(`no web.${index}`);
  return instance;
}

/** A connection that is refused at once. */
export function refuse(instance: Instance, now: number): void {
  instance.begin(now);
  instance.connectFailed(now, 0);
}

/** A request that takes no time. */
export function serve(instance: Instance, now: number, outcome: 'success' | 'failure' | 'ignored'): void {
  instance.begin(now);
  instance.end(now, 0, outcome);
}

interface Arrival {
  readonly at: number;
  readonly run: () => void;
}

/** Runs things at their time, and what they bring about, until nothing is left. */
export class VirtualTime {
  private readonly queue: Arrival[] = [];
  now = 0;

  at(time: number, run: () => void): void {
    const { queue } = this;
    let child = queue.length;
    queue.push({ at: time, run });
    while (child > 0) {
      const parent = (child - 1) >> 1;
      if (this.timeOf(parent) <= this.timeOf(child)) return;
      this.swap(parent, child);
      child = parent;
    }
  }

  run(): void {
    for (let next = this.shift(); next !== null; next = this.shift()) {
      this.now = next.at;
      next.run();
    }
  }

  private shift(): Arrival | null {
    const { queue } = this;
    const first = queue[0];
    const last = queue.pop();
    if (first === undefined || last === undefined) return null;
    if (queue.length === 0) return first;
    queue[0] = last;
    for (let parent = 0; ; ) {
      const left = 2 * parent + 1;
      const least = this.timeOf(left + 1) < this.timeOf(left) ? left + 1 : left;
      if (this.timeOf(parent) <= this.timeOf(least)) return first;
      this.swap(parent, least);
      parent = least;
    }
  }

  private timeOf(index: number): number {
    return this.queue[index]?.at ?? Number.POSITIVE_INFINITY;
  }

  private swap(a: number, b: number): void {
    const [first, second] = [this.queue[a], this.queue[b]];
    if (first === undefined || second === undefined) return;
    this.queue[a] = second;
    this.queue[b] = first;
  }
}

export interface Load {
  readonly requests: number;
  readonly perSecond: number;
  /** What one request takes, milliseconds. */
  readonly latencyMs: (instance: Instance, random: number) => number;
  readonly fails?: (instance: Instance, random: number) => boolean;
}

export interface Run {
  readonly counts: ReadonlyMap<string, number>;
  /** Sorted. */
  readonly latencies: readonly number[];
}

/** Requests that arrive at random times (Poisson) and go where the balancer says. */
export function run(balancer: Balancer, { requests, perSecond, latencyMs, fails }: Load, seed = 7): Run {
  const random = seeded(seed);
  const time = new VirtualTime();
  const counts = new Map<string, number>();
  const latencies: number[] = [];
  let arrival = 0;
  for (let request = 0; request < requests; request += 1) {
    arrival += (-Math.log(1 - random()) * 1_000) / perSecond;
    time.at(arrival, () => {
      const instance = pick(balancer, time.now);
      const id = instance.endpoint.instance;
      const took = latencyMs(instance, random());
      const outcome = fails?.(instance, random()) === true ? 'failure' : 'success';
      counts.set(id, (counts.get(id) ?? 0) + 1);
      instance.begin(time.now);
      time.at(time.now + took, () => {
        instance.end(time.now, took, outcome);
        latencies.push(took);
      });
    });
  }
  time.run();
  return { counts, latencies: latencies.sort((a, b) => a - b) };
}

export function share({ counts }: Run, index: number): number {
  const sum = [...counts.values()].reduce((total, count) => total + count, 0);
  return (counts.get(`web.${index}`) ?? 0) / sum;
}

export function percentile(sorted: readonly number[], part: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
}
