/** Resources of an agent, as amounts under each stack of reservations; ports as a bit mask over the few that the model has. */
import type { Range, ReservationInfo, Resource } from '../../../framework/mesos-http-client/messages.ts';

const PORTS = [4140, 4141, 4142, 9990, 31_000, 31_001, 31_002, 31_003, 31_004, 31_005];

export interface Amounts {
  /** Thousandths. */
  cpus: number;
  /** Megabytes. */
  mem: number;
  disk: number;
  /** One bit for each of `PORTS`. */
  ports: number;
}

export const ALL_PORTS = (1 << PORTS.length) - 1;
export const portBit = (port: number): number => 1 << PORTS.indexOf(port);

interface Pool extends Amounts {
  readonly reservations: readonly ReservationInfo[];
}

export class Pools {
  readonly #pools = new Map<string, Pool>();

  copy(): Pools {
    const copy = new Pools();
    for (const [key, pool] of this.#pools) copy.#pools.set(key, { ...pool });
    return copy;
  }

  /** Null where the model has no such resource: nothing that it could have offered. */
  static of(resources: readonly Resource[]): Pools | null {
    const pools = new Pools();
    for (const resource of resources) {
      const amounts = amountsOf(resource);
      if (amounts === null) return null;
      pools.add(resource.reservations ?? [], amounts);
    }
    return pools;
  }

  add(reservations: readonly ReservationInfo[], amounts: Amounts): void {
    const key = keyOf(reservations);
    const pool = this.#pools.get(key);
    if (pool === undefined) {
      const { cpus, mem, disk, ports } = amounts;
      this.#pools.set(key, { reservations, cpus, mem, disk, ports });
      return;
    }
    pool.cpus += amounts.cpus;
    pool.mem += amounts.mem;
    pool.disk += amounts.disk;
    pool.ports |= amounts.ports;
  }

  addAll(other: Pools): void {
    for (const pool of other.#pools.values()) this.add(pool.reservations, pool);
  }

  /** What is not there is not taken. */
  takeAll(other: Pools): void {
    for (const [key, taken] of other.#pools) {
      const pool = this.#pools.get(key);
      if (pool !== undefined) take(pool, taken);
    }
  }

  take(reservations: readonly ReservationInfo[], amounts: Amounts): void {
    const pool = this.#pools.get(keyOf(reservations));
    if (pool !== undefined) take(pool, amounts);
  }

  has(other: Pools): boolean {
    for (const [key, wanted] of other.#pools) {
      const pool = this.#pools.get(key);
      if (pool === undefined || pool.cpus < wanted.cpus || pool.mem < wanted.mem || pool.disk < wanted.disk)
        return false;
      if ((pool.ports & wanted.ports) !== wanted.ports) return false;
    }
    return true;
  }

  /** Nothing in here that `other` has not. */
  isWithin(other: Pools): boolean {
    return other.has(this);
  }

  get isEmpty(): boolean {
    for (const pool of this.#pools.values()) if (pool.cpus + pool.mem + pool.disk + pool.ports > 0) return false;
    return true;
  }

  /** What is reserved for our framework. */
  get ours(): Amounts {
    const sum: Amounts = { cpus: 0, mem: 0, disk: 0, ports: 0 };
    for (const pool of this.#pools.values()) {
      if (pool.reservations.at(-1)?.type !== 'DYNAMIC') continue;
      sum.cpus += pool.cpus;
      sum.mem += pool.mem;
      sum.disk += pool.disk;
      sum.ports |= pool.ports;
    }
    return sum;
  }

  amounts(reservations: readonly ReservationInfo[]): Amounts {
    return this.#pools.get(keyOf(reservations)) ?? { cpus: 0, mem: 0, disk: 0, ports: 0 };
  }

  /** What an offer to `role` may hold: what is nobody's, the role's own, and what is reserved to a role above it. */
  visibleTo(role: string): Pools {
    const visible = new Pools();
    for (const [key, pool] of this.#pools) {
      const owner = pool.reservations.at(-1)?.role;
      if (owner === undefined || owner === role || role.startsWith(`${owner}/`)) visible.#pools.set(key, { ...pool });
    }
    return visible;
  }

  resources(role: string): Resource[] {
    const resources: Resource[] = [];
    for (const pool of this.#pools.values()) {
      const shape = { reservations: [...pool.reservations], allocation_info: { role } };
      if (pool.cpus > 0)
        resources.push({ name: 'cpus', type: 'SCALAR', scalar: { value: pool.cpus / 1000 }, ...shape });
      if (pool.mem > 0) resources.push({ name: 'mem', type: 'SCALAR', scalar: { value: pool.mem }, ...shape });
      if (pool.disk > 0) resources.push({ name: 'disk', type: 'SCALAR', scalar: { value: pool.disk }, ...shape });
      if (pool.ports > 0)
        resources.push({ name: 'ports', type: 'RANGES', ranges: { range: rangesOf(pool.ports) }, ...shape });
    }
    return resources;
  }
}

function take(pool: Pool, taken: Amounts): void {
  pool.cpus = Math.max(0, pool.cpus - taken.cpus);
  pool.mem = Math.max(0, pool.mem - taken.mem);
  pool.disk = Math.max(0, pool.disk - taken.disk);
  pool.ports &= ~taken.ports;
}

function keyOf(reservations: readonly ReservationInfo[]): string {
  if (reservations.length === 0) return '';
  return reservations
    .map(({ type, role, labels }) => `${type} ${role} ${labels?.labels?.map(({ value }) => value).join(' ') ?? ''}`)
    .join('|');
}

function amountsOf(resource: Resource): Amounts | null {
  const none = { cpus: 0, mem: 0, disk: 0, ports: 0 };
  const value = resource.scalar?.value ?? 0;
  switch (resource.name) {
    case 'cpus':
      return { ...none, cpus: Math.round(value * 1000) };
    case 'mem':
      return { ...none, mem: value };
    case 'disk':
      return { ...none, disk: value };
    case 'ports':
      return maskOf(resource.ranges?.range ?? []);
    default:
      return null;
  }
}

function maskOf(ranges: readonly Range[]): Amounts | null {
  let ports = 0;
  for (const { begin, end } of ranges) {
    for (let port = begin; port <= end; port += 1) {
      const at = PORTS.indexOf(port);
      if (at < 0) return null;
      ports |= 1 << at;
    }
  }
  return { cpus: 0, mem: 0, disk: 0, ports };
}

const rangesOfMask = new Map<number, Range[]>();

export function rangesOf(mask: number): Range[] {
  const known = rangesOfMask.get(mask);
  if (known !== undefined) return known;
  const ranges: Range[] = [];
  for (const [at, port] of PORTS.entries()) {
    if ((mask & (1 << at)) === 0) continue;
    const last = ranges.at(-1);
    if (last?.end === port - 1) last.end = port;
    else ranges.push({ begin: port, end: port });
  }
  rangesOfMask.set(mask, ranges);
  return ranges;
}
