/** The policies of failure accrual by the name that they have in a configuration. */
import type { AccrualPolicy } from './accrual-policy.ts';
import { ConsecutiveFailures } from './consecutive-failures.ts';
import { NoAccrual } from './no-accrual.ts';
import type { FailureAccrualParams } from './params.ts';
import type { SiblingRates } from './sibling-rates.ts';
import { SuccessRate } from './success-rate.ts';
import { SuccessRateWindowed } from './success-rate-windowed.ts';

/** `siblings` are the rates of all instances of the service; null for linkerd, which judges each by itself. */
export function accrualPolicy(params: FailureAccrualParams, siblings: SiblingRates | null): AccrualPolicy {
  switch (params.kind) {
    case 'io.l5d.consecutiveFailures':
      return new ConsecutiveFailures(params.failures);
    case 'io.l5d.successRate':
      return new SuccessRate(params.successRate, params.requests, siblings);
    case 'io.l5d.successRateWindowed':
      return new SuccessRateWindowed(params.successRate, params.window * 1_000, siblings);
    case 'none':
      return new NoAccrual();
  }
}
