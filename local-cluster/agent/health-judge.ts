/** What the results of a task's health check amount to. Pure; follows Mesos' checks/health_checker.cpp. */
import type { HealthCheck } from '../../framework/mesos-http-client/messages.ts';

export interface HealthPolicy {
  readonly delayMs: number;
  readonly intervalMs: number;
  /** 0: no limit. */
  readonly timeoutMs: number;
  readonly consecutiveFailures: number;
  readonly graceMs: number;
}

/** What to do after one result: tell the framework, or not, and end the task, or not. */
export interface HealthVerdict {
  readonly report: boolean;
  readonly kill: boolean;
}

const SILENT: HealthVerdict = { report: false, kill: false };

/** Mesos' defaults: delay 15, interval 10, timeout 20, 3 failures, grace 10 (seconds). */
export function healthPolicy(check: HealthCheck): HealthPolicy {
  return {
    delayMs: (check.delay_seconds ?? 15) * 1000,
    intervalMs: (check.interval_seconds ?? 10) * 1000,
    timeoutMs: (check.timeout_seconds ?? 20) * 1000,
    consecutiveFailures: check.consecutive_failures ?? 3,
    graceMs: (check.grace_period_seconds ?? 10) * 1000,
  };
}

export class HealthJudge {
  private readonly policy: HealthPolicy;
  private readonly startedMs: number;
  private everHealthy = false;
  private failures = 0;

  constructor(policy: HealthPolicy, startedMs: number) {
    this.policy = policy;
    this.startedMs = startedMs;
  }

  /** Success is news the first time, and after failures. */
  success(): HealthVerdict {
    const report = !this.everHealthy || this.failures > 0;
    this.everHealthy = true;
    this.failures = 0;
    return { report, kill: false };
  }

  /** Every failure is news, except within the grace period of a task that was never healthy. */
  failure(nowMs: number): HealthVerdict {
    const { graceMs, consecutiveFailures } = this.policy;
    if (!this.everHealthy && graceMs > 0 && nowMs - this.startedMs <= graceMs) return SILENT;
    this.failures++;
    return { report: true, kill: this.failures >= consecutiveFailures };
  }
}
