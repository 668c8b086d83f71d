/** What the workers that follow count for the reports to the scheduler, until the next report takes it. */
import type { AskedName, Report, Traffic } from '../control/contract.ts';
import type { TrafficCounter, TrafficWindow } from '../telemetry/traffic.ts';

/** What a worker said of its instances is old after so long: it is gone, or there is nothing to say any more. */
const FRESH_MS = 3_000;
/** Entries that wait for a report. Beyond that the oldest scheduler is gone for long, and counts are lost. */
const MOST_WAITING = 20_000;

type Instance = Report['instances'][number];

interface Said {
  readonly at: number;
  readonly instance: Instance;
}

interface Counts {
  readonly traffic: readonly Traffic[];
  readonly names: readonly AskedName[];
  readonly instances: Report['instances'];
}

export class FollowerCounts {
  private readonly now: () => number;
  private waiting: Traffic[] = [];
  private names: AskedName[] = [];
  /** By worker, then by instance. */
  private readonly instancesOf = new Map<number, Map<string, Said>>();

  constructor(now: () => number) {
    this.now = now;
  }

  add(from: number, { traffic, names, instances }: Counts): void {
    if (this.waiting.length + traffic.length <= MOST_WAITING) this.waiting.push(...traffic);
    if (this.names.length + names.length <= MOST_WAITING) this.names.push(...names);
    const at = this.now();
    const said = this.instancesOf.get(from) ?? new Map<string, Said>();
    this.instancesOf.set(from, said);
    for (const instance of instances) said.set(instance.instance, { at, instance });
    for (const [id, one] of said) if (at - one.at > FRESH_MS) said.delete(id);
  }

  /** The counts of this worker and of all others; a new window begins. */
  take(own: TrafficCounter, now: number): TrafficWindow {
    const window = own.take(now);
    if (this.waiting.length + this.names.length === 0) return window;
    // The counter adds up what belongs together.
    own.giveBack({
      startedAt: window.startedAt,
      traffic: [...window.traffic, ...this.waiting],
      names: [...window.names, ...this.names],
    });
    this.waiting = [];
    this.names = [];
    return own.take(now);
  }

  /** Requests under way are added up; each worker has as good a view of an instance's health as the others. */
  instances(own: Report['instances']): Report['instances'] {
    const now = this.now();
    return own.map((instance) => {
      let { inflight, health } = instance;
      let views = 1;
      for (const said of this.instancesOf.values()) {
        const one = said.get(instance.instance);
        if (one === undefined || now - one.at > FRESH_MS) continue;
        inflight += one.instance.inflight;
        health += one.instance.health;
        views += 1;
      }
      return { ...instance, inflight, health: health / views };
    });
  }
}
