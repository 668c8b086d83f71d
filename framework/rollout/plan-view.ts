/** Plans as the DC/OS SDK shows them: a plan has phases, a phase has steps, and each has a status. */

export type PlanStatus = 'PENDING' | 'IN_PROGRESS' | 'WAITING' | 'COMPLETE' | 'ERROR';

export interface StepView {
  /** Stable: the agent's id, mostly. */
  readonly id: string;
  readonly name: string;
  readonly status: PlanStatus;
  readonly message: string;
}

export interface PhaseView {
  readonly id: string;
  readonly name: string;
  readonly strategy: string;
  readonly status: PlanStatus;
  readonly steps: readonly StepView[];
}

export interface PlanView {
  readonly name: string;
  readonly status: PlanStatus;
  readonly strategy: string;
  readonly errors: readonly string[];
  readonly phases: readonly PhaseView[];
}

export const PLAN_VERBS = ['start', 'stop', 'continue', 'interrupt', 'restart', 'forceComplete'] as const;
export type PlanVerb = (typeof PLAN_VERBS)[number];

export interface PlanCommand {
  readonly plan: string;
  readonly verb: PlanVerb;
  /** By name or id. */
  readonly phase?: string;
  readonly step?: string;
}

export type PlanOutcome =
  | { readonly kind: 'done'; readonly message: string }
  /** It is so already. */
  | { readonly kind: 'already'; readonly message: string }
  /** There is no such plan, phase or step. */
  | { readonly kind: 'not-found'; readonly message: string }
  /** The command makes no sense there. */
  | { readonly kind: 'invalid'; readonly message: string };

/** Of a whole, from its parts: an error anywhere is an error, and what has begun anywhere is in progress. */
export function statusOfParts(parts: readonly PlanStatus[]): PlanStatus {
  if (parts.includes('ERROR')) return 'ERROR';
  if (parts.every((part) => part === 'COMPLETE')) return 'COMPLETE';
  if (parts.includes('IN_PROGRESS')) return 'IN_PROGRESS';
  if (parts.includes('WAITING')) return 'WAITING';
  return parts.includes('COMPLETE') ? 'IN_PROGRESS' : 'PENDING';
}
