/** Looks at one task again and again, as its health check says, and passes on what is news. */
import type { HealthCheck } from '../../framework/mesos-http-client/messages.ts';
import { HealthJudge, healthPolicy } from './health-judge.ts';
import type { Prober, ProbeTarget } from './probes.ts';

export interface HealthListener {
  /** To be told to the framework. */
  health(healthy: boolean): void;
  /** Too many failures in a row: the task is to be killed. */
  unhealthyForGood(): void;
}

export class HealthMonitor {
  private readonly stopped = new AbortController();
  private timer: NodeJS.Timeout | null = null;

  constructor(check: HealthCheck, prober: Prober, target: ProbeTarget, listener: HealthListener) {
    const policy = healthPolicy(check);
    const judge = new HealthJudge(policy, performance.now());
    const look = async (): Promise<void> => {
      // A check that cannot even be made (a path with a line break in it, say) is a failure like any other.
      const healthy = await prober.probe(check, target, policy.timeoutMs, this.stopped.signal).catch(() => false);
      if (this.stopped.signal.aborted) return;
      const verdict = healthy ? judge.success() : judge.failure(performance.now());
      if (verdict.report) listener.health(healthy);
      if (verdict.kill) listener.unhealthyForGood();
      if (!this.stopped.signal.aborted) this.timer = setTimeout(() => void look(), policy.intervalMs);
    };
    this.timer = setTimeout(() => void look(), policy.delayMs);
  }

  /** Also breaks off a look that is under way. */
  stop(): void {
    this.stopped.abort();
    if (this.timer !== null) clearTimeout(this.timer);
  }
}
