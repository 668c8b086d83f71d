/**
 * One instance of a service as a balancer sees it: where it is, how busy it is, and whether it is open to requests.
 *
 * Its gate is linkerd's state machine of failure accrual, and of fail fast:
 * - alive: open to all;
 * - dead: closed for a while, because the accrual policy tripped or a connection was refused;
 * - probe open: the while is over, and one request is let through to see;
 * - probe closed: that request is on its way, and all others are kept off. Success revives, failure closes for longer, and
 *   what tells nothing (a client that left) opens for the next probe.
 */
import type { Endpoint } from '../control/contract.ts';
import { accrualPolicy } from '../resilience/accrual-policies.ts';
import type { AccrualPolicy } from '../resilience/accrual-policy.ts';
import { backoffMs } from '../resilience/backoff.ts';
import type { BackoffParams } from '../resilience/params.ts';
import { PeakEwma } from './peak-ewma.ts';
import type { Siblings } from './siblings.ts';

/** `ignored`: it says nothing of the instance, for example because the client left or the way to the instance failed. */
export type Outcome = 'success' | 'failure' | 'ignored';
export type GateState = 'alive' | 'dead' | 'probe-open' | 'probe-closed';

/** A picker that has to know what happens between picks. */
export interface InstanceListener {
  began(instance: Instance, now: number): void;
  released(instance: Instance, now: number): void;
  gateChanged(instance: Instance): void;
}

/** What the proxy of its own node says of it (contract, rule 8). */
export interface ReportedHealth {
  readonly inflight: number;
  /** Success rate of late, 0 to 1. */
  readonly health: number;
}

/** Values of `closedUntil` that are no times. */
const ALIVE: null = null;
const PROBE_CLOSED = Number.POSITIVE_INFINITY;
/** Differences of times in milliseconds are not exact. */
const ROUNDING_MS = 1e-3;

/** linkerd's, between two tries to connect. */
const FAIL_FAST_BACKOFF: BackoffParams = { kind: 'equalJittered', minMs: 1_000, maxMs: 32_000 };

export class Instance {
  // What each draw looks at stands together, at the beginning: with thousands of instances each is cold in the caches.
  /** Requests on their way, of this balancer. */
  inflight = 0;
  /** Its place in the arrays of the picker that holds it: the picker's business alone. */
  slot = -1;
  /** Null while it is open to all. */
  private closedUntil: number | null = ALIVE;
  private latency: PeakEwma | null = null;
  /** Its share of the draw: that of its endpoint, less while it is young (slow start). */
  weight = 1;
  /** The same picker, where it wants to know. */
  listener: InstanceListener | null = null;
  /** Out of rotation: it finishes what it has. */
  draining = true;
  endpoint: Endpoint;
  reported: ReportedHealth | null = null;

  private readonly siblings: Siblings;
  private readonly policy: AccrualPolicy;
  /** When it was closed last. What began before tells nothing of it any more. */
  private closedAt = Number.NEGATIVE_INFINITY;
  private ejected = false;
  private ejections = 0;
  private ejectionMs = 0;
  private refusals = 0;
  private refusalMs = 0;

  constructor(endpoint: Endpoint, siblings: Siblings) {
    this.endpoint = endpoint;
    this.weight = endpoint.weight;
    this.siblings = siblings;
    this.policy = accrualPolicy(siblings.params.failureAccrual, siblings.rates);
    this.latency = latencyOf(siblings);
  }

  isAvailable(now: number): boolean {
    return this.closedUntil === ALIVE || now >= this.closedUntil;
  }

  gate(now: number): GateState {
    if (this.closedUntil === ALIVE) return 'alive';
    if (this.closedUntil === PROBE_CLOSED) return 'probe-closed';
    return now >= this.closedUntil ? 'probe-open' : 'dead';
  }

  /** When it opens, for a picker that waits for it: a time, or an infinity. */
  get opensAt(): number {
    return this.closedUntil ?? Number.NEGATIVE_INFINITY;
  }

  /** What one more request costs here, by Peak EWMA; by the number of requests where latency is not measured. */
  cost(now: number): number {
    return this.latency === null ? this.inflight + 1 : this.latency.load(now, this.inflight);
  }

  /** A request goes to it. Says whether that is the probe of a closed gate. */
  begin(now: number): boolean {
    this.inflight += 1;
    const isProbe = this.closedUntil !== ALIVE && now >= this.closedUntil;
    if (isProbe) {
      this.siblings.figures.probes += 1;
      this.setGate(PROBE_CLOSED);
    }
    this.listener?.began(this, now);
    return isProbe;
  }

  /** A request of it is over, and was not judged before. `latencyMs` is the time since `begin`. */
  end(now: number, latencyMs: number, outcome: Outcome): void {
    this.judged(now, latencyMs, outcome);
    this.release(now);
  }

  /** A request of it is over that was judged before, when its response began. */
  release(now: number): void {
    this.inflight -= 1;
    // Nothing is on its way, so no probe is either, whatever became of its judgement.
    if (this.inflight === 0 && this.closedUntil === PROBE_CLOSED) this.setGate(now);
    this.listener?.released(this, now);
  }

  /** What is to be thought of a request, once. `latencyMs` is the time since `begin`. */
  judged(now: number, latencyMs: number, outcome: Outcome): void {
    if (outcome === 'ignored') {
      if (this.closedUntil === PROBE_CLOSED && !this.isStale(now, latencyMs)) this.setGate(now);
      return;
    }
    if (outcome === 'success') this.latency?.succeeded(now, latencyMs);
    else this.latency?.failed(now, latencyMs);
    // What is out of rotation is not compared with its siblings, and does not count for their limits.
    if (this.draining) return;
    if (this.closedUntil !== ALIVE) this.judgedClosed(now, latencyMs, outcome);
    else if (outcome === 'success') this.policy.succeeded(now);
    else if (this.policy.failed(now)) this.eject(now);
  }

  /** A request of it is over because no connection could be made: a failure, and a reason to fail fast. */
  connectFailed(now: number, latencyMs: number): void {
    this.latency?.failed(now, latencyMs);
    if (!this.draining) this.refused(now, latencyMs);
    this.release(now);
  }

  /** The proxy of its node says how it does; null where it says nothing. */
  report(health: ReportedHealth | null): void {
    if (health === null) return;
    this.reported = health;
    this.latency?.suspect(1 - health.health);
  }

  /** It takes traffic from now on. */
  join(): void {
    if (!this.draining) return;
    this.draining = false;
    const { siblings } = this;
    siblings.size += 1;
    if (this.closedUntil !== ALIVE) siblings.closed += 1;
    if (this.ejected) siblings.ejected += 1;
  }

  /** It takes no traffic any more, for a while or for good. What is known of it is kept. */
  leave(): void {
    if (this.draining) return;
    this.draining = true;
    const { siblings } = this;
    siblings.size -= 1;
    if (this.closedUntil !== ALIVE) siblings.closed -= 1;
    if (this.ejected) siblings.ejected -= 1;
    this.policy.left();
    // A probe that is on its way will not be judged.
    if (this.closedUntil === PROBE_CLOSED) this.closedUntil = this.closedAt;
  }

  /** The table says something new of it. Another address is a fresh start. */
  update(endpoint: Endpoint): void {
    const moved = endpoint.address !== this.endpoint.address || endpoint.port !== this.endpoint.port;
    this.endpoint = endpoint;
    this.weight = endpoint.weight;
    if (!moved) return;
    this.latency = latencyOf(this.siblings);
    this.reported = null;
    this.open();
    this.policy.revived();
  }

  private judgedClosed(now: number, latencyMs: number, outcome: Outcome): void {
    if (this.isStale(now, latencyMs)) return;
    if (outcome === 'success') {
      // Also where it was no probe, but sent because the balancer fails open: it is alive.
      if (this.ejected) this.siblings.figures.revivals += 1;
      else this.policy.succeeded(now);
      this.open();
      return;
    }
    if (this.closedUntil !== PROBE_CLOSED) return;
    // It answered: whatever it thinks of the request, it takes connections again.
    if (!this.ejected) this.open();
    if (this.policy.failed(now)) this.eject(now);
    else if (this.ejected) this.setGate(now);
  }

  private refused(now: number, latencyMs: number): void {
    const isProbe = this.closedUntil === PROBE_CLOSED && !this.isStale(now, latencyMs);
    // Several connections may fail for one cause: the first has closed it.
    if (this.closedUntil !== ALIVE && !isProbe) return;
    if (this.policy.failed(now)) this.eject(now);
    if (this.siblings.params.failFast) this.failFast(now);
    // A probe that failed without tripping anything: the next one may try.
    if (this.closedUntil === PROBE_CLOSED) this.setGate(now);
  }

  /** It began before the gate was closed, and tells nothing of how the instance is since. */
  private isStale(now: number, latencyMs: number): boolean {
    return now - latencyMs < this.closedAt - ROUNDING_MS;
  }

  private eject(now: number): void {
    const { siblings } = this;
    const { failureAccrual } = siblings.params;
    if (failureAccrual.kind === 'none') return;
    if (!this.ejected) {
      if (!siblings.mayEject()) return;
      this.ejected = true;
      siblings.ejected += 1;
      siblings.figures.removals += 1;
    }
    this.policy.left();
    this.ejectionMs = backoffMs(failureAccrual.backoff, this.ejections, this.ejectionMs, siblings.random());
    this.ejections += 1;
    siblings.figures.removedForMs += Math.round(this.ejectionMs);
    this.close(now, now + this.ejectionMs);
  }

  private failFast(now: number): void {
    this.refusalMs = backoffMs(FAIL_FAST_BACKOFF, this.refusals, this.refusalMs, this.siblings.random());
    this.refusals += 1;
    const until = now + this.refusalMs;
    const { closedUntil } = this;
    const isLonger = closedUntil === ALIVE || closedUntil === PROBE_CLOSED || until > closedUntil;
    if (isLonger) this.close(now, until);
  }

  private close(now: number, until: number): void {
    this.closedAt = now;
    this.setGate(until);
  }

  private open(): void {
    if (this.ejected) {
      this.ejected = false;
      if (!this.draining) this.siblings.ejected -= 1;
      this.policy.revived();
    }
    this.ejections = 0;
    this.ejectionMs = 0;
    this.refusals = 0;
    this.refusalMs = 0;
    if (this.closedUntil !== ALIVE) this.setGate(ALIVE);
  }

  private setGate(until: number | null): void {
    const { siblings } = this;
    if (!this.draining) siblings.closed += Number(until !== ALIVE) - Number(this.closedUntil !== ALIVE);
    this.closedUntil = until;
    this.listener?.gateChanged(this);
  }
}

function latencyOf({ params }: Siblings): PeakEwma | null {
  const { loadBalancer, failurePenaltyMs } = params;
  return loadBalancer.kind === 'ewma' ? new PeakEwma(loadBalancer.decayTimeMs, failurePenaltyMs, 0) : null;
}
