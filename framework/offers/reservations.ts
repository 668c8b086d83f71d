/**
 * Dynamic reservations: what an agent's task needs is held for it, under labels that name the framework and the agent, so
 * that a task that dies gets its place back before anyone else takes it. Shapes: Mesos, docs/reservation.md and
 * docs/reservation-refinement.md.
 */
import type { FrameworkId, Labels, Resource } from '../mesos-http-client/messages.ts';

/** Under what the resources of one agent's task are held. */
export interface Hold {
  /** The role that the offer is allocated to. */
  readonly role: string;
  readonly principal: string | null;
  readonly frameworkId: FrameworkId;
  readonly agentId: string;
}

const FRAMEWORK_LABEL = 'framework_id';
const RESOURCE_LABEL = 'resource_id';

function labelsOf(hold: Hold): Labels {
  return {
    labels: [
      { key: FRAMEWORK_LABEL, value: hold.frameworkId },
      { key: RESOURCE_LABEL, value: hold.agentId },
    ],
  };
}

/** `resource`, reserved for the task; null when it is reserved to the very role already, on which no more can be put. */
export function holdOn(resource: Resource, hold: Hold): Resource | null {
  if (rolesOf(resource).at(-1) === hold.role) return null;
  const reservation = {
    type: 'DYNAMIC' as const,
    role: hold.role,
    ...(hold.principal === null ? {} : { principal: hold.principal }),
    labels: labelsOf(hold),
  };
  return { ...resource, reservations: [...(resource.reservations ?? []), reservation] };
}

/**
 * True for what this framework has reserved. Whichever agent the label names: one that came back under a new id still
 * holds what was reserved under the old one.
 */
export function isOurs(resource: Resource, frameworkId: FrameworkId | null): boolean {
  return frameworkId !== null && resource.disk === undefined && labelOf(resource, FRAMEWORK_LABEL) === frameworkId;
}

function labelOf(resource: Resource, key: string): string | null {
  const last = resource.reservations?.at(-1);
  if (last?.type !== 'DYNAMIC') return null;
  return last.labels?.labels?.find((label) => label.key === key)?.value ?? null;
}

/** The roles a resource is reserved to, outermost first, in either of the two shapes. */
export function rolesOf(resource: Resource): string[] {
  const stack = (resource.reservations ?? []).map((reservation) => reservation.role ?? '');
  if (stack.length > 0) return stack;
  return resource.role === undefined || resource.role === '*' ? [] : [resource.role];
}

/** Null for what is reserved to nobody. */
export function outermostRole({ reservations, role }: Resource): string | null {
  const first = reservations?.[0];
  if (first !== undefined) return first.role ?? '';
  return role === undefined || role === '*' ? null : role;
}

export function sameReservations(a: Resource, b: Resource): boolean {
  const of = ({ role, reservation, reservations }: Resource): string =>
    JSON.stringify([role, reservation, reservations]);
  return of(a) === of(b);
}
