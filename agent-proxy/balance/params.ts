/** What a configuration can say of balancing: plain types, every default filled in. */
import { DEFAULT_FAILURE_ACCRUAL, type FailureAccrualParams } from '../resilience/params.ts';

/** `maxEffort`: so many draws look for an instance that is available. Times in milliseconds. */
export type LoadBalancerParams =
  | { readonly kind: 'p2c'; readonly maxEffort: number }
  | { readonly kind: 'ewma'; readonly maxEffort: number; readonly decayTimeMs: number }
  | {
      readonly kind: 'aperture';
      readonly maxEffort: number;
      readonly smoothWindowMs: number;
      readonly lowLoad: number;
      readonly highLoad: number;
      readonly minAperture: number;
    }
  | { readonly kind: 'heap' }
  | { readonly kind: 'roundRobin'; readonly maxEffort: number };

/** What the instances of one bound name have in common. */
export interface BalanceParams {
  readonly loadBalancer: LoadBalancerParams;
  /** An instance that refuses a connection gets no request for a while. */
  readonly failFast: boolean;
  readonly failureAccrual: FailureAccrualParams;
  /** The share of the instances that failure accrual may eject. */
  readonly maxEjected: number;
  /** Success rates eject only what does worse than its siblings. */
  readonly comparesSiblings: boolean;
  /** Where more than this share of the instances is unavailable, their state is ignored: the balancer fails open. */
  readonly panicThreshold: number;
  /** What `ewma` takes for the latency of an instance all of whose answers fail, milliseconds. */
  readonly failurePenaltyMs: number;
}

export const LOAD_BALANCERS = {
  p2c: { kind: 'p2c', maxEffort: 5 },
  ewma: { kind: 'ewma', maxEffort: 5, decayTimeMs: 10_000 },
  aperture: { kind: 'aperture', maxEffort: 5, smoothWindowMs: 5_000, lowLoad: 0.5, highLoad: 2, minAperture: 1 },
  heap: { kind: 'heap' },
  roundRobin: { kind: 'roundRobin', maxEffort: 5 },
} as const satisfies Record<LoadBalancerParams['kind'], LoadBalancerParams>;

export const DEFAULT_BALANCE: BalanceParams = {
  loadBalancer: LOAD_BALANCERS.p2c,
  failFast: true,
  failureAccrual: DEFAULT_FAILURE_ACCRUAL,
  maxEjected: 0.5,
  comparesSiblings: true,
  panicThreshold: 0.5,
  failurePenaltyMs: 5_000,
};

/** As linkerd 1.x does (`linkerdCompat`). */
export const LINKERD_BALANCE: BalanceParams = {
  ...DEFAULT_BALANCE,
  failFast: false,
  maxEjected: 1,
  comparesSiblings: false,
  panicThreshold: 0,
  failurePenaltyMs: 0,
};
