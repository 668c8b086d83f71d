/** Who is asked must lead: a standby knows nothing of nodes and plans, and says where the leader is. */
import type { ControlPlane } from '../control-plane.ts';
import { ApiError } from './errors.ts';

export interface Leadership {
  /** Null until this process leads. */
  plane(): ControlPlane | null;
  /** Base URL of the scheduler that leads, where it is known; asked while `plane` is null. */
  leader(): string | null;
}

/** @throws {ApiError} 503 on a standby. */
export function leadingPlane({ plane, leader }: Leadership): ControlPlane {
  const current = plane();
  if (current !== null) return current;
  const url = leader();
  const where = url === null ? 'which one does is not known (yet)' : `ask ${url}`;
  throw new ApiError(503, `this scheduler does not lead; ${where}`, { leader: url });
}
