/**
 * Does a task fit into what an agent offers, and with which of it? A refusal is a value with numbers, because a person
 * will ask why a node has no proxy.
 */
import type { Range, Resource } from '../mesos-http-client/messages.ts';
import { type Hold, holdOn, isOurs, rolesOf, sameReservations } from './reservations.ts';

export interface Needs {
  readonly cpus: number;
  /** Megabytes. */
  readonly mem: number;
  /** Megabytes. */
  readonly disk: number;
  readonly ports: readonly number[];
}

/** What is missing, with figures. */
export type Gap =
  | { readonly resource: 'cpus' | 'mem' | 'disk'; readonly needed: number; readonly offered: number }
  | { readonly resource: 'ports'; readonly missing: readonly number[]; readonly offered: readonly Range[] };

export type Placement =
  | {
      readonly fits: true;
      /** For the task: cut from the offered ones, reserved and allocated as they will be once `reserve` is done. */
      readonly resources: Resource[];
      /** To be reserved before the launch. */
      readonly reserve: Resource[];
      /** Ours already, and more than is needed. */
      readonly unreserve: Resource[];
    }
  | { readonly fits: false; readonly gaps: readonly Gap[] };

/**
 * Picks from `offered`: what is reserved for the task already, then what an operator reserved for the role, then what is
 * anybody's. With `hold` null nothing is reserved.
 */
export function place(needed: Needs, offered: readonly Resource[], hold: Hold | null): Placement {
  const picker = new Picker(offered, hold);
  const gaps: Gap[] = [];
  for (const name of ['cpus', 'mem', 'disk'] as const) {
    const gap = picker.scalar(name, needed[name]);
    if (gap !== null) gaps.push(gap);
  }
  const ports = picker.ports(needed.ports);
  if (ports !== null) gaps.push(ports);
  if (gaps.length > 0) return { fits: false, gaps };
  return { fits: true, resources: picker.task, reserve: picker.reserve, unreserve: picker.surplus() };
}

class Picker {
  readonly task: Resource[] = [];
  readonly reserve: Resource[] = [];
  readonly #hold: Hold | null;
  readonly #usable: readonly Resource[];
  /** What is left of each resource that is ours: thousandths, or ports. */
  readonly #left = new Map<Resource, number | number[]>();

  constructor(offered: readonly Resource[], hold: Hold | null) {
    this.#hold = hold;
    this.#usable = offered.filter((resource) => isUsable(resource, hold)).sort((a, b) => rank(b, hold) - rank(a, hold));
    for (const resource of this.#usable) {
      if (!isMine(resource, hold)) continue;
      this.#left.set(resource, resource.scalar === undefined ? portsIn(resource) : thousandths(resource.scalar.value));
    }
  }

  scalar(name: 'cpus' | 'mem' | 'disk', needed: number): Gap | null {
    let missing = thousandths(needed);
    let available = 0;
    for (const resource of this.#usable) {
      if (resource.name !== name || resource.scalar === undefined) continue;
      const has = thousandths(resource.scalar.value);
      available += has;
      const take = Math.min(has, missing);
      if (take <= 0) continue;
      missing -= take;
      if (this.#left.has(resource)) this.#left.set(resource, has - take);
      this.#pick(resource, { scalar: { value: take / 1000 } });
    }
    return missing > 0 ? { resource: name, needed, offered: available / 1000 } : null;
  }

  ports(needed: readonly number[]): Gap | null {
    const missing = new Set(needed);
    for (const resource of this.#usable) {
      if (resource.name !== 'ports') continue;
      const ranges = resource.ranges?.range ?? [];
      const here = [...missing].filter((port) => ranges.some((range) => range.begin <= port && port <= range.end));
      if (here.length === 0) continue;
      for (const port of here) missing.delete(port);
      if (this.#left.has(resource)) {
        this.#left.set(
          resource,
          portsIn(resource).filter((port) => !here.includes(port)),
        );
      }
      this.#pick(resource, { ranges: { range: toRanges(here) } });
    }
    if (missing.size === 0) return null;
    const offered = this.#usable.flatMap((resource) =>
      resource.name === 'ports' ? (resource.ranges?.range ?? []) : [],
    );
    return { resource: 'ports', missing: [...missing], offered };
  }

  surplus(): Resource[] {
    const surplus: Resource[] = [];
    for (const [resource, left] of this.#left) {
      if (typeof left === 'number') {
        if (left > 0) surplus.push({ ...identityOf(resource), scalar: { value: left / 1000 } });
      } else if (left.length > 0) {
        surplus.push({ ...identityOf(resource), ranges: { range: toRanges(left) } });
      }
    }
    return surplus;
  }

  #pick(from: Resource, amount: Pick<Resource, 'scalar' | 'ranges'>): void {
    const plain = { ...identityOf(from), ...amount };
    const held = this.#hold === null || isMine(from, this.#hold) ? null : holdOn(plain, this.#hold);
    if (held !== null) this.reserve.push(held);
    addTo(this.task, held ?? plain);
  }
}

/** Reserved now and reserved before become one resource, as Mesos will have them. */
function addTo(list: Resource[], one: Resource): void {
  const same = list.findIndex((other) => other.name === one.name && sameReservations(other, one));
  const other = list[same];
  if (other === undefined) {
    list.push(one);
  } else if (one.scalar !== undefined && other.scalar !== undefined) {
    const value = (thousandths(one.scalar.value) + thousandths(other.scalar.value)) / 1000;
    list[same] = { ...other, scalar: { value } };
  } else {
    list[same] = { ...other, ranges: { range: toRanges([...portsIn(other), ...portsIn(one)]) } };
  }
}

/** Not volumes, and not what anybody (another framework of the role, too) has reserved for himself. */
function isUsable(resource: Resource, hold: Hold | null): boolean {
  if (resource.disk !== undefined || resource.revocable !== undefined || resource.shared !== undefined) return false;
  if (isMine(resource, hold)) return true;
  if (resource.reservation !== undefined) return false;
  return !(resource.reservations ?? []).some((reservation) => reservation.type === 'DYNAMIC');
}

const isMine = (resource: Resource, hold: Hold | null): boolean => hold !== null && isOurs(resource, hold.frameworkId);

function rank(resource: Resource, hold: Hold | null): number {
  if (isMine(resource, hold)) return 2;
  return rolesOf(resource).length > 0 ? 1 : 0;
}

/** SCALAR has three decimals: whole thousandths add up exactly, fractions do not. */
const thousandths = (value: number): number => Math.round(value * 1000);

function portsIn(resource: Resource): number[] {
  return (resource.ranges?.range ?? []).flatMap(({ begin, end }) =>
    Array.from({ length: end - begin + 1 }, (_, index) => begin + index),
  );
}

function toRanges(ports: readonly number[]): Range[] {
  const ranges: Range[] = [];
  for (const port of [...ports].sort((a, b) => a - b)) {
    const last = ranges.at(-1);
    if (last !== undefined && last.end + 1 === port) last.end = port;
    else ranges.push({ begin: port, end: port });
  }
  return ranges;
}

/** All of a resource but its amount: which kind, reserved how, allocated to whom. */
function identityOf(resource: Resource): Resource {
  const { scalar: _scalar, ranges: _ranges, set: _set, ...identity } = resource;
  return identity;
}
