/** What events cost: CPU time of the thread that they run on (collections of garbage in it count) and time on the clock. */

/** Of all events of one kind. Milliseconds of CPU, but for `count`. */
export interface Cost {
  readonly count: number;
  readonly mean: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  readonly total: number;
  /** The longest on the clock: higher than `max` where other processes had the CPU. */
  readonly maxOnClock: number;
}

export interface Taken {
  /** An upper bound of what the event's own thread used. */
  readonly cpuMs: number;
  readonly clockMs: number;
}

/**
 * `process.cpuUsage` counts whole microseconds and takes about 1.5 of them itself. It counts all threads: while this one
 * waits for a collection of garbage, helpers work on it at the same time. No thread uses more than passes on the clock, so
 * of the two bounds the smaller one is taken.
 */
export async function taken(work: () => Promise<void>): Promise<Taken> {
  const startedAt = performance.now();
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  const clockMs = performance.now() - startedAt;
  return { cpuMs: Math.min((user + system) / 1000, clockMs), clockMs };
}

export class Meter {
  readonly #cpu = new Map<string, number[]>();
  readonly #longest = new Map<string, number>();

  add(kind: string, { cpuMs, clockMs }: Taken): void {
    const costs = this.#cpu.get(kind) ?? [];
    costs.push(cpuMs);
    this.#cpu.set(kind, costs);
    this.#longest.set(kind, Math.max(this.#longest.get(kind) ?? 0, clockMs));
  }

  /** By kind, most expensive in total first. */
  kinds(): Map<string, Cost> {
    const costs = [...this.#cpu].map(([kind, all]) => [kind, costOf(all, this.#longest.get(kind) ?? 0)] as const);
    return new Map(costs.sort(([, a], [, b]) => b.total - a.total));
  }

  all(): Cost {
    return costOf([...this.#cpu.values()].flat(), Math.max(0, ...this.#longest.values()));
  }
}

function costOf(all: readonly number[], maxOnClock: number): Cost {
  const sorted = Float64Array.from(all).sort();
  const total = sorted.reduce((sum, cost) => sum + cost, 0);
  const at = (share: number): number => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
  const count = sorted.length;
  const mean = count === 0 ? 0 : total / count;
  return { count, mean, p50: at(0.5), p99: at(0.99), max: at(1), total, maxOnClock };
}
