/**
 * Resource arithmetic as Mesos does it: scalars with three decimals, ranges and sets; amounts add up only where name,
 * reservations, allocation and disk are the same. Inside the master every resource has the post-refinement shape;
 * `toWire` writes the older one for frameworks without RESERVATION_REFINEMENT.
 */
import type { Range, ReservationInfo, Resource } from '../../framework/mesos-http-client/messages.ts';
import { containsRanges, countRanges, formatRanges, mergeRanges, subtractRanges } from './ranges.ts';

/** Normalised resources: no two of them could be merged. */
export type Resources = readonly Resource[];

/** From either shape to the post-refinement one, without empty fields. */
export function normalise(resource: Resource): Resource {
  return {
    ...amountOf(resource),
    name: resource.name,
    type: resource.type,
    reservations: reservationsOf(resource),
    ...(resource.allocation_info?.role === undefined
      ? {}
      : { allocation_info: { role: resource.allocation_info.role } }),
    ...(resource.disk === undefined ? {} : { disk: resource.disk }),
  };
}

/** The stack of reservations, whichever shape they came in; empty is unreserved. */
export function reservationsOf(resource: Resource): ReservationInfo[] {
  if (resource.reservations !== undefined) return resource.reservations;
  if (resource.role === undefined || resource.role === '*') return [];
  const type = resource.reservation === undefined ? 'STATIC' : 'DYNAMIC';
  return [{ ...resource.reservation, type, role: resource.role }];
}

/** The role that the resource is reserved to, or null. The innermost reservation counts. */
export function reservedRole(resource: Resource): string | null {
  return reservationsOf(resource).at(-1)?.role ?? null;
}

export function resources(list: readonly Resource[]): Resources {
  return add([], list.map(normalise));
}

export function add(a: Resources, b: Resources): Resources {
  const sum = new Map(a.map((resource) => [identityOf(resource), resource]));
  for (const resource of b) {
    if (isEmpty(resource)) continue;
    const key = identityOf(resource);
    const present = sum.get(key);
    sum.set(key, present === undefined ? resource : combine(present, resource, 'add'));
  }
  return [...sum.values()];
}

/** What is left of `a`; more than there is leaves nothing, never a debt. */
export function subtract(a: Resources, b: Resources): Resources {
  const left = new Map(a.map((resource) => [identityOf(resource), resource]));
  for (const resource of b) {
    const key = identityOf(resource);
    const present = left.get(key);
    if (present === undefined) continue;
    const rest = combine(present, resource, 'subtract');
    if (isEmpty(rest)) left.delete(key);
    else left.set(key, rest);
  }
  return [...left.values()];
}

export function contains(whole: Resources, part: Resources): boolean {
  const has = new Map(whole.map((resource) => [identityOf(resource), resource]));
  return add([], part).every((resource) => {
    const present = has.get(identityOf(resource));
    if (present === undefined) return false;
    if (resource.type === 'SCALAR') return milli(present) >= milli(resource);
    if (resource.type === 'RANGES') return containsRanges(rangesOf(present), rangesOf(resource));
    return (resource.set?.item ?? []).every((item) => (present.set?.item ?? []).includes(item));
  });
}

/** The same amounts, allocated to a role (as resources are in offers and tasks). */
export function allocate(list: Resources, role: string): Resources {
  return list.map((resource) => ({ ...resource, allocation_info: { role } }));
}

/** The same amounts, as an agent has them. */
export function unallocate(list: Resources): Resources {
  return add(
    [],
    list.map(({ allocation_info: _, ...resource }) => resource),
  );
}

/** The same amounts with the innermost reservation taken off. */
export function withoutReservation(resource: Resource): Resource {
  return { ...resource, reservations: reservationsOf(resource).slice(0, -1) };
}

/** What an agent keeps itself: what was made of its resources by RESERVE and CREATE. */
export function checkpointedOf(list: Resources): Resources {
  return list.filter((resource) => isDynamic(resource) || resource.disk !== undefined);
}

/** An agent's own resources with what was reserved and created on them; what they cannot bear is left out. */
export function withCheckpointed(own: Resources, checkpointed: readonly Resource[]): Resources {
  return checkpointed.map(normalise).reduce((total, resource) => {
    const before = [asConfigured(resource)];
    return contains(total, before) ? add(subtract(total, before), [resource]) : total;
  }, own);
}

function isDynamic(resource: Resource): boolean {
  return reservationsOf(resource).some((reservation) => reservation.type === 'DYNAMIC');
}

function asConfigured(resource: Resource): Resource {
  const reservations = reservationsOf(resource).filter((reservation) => reservation.type !== 'DYNAMIC');
  return { ...withoutDisk(resource), reservations };
}

/** A persistent volume's disk as it was before CREATE. */
export function withoutDisk({ disk: _, ...resource }: Resource): Resource {
  return resource;
}

/** Amounts of the scalar resources (and the number of ports), in thousandths, whatever their reservation. */
export function quantities(list: Resources): Map<string, number> {
  const totals = new Map<string, number>();
  for (const resource of list) {
    const amount = resource.type === 'RANGES' ? countRanges(rangesOf(resource)) * 1000 : milli(resource);
    totals.set(resource.name, (totals.get(resource.name) ?? 0) + amount);
  }
  return totals;
}

/** As the master prints resources in its messages: `cpus(allocated: *):64; ports(allocated: *):[80-80]`. */
export function formatResources(list: Resources): string {
  return list.length === 0 ? '{}' : list.map(formatResource).join('; ');
}

/** For the wire: with `refined` false in the shape from before reservation refinement. */
export function toWire(resource: Resource, refined: boolean): Resource {
  const { reservations, role: _role, reservation: _reservation, allocation_info, disk, ...amount } = resource;
  const rest = {
    ...(allocation_info === undefined ? {} : { allocation_info }),
    ...(disk === undefined ? {} : { disk }),
  };
  const stack = reservations ?? [];
  // An empty list is not written, as in every JSON that is made from protobuf.
  if (refined) return { ...amount, ...rest, ...(stack.length === 0 ? {} : { reservations: stack }) };
  const innermost = stack.at(-1);
  if (innermost === undefined) return { ...amount, role: '*', ...rest };
  const { type, role, ...dynamic } = innermost;
  return { ...amount, role: role ?? '*', ...rest, ...(type === 'DYNAMIC' ? { reservation: dynamic } : {}) };
}

/** The order in which the allocator of Mesos lists an offer: ranges and sets, what is reserved, the other scalars. */
export function inOfferOrder(list: Resources): Resources {
  const rank = (resource: Resource): number => {
    if (resource.type !== 'SCALAR') return 0;
    return reservationsOf(resource).length > 0 ? 1 : 2;
  };
  return [...list].sort((a, b) => rank(a) - rank(b));
}

function formatResource(resource: Resource): string {
  const allocated = resource.allocation_info?.role;
  const reserved = reservationsOf(resource).map((reservation) => {
    const labels = (reservation.labels?.labels ?? []).map((label) => `${label.key}: ${label.value ?? ''}`);
    const parts = [reservation.type ?? 'STATIC', reservation.role ?? '*'];
    if (reservation.principal !== undefined) parts.push(reservation.principal);
    if (labels.length > 0) parts.push(`{${labels.join(', ')}}`);
    return `(${parts.join(',')})`;
  });
  return [
    resource.name,
    allocated === undefined ? '' : `(allocated: ${allocated})`,
    reserved.length === 0 ? '' : `(reservations: [${reserved.join(',')}])`,
    ':',
    formatAmount(resource),
  ].join('');
}

function formatAmount(resource: Resource): string {
  if (resource.type === 'SCALAR') return String(milli(resource) / 1000);
  if (resource.type === 'RANGES') return formatRanges(rangesOf(resource));
  return `{${(resource.set?.item ?? []).join(', ')}}`;
}

function combine(a: Resource, b: Resource, how: 'add' | 'subtract'): Resource {
  if (a.type === 'SCALAR') {
    const value = how === 'add' ? milli(a) + milli(b) : milli(a) - milli(b);
    return { ...a, scalar: { value: Math.max(0, value) / 1000 } };
  }
  if (a.type === 'RANGES') {
    const range =
      how === 'add' ? mergeRanges([...rangesOf(a), ...rangesOf(b)]) : subtractRanges(rangesOf(a), rangesOf(b));
    return { ...a, ranges: { range } };
  }
  const other = b.set?.item ?? [];
  const items = a.set?.item ?? [];
  const item = how === 'add' ? [...new Set([...items, ...other])] : items.filter((name) => !other.includes(name));
  return { ...a, set: { item } };
}

export function isEmpty(resource: Resource): boolean {
  if (resource.type === 'SCALAR') return milli(resource) <= 0;
  if (resource.type === 'RANGES') return countRanges(rangesOf(resource)) === 0;
  return (resource.set?.item ?? []).length === 0;
}

/** Thousandths: floating point must not make 0.1 + 0.2 more than 0.3. */
function milli(resource: Resource): number {
  return Math.round((resource.scalar?.value ?? 0) * 1000);
}

function rangesOf(resource: Resource): readonly Range[] {
  return resource.ranges?.range ?? [];
}

function amountOf(resource: Resource): Pick<Resource, 'scalar' | 'ranges' | 'set'> {
  if (resource.type === 'SCALAR') return { scalar: { value: milli(resource) / 1000 } };
  if (resource.type === 'RANGES') return { ranges: { range: mergeRanges(rangesOf(resource)) } };
  return { set: { item: [...(resource.set?.item ?? [])] } };
}

/** Resources with equal identity add up to one. */
function identityOf(resource: Resource): string {
  return JSON.stringify([
    resource.name,
    resource.type,
    reservationsOf(resource).map((reservation) => [
      reservation.type ?? 'STATIC',
      reservation.role ?? '*',
      reservation.principal ?? null,
      (reservation.labels?.labels ?? []).map((label) => [label.key, label.value ?? null]),
    ]),
    resource.allocation_info?.role ?? null,
    resource.disk ?? null,
  ]);
}
