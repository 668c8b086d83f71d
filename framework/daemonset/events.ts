/** What the core is told and what it wants done. Time comes with each event; the core has no clock. */

import type { AgentView } from '../agent.ts';
import type {
  AgentId,
  CallBody,
  FrameworkId,
  InverseOffer,
  Offer,
  OfferId,
  Range,
  TaskId,
  TaskStatus,
} from '../mesos-http-client/messages.ts';
import type { Goal } from '../rollout/goal.ts';
import type { Judgement } from '../rollout/judgement.ts';
import type { PlanCommand, PlanOutcome } from '../rollout/plan-view.ts';
import type { AgentRecord, FrameworkRecord, RolloutRecord } from '../state/records.ts';
import type { TaskHealth } from '../tasks/ledger.ts';

/** An agent as the operator API tells of it. */
export interface ListedAgent {
  readonly view: AgentView;
  /** The operator has deactivated it (draining does that too). */
  readonly deactivated: boolean;
  /** All ports that it gives out. */
  readonly ports: readonly Range[];
  /** True when resources of it are held under the labels of this framework; null when the list does not show reservations. */
  readonly holdsOurs: boolean | null;
}

/** What somebody asks for who waits for the answer: an operator, or the framework's user. */
export type Order =
  | { readonly kind: 'plan'; readonly command: PlanCommand }
  | { readonly kind: 'freeze'; readonly frozen: boolean }
  /** `node`: agent id, hostname or address. `why`: a clause; null takes the node in again. */
  | { readonly kind: 'hold-out'; readonly node: string; readonly why: string | null }
  | {
      readonly kind: 'credential';
      readonly taskId: TaskId;
      readonly credential: string;
      readonly replaces: string | null;
    };

export type DaemonsetEvent =
  /** First of all: what is wanted from now on. */
  | { readonly type: 'begin'; readonly goal: Goal; readonly uninstall: boolean }
  | { readonly type: 'subscribed'; readonly frameworkId: FrameworkId }
  | { readonly type: 'disconnected' }
  | { readonly type: 'offers'; readonly offers: readonly Offer[] }
  | { readonly type: 'inverse-offers'; readonly offers: readonly InverseOffer[] }
  | { readonly type: 'inverse-offer-rescinded'; readonly offerId: OfferId }
  | { readonly type: 'update'; readonly status: TaskStatus }
  | { readonly type: 'agent-failure' }
  /** The beginning of a long list of agents. */
  | { readonly type: 'some-agents'; readonly registered: readonly ListedAgent[] }
  /**
   * All agents, or the rest of them; `askedAt` is when the question was sent: what was seen later is newer than the list.
   * `before`: who was in the parts that came before.
   */
  | {
      readonly type: 'agents';
      readonly before?: readonly AgentId[];
      readonly registered: readonly ListedAgent[];
      readonly recovered: readonly AgentId[];
      readonly askedAt: number;
    }
  | { readonly type: 'agent-added'; readonly agent: ListedAgent }
  | { readonly type: 'agent-removed'; readonly agentId: AgentId }
  | { readonly type: 'health'; readonly taskId: TaskId; readonly health: TaskHealth }
  /** The task says that it runs this goal. */
  | { readonly type: 'runs'; readonly taskId: TaskId; readonly goal: string }
  | { readonly type: 'upgrade-failed'; readonly taskId: TaskId; readonly goal: string; readonly reason: string }
  /** More about how a task ended (its last words), and about who holds the ports of an agent. */
  | { readonly type: 'last-words'; readonly agentId: AgentId; readonly taskId: TaskId; readonly text: string }
  | { readonly type: 'port-holders'; readonly agentId: AgentId; readonly holders: Readonly<Record<number, string>> }
  | { readonly type: 'order'; readonly id: number; readonly order: Order }
  /** Who judges rollouts of the strategy `gate` says this of a phase of one. */
  | { readonly type: 'judged'; readonly rollout: string; readonly phase: number; readonly judgement: Judgement }
  /** The master has taken the TEARDOWN. */
  | { readonly type: 'torn-down' }
  /** An ACCEPT (of the launch of `taskId`): `refused` for good, so its offers are still open, or who knows whether it arrived. */
  | {
      readonly type: 'accept-failed';
      readonly taskId: TaskId | null;
      readonly offerIds: readonly OfferId[];
      readonly refused: boolean;
      readonly text: string;
    }
  | { readonly type: 'tick' };

export type Action =
  /** Durable before any of the calls of the same step is sent. */
  | { readonly type: 'persist-framework'; readonly record: FrameworkRecord }
  | { readonly type: 'persist-rollout'; readonly record: RolloutRecord }
  | { readonly type: 'persist'; readonly record: AgentRecord }
  | { readonly type: 'forget'; readonly agentId: AgentId }
  /** `launches` is set on an ACCEPT: what becomes of it is to be told. */
  | { readonly type: 'call'; readonly body: CallBody; readonly launches?: TaskId }
  /** Ask for the list of agents (GET_AGENTS). */
  | { readonly type: 'list-agents' }
  /** Make the running task into this goal; said again until it runs it. */
  | { readonly type: 'upgrade'; readonly agentId: AgentId; readonly taskId: TaskId; readonly goal: Goal }
  /** Find out what a task that failed said last. */
  | { readonly type: 'ask-last-words'; readonly agentId: AgentId; readonly taskId: TaskId }
  /** Find out which tasks have these ports of the agent. */
  | { readonly type: 'ask-port-holders'; readonly agentId: AgentId; readonly ports: readonly number[] }
  /** Nothing is left at Mesos, and this record is all that is left in the store. */
  | { readonly type: 'uninstalled' }
  | { readonly type: 'answer'; readonly id: number; readonly outcome: PlanOutcome }
  | { readonly type: 'changed'; readonly agentId: AgentId }
  | { readonly type: 'log'; readonly level: 'info' | 'warn'; readonly message: string; readonly fields: object }
  /** Send a tick then; replaces the one before. */
  | { readonly type: 'wake'; readonly at: number };
