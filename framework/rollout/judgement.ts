/**
 * The port of rollouts of the strategy `gate`: what who judges is shown of one, and what he may say of it. The framework
 * knows the health of tasks, and nothing of what they are for.
 */
import type { AgentId } from '../mesos-http-client/messages.ts';
import type { Goal } from './goal.ts';

/** Of one phase of one rollout; of any other it is old news. */
export type Judgement =
  /** Nodes have their turn from now on, in this order; those that it does not name come last. Said again after each start. */
  | { readonly kind: 'begin'; readonly order: readonly AgentId[] }
  /** It waits; null: not any more. */
  | { readonly kind: 'hold'; readonly why: string | null }
  /** `proven`: there was enough to judge by. */
  | { readonly kind: 'pass'; readonly proven: boolean }
  /** It did harm. */
  | { readonly kind: 'fail'; readonly why: string };

/** A rollout that is to be judged. */
export interface JudgedRollout {
  readonly id: string;
  readonly goal: Goal;
  readonly phase: number;
  readonly isLastPhase: boolean;
  /** Who judges has said that it may begin. */
  readonly isOrdered: boolean;
  /** All nodes that the phase can have are changed, and were well for long enough. */
  readonly isFull: boolean;
  /** This phase has passed. */
  readonly hasPassed: boolean;
  /** Nodes that are being changed. */
  readonly changing: readonly AgentId[];
  /** Nodes that this phase has changed. */
  readonly changed: readonly AgentId[];
  /** Nodes that phases before it have changed. */
  readonly earlier: readonly AgentId[];
}
