/**
 * `/v1/health`: always answered with 200, because it tells whether this process lives, whatever Mesos, Marathon and
 * ZooKeeper do. How the service is stands in the body, also with the number that the DC/OS SDK gives it.
 */
import type { PlanStatus } from '../../framework/index.ts';
import type { ControlPlane } from '../control-plane.ts';
import type { Refusal } from '../permissions/refusals.ts';

/** The SDK's numbers, so far as they have a meaning here. */
const CODES = {
  running: 200,
  deployingStarting: 202,
  recoveringPending: 203,
  deployingPending: 204,
  recoveringStarting: 205,
  deployingWaitingUser: 207,
  initializing: 318,
  error: 500,
  unavailable: 503,
} as const;

/** What each plan's status makes of the whole, the first that is not complete decides. */
const DEPLOYING: Readonly<Record<PlanStatus, number>> = {
  COMPLETE: CODES.running,
  PENDING: CODES.deployingPending,
  IN_PROGRESS: CODES.deployingStarting,
  WAITING: CODES.deployingWaitingUser,
  ERROR: CODES.error,
};
const RECOVERING: Readonly<Record<PlanStatus, number>> = {
  ...DEPLOYING,
  PENDING: CODES.recoveringPending,
  IN_PROGRESS: CODES.recoveringStarting,
  WAITING: CODES.recoveringPending,
};

export interface HealthFacts {
  readonly plane: ControlPlane | null;
  readonly version: string;
  /** Of a standby: who leads. */
  readonly leader: string | null;
  /** What the cluster does not let us do. */
  readonly refusals: readonly Refusal[];
}

export function healthJson({ plane, version, leader, refusals }: HealthFacts): object {
  const plans = plane === null ? {} : statusesOf(plane);
  const { value, reasons } = judged(plane, plans);
  return {
    status: 'ok',
    version,
    leading: plane !== null,
    leader: plane === null ? leader : null,
    subscribed: plane?.framework.subscribed() ?? false,
    frozen: plane?.framework.frozen ?? false,
    epoch: plane?.epoch ?? null,
    revision: plane?.revision ?? null,
    sessions: plane?.sessions ?? 0,
    marathon: { connected: plane?.discovery.connected ?? false, synced: plane?.discovery.synced ?? false },
    marathons: plane?.discovery.statuses() ?? [],
    mesosDiscovery: {
      enabled: plane === null ? null : plane.mesos !== null,
      connected: plane?.mesos?.connected ?? false,
    },
    plans,
    refusals,
    value,
    reasons,
  };
}

export function statusesOf(plane: ControlPlane): Record<string, PlanStatus> {
  const { framework } = plane;
  return Object.fromEntries(
    framework.planNames().flatMap((name) => {
      const status = framework.plan(name)?.status;
      return status === undefined ? [] : [[name, status]];
    }),
  );
}

function judged(
  plane: ControlPlane | null,
  plans: Readonly<Record<string, PlanStatus>>,
): { value: number; reasons: string[] } {
  if (plane === null) return { value: CODES.unavailable, reasons: ['this scheduler does not lead'] };
  if (plane.framework.frameworkId() === null) {
    return { value: CODES.initializing, reasons: ['not registered with Mesos yet'] };
  }
  const fault = plane.configFault;
  const open = Object.entries(plans).filter(([, status]) => status !== 'COMPLETE');
  const reasons = open.map(([name, status]) => `plan ${name}: ${status}`);
  if (!plane.framework.subscribed()) reasons.push('not subscribed to Mesos');
  if (fault !== null) reasons.push(fault);
  const values = open.map(([name, status]) => (name === 'recovery' ? RECOVERING : DEPLOYING)[status]);
  const error = values.find((value) => value === CODES.error);
  // As in the SDK, deploying goes before recovering.
  const deploying = open.findIndex(([name]) => name !== 'recovery');
  return { value: error ?? values[Math.max(deploying, 0)] ?? CODES.running, reasons };
}
