/** RESERVE, UNRESERVE, CREATE and DESTROY: pure conversions of resources, or the reason why not. */
import type { Operation, Resource } from '../../framework/mesos-http-client/messages.ts';
import {
  add,
  allocate,
  contains,
  formatResources,
  type Resources,
  reservationsOf,
  resources,
  subtract,
  unallocate,
  withoutDisk,
  withoutReservation,
} from './resources.ts';

/** Operations that change resources rather than launch tasks. */
export type ResourceOperation = Extract<Operation, { type: 'RESERVE' | 'UNRESERVE' | 'CREATE' | 'DESTROY' }>;

export type Conversion =
  | { readonly kind: 'converted'; readonly consumed: Resources; readonly converted: Resources }
  | { readonly kind: 'refused'; readonly reason: string };

export interface OperationSite {
  /** The role of the offers. */
  readonly role: string;
  readonly principal: string | undefined;
  /** RESERVATION_REFINEMENT: the framework may stack reservations. */
  readonly refined: boolean;
  /** What is left of the offers, allocated to the role. */
  readonly available: Resources;
}

export function convert(operation: ResourceOperation, site: OperationSite): Conversion {
  const named = allocate(resources(resourcesIn(operation)), site.role);
  const refusal = refusalOf(operation, named, site);
  if (refusal !== null) return { kind: 'refused', reason: refusal };
  const [consumed, converted] = conversionOf(operation, named);
  if (!contains(site.available, consumed)) {
    const reason = `Invalid ${operation.type} operation: ${formatResources(site.available)} does not contain ${formatResources(consumed)}`;
    return { kind: 'refused', reason };
  }
  return { kind: 'converted', consumed, converted };
}

export function apply(list: Resources, conversion: Extract<Conversion, { kind: 'converted' }>): Resources {
  return add(subtract(list, conversion.consumed), conversion.converted);
}

/** As agents have them. */
export function volumesIn(operation: Extract<ResourceOperation, { type: 'DESTROY' }>): Resources {
  return unallocate(resources(resourcesIn(operation)));
}

function resourcesIn(operation: ResourceOperation): readonly Resource[] {
  switch (operation.type) {
    case 'RESERVE':
      return operation.reserve.resources;
    case 'UNRESERVE':
      return operation.unreserve.resources;
    case 'CREATE':
      return operation.create.volumes;
    case 'DESTROY':
      return operation.destroy.volumes;
  }
}

function conversionOf(operation: ResourceOperation, named: Resources): [consumed: Resources, converted: Resources] {
  const unreserved = (): Resources => add([], named.map(withoutReservation));
  const plainDisk = (): Resources => add([], named.map(withoutDisk));
  switch (operation.type) {
    case 'RESERVE':
      return [unreserved(), named];
    case 'UNRESERVE':
      return [named, unreserved()];
    case 'CREATE':
      return [plainDisk(), named];
    case 'DESTROY':
      return [named, plainDisk()];
  }
}

function refusalOf(operation: ResourceOperation, named: Resources, site: OperationSite): string | null {
  if (named.length === 0) return `Invalid ${operation.type} operation: no resources specified`;
  const refusals = named.map((resource) => refuseOne(operation.type, resource, site));
  return refusals.find((refusal) => refusal !== null) ?? null;
}

function refuseOne(type: ResourceOperation['type'], resource: Resource, site: OperationSite): string | null {
  switch (type) {
    case 'RESERVE':
      return refuseReserve(resource, site);
    case 'UNRESERVE':
      return refuseUnreserve(resource);
    case 'CREATE':
    case 'DESTROY':
      return refuseVolume(resource);
  }
}

function refuseReserve(resource: Resource, site: OperationSite): string | null {
  const text = formatResources([resource]);
  const reservation = reservationsOf(resource).at(-1);
  if (reservation?.type !== 'DYNAMIC') return `Resource ${text} is not dynamically reserved`;
  const stack = reservationsOf(resource).map(({ role }) => role ?? '*');
  const stray = stack.find((role, index) => index > 0 && !role.startsWith(`${stack[index - 1]}/`));
  if (stray !== undefined) {
    return `Invalid refined reservation: role '${stray}' is not a child of role '${stack[stack.indexOf(stray) - 1]}'`;
  }
  if (stack.length > 1 && !site.refined) {
    return `Resource ${text} is a refined reservation, but the framework does not have the RESERVATION_REFINEMENT capability`;
  }
  if (reservation.role !== site.role) {
    return `A reserve operation was attempted for a resource allocated to role '${site.role}', but with role '${reservation.role}'`;
  }
  if (site.role === '*') return 'Invalid reservation: role "*" cannot be reserved';
  if (site.principal !== undefined && reservation.principal !== site.principal) {
    return `A reserve operation was attempted by principal '${site.principal}', but the resource ${text} is to be reserved with principal '${reservation.principal ?? ''}'`;
  }
  return null;
}

function refuseUnreserve(resource: Resource): string | null {
  const text = formatResources([resource]);
  if (reservationsOf(resource).at(-1)?.type !== 'DYNAMIC') return `Resource ${text} is not dynamically reserved`;
  if (resource.disk === undefined) return null;
  return `A dynamically reserved persistent volume ${text} cannot be unreserved directly; destroy it first`;
}

function refuseVolume(resource: Resource): string | null {
  if (resource.disk === undefined) return `Resource ${formatResources([resource])} is not a persistent volume`;
  const reserved = reservationsOf(resource).length > 0;
  return reserved ? null : 'Persistent volumes cannot be created from unreserved resources.';
}
