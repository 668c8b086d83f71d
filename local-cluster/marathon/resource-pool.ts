/** What is left of one offer while instances are placed on it, and the exact resources that a placement takes. */
import type { Offer, Range, ReservationInfo, Resource } from '../../framework/mesos-http-client/messages.ts';
import type { Random } from './timers.ts';

type Scalar = 'cpus' | 'mem' | 'disk' | 'gpus';

/** What one instance needs. A port of 0 is any. */
export interface Need {
  readonly cpus: number;
  readonly mem: number;
  readonly disk: number;
  readonly gpus: number;
  readonly ports: readonly number[];
}

export type Shortage =
  | 'InsufficientCpus'
  | 'InsufficientMemory'
  | 'InsufficientDisk'
  | 'InsufficientGpus'
  | 'InsufficientPorts';

export type Taken =
  | { ok: true; ports: number[]; resources: Resource[]; role: string }
  | { ok: false; reason: Shortage };

/** Resources of one offer that share a reservation; they can be mixed in one task. */
interface Pool {
  readonly role: string;
  readonly reservations: readonly ReservationInfo[];
  readonly scalars: Map<string, number>;
  ports: Range[];
}

const SHORTAGES: Readonly<Record<Scalar, Shortage>> = {
  cpus: 'InsufficientCpus',
  mem: 'InsufficientMemory',
  disk: 'InsufficientDisk',
  gpus: 'InsufficientGpus',
};

/** Mesos keeps three decimals. */
const rounded = (value: number): number => Math.round(value * 1000) / 1000;

/** Who may use a resource: the innermost reservation's role, or `*`; in either shape of the message. */
function roleOf(resource: Resource): string {
  return resource.reservations?.at(-1)?.role ?? resource.role ?? '*';
}

function without(ranges: readonly Range[], port: number): Range[] {
  return ranges.flatMap(({ begin, end }) => {
    if (port < begin || port > end) return [{ begin, end }];
    const rest: Range[] = [];
    if (begin < port) rest.push({ begin, end: port - 1 });
    if (port < end) rest.push({ begin: port + 1, end });
    return rest;
  });
}

/** Below it, ports tend to be somebody's well-known ones (a proxy's, say): taken only when nothing else is left. */
const FIRST_ANONYMOUS_PORT = 10_000;

/** Any port, by chance: one that was given back should not soon be another task's, while somebody still calls it. */
function anyPort(ranges: readonly Range[], random: Random): number | null {
  const high = ranges
    .filter(({ end }) => end >= FIRST_ANONYMOUS_PORT)
    .map(({ begin, end }) => ({ begin: Math.max(begin, FIRST_ANONYMOUS_PORT), end }));
  const choice = high.length > 0 ? high : ranges;
  const size = choice.reduce((sum, { begin, end }) => sum + end - begin + 1, 0);
  let index = Math.min(size - 1, Math.floor(random() * size));
  for (const { begin, end } of choice) {
    if (index <= end - begin) return begin + index;
    index -= end - begin + 1;
  }
  return null;
}

export class OfferPool {
  readonly offer: Offer;
  readonly #pools = new Map<string, Pool>();
  readonly #allocationRole: string;

  constructor(offer: Offer) {
    this.offer = offer;
    this.#allocationRole = offer.allocation_info?.role ?? '*';
    for (const resource of offer.resources) {
      // Persistent volumes and their like belong to whoever made them.
      if (resource.disk !== undefined) continue;
      const role = roleOf(resource);
      const reservations = resource.reservations ?? [];
      const key = `${role} ${JSON.stringify(reservations)}`;
      const pool: Pool = this.#pools.get(key) ?? { role, reservations, scalars: new Map(), ports: [] };
      this.#pools.set(key, pool);
      if (resource.type === 'SCALAR') {
        pool.scalars.set(resource.name, (pool.scalars.get(resource.name) ?? 0) + (resource.scalar?.value ?? 0));
      } else if (resource.name === 'ports') {
        pool.ports.push(...(resource.ranges?.range ?? []));
      }
    }
  }

  /** Roles of the resources in it. */
  get roles(): string[] {
    return [...new Set([...this.#pools.values()].map((pool) => pool.role))];
  }

  /** Take what an instance needs from resources of one of the roles; nothing is taken when it does not fit. */
  take(need: Need, roles: readonly string[], random: Random): Taken {
    let reason: Shortage = 'InsufficientCpus';
    for (const pool of this.#pools.values()) {
      if (!roles.includes(pool.role)) continue;
      const taken = this.#takeFrom(pool, need, random);
      if (taken.ok) return taken;
      reason = taken.reason;
    }
    return { ok: false, reason };
  }

  #takeFrom(pool: Pool, need: Need, random: Random): Taken {
    for (const name of ['cpus', 'mem', 'disk', 'gpus'] as const) {
      if ((pool.scalars.get(name) ?? 0) + 1e-9 < need[name]) return { ok: false, reason: SHORTAGES[name] };
    }
    let ranges = pool.ports;
    const ports: number[] = need.ports.map(() => 0);
    // The fixed ones first, or a free choice might take one of them.
    for (const fixed of [true, false]) {
      for (const [index, wish] of need.ports.entries()) {
        if ((wish !== 0) !== fixed) continue;
        const port = fixed ? wish : anyPort(ranges, random);
        if (port === null || !ranges.some(({ begin, end }) => begin <= port && port <= end)) {
          return { ok: false, reason: 'InsufficientPorts' };
        }
        ranges = without(ranges, port);
        ports[index] = port;
      }
    }
    pool.ports = ranges;
    const resources: Resource[] = [];
    for (const name of ['cpus', 'mem', 'disk', 'gpus'] as const) {
      if (need[name] === 0) continue;
      pool.scalars.set(name, rounded((pool.scalars.get(name) ?? 0) - need[name]));
      resources.push({ name, type: 'SCALAR', scalar: { value: need[name] }, ...this.#marks(pool) });
    }
    if (ports.length > 0) {
      const range = [...ports].sort((a, b) => a - b).map((port) => ({ begin: port, end: port }));
      resources.push({ name: 'ports', type: 'RANGES', ranges: { range }, ...this.#marks(pool) });
    }
    return { ok: true, ports, resources, role: pool.role };
  }

  #marks(pool: Pool): Pick<Resource, 'reservations' | 'allocation_info'> {
    return { reservations: [...pool.reservations], allocation_info: { role: this.#allocationRole } };
  }
}
