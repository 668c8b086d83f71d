/** What the core is told and what it wants done. Time comes with each event; the core has no clock. */

import type { AgentView } from '../contract.ts';
import type {
  AgentId,
  CallBody,
  FrameworkId,
  InverseOffer,
  Offer,
  OfferId,
  TaskId,
  TaskStatus,
} from '../mesos-http-client/messages.ts';
import type { AgentRecord } from '../state/records.ts';
import type { TaskHealth } from '../tasks/ledger.ts';

/** An agent as the operator API tells of it. */
export interface ListedAgent {
  readonly view: AgentView;
  /** The operator has deactivated it (draining does that too). */
  readonly deactivated: boolean;
}

export type DaemonsetEvent =
  | { readonly type: 'subscribed'; readonly frameworkId: FrameworkId }
  | { readonly type: 'disconnected' }
  | { readonly type: 'offers'; readonly offers: readonly Offer[] }
  | { readonly type: 'inverse-offers'; readonly offers: readonly InverseOffer[] }
  | { readonly type: 'update'; readonly status: TaskStatus }
  | { readonly type: 'agent-failure' }
  /** All agents; `askedAt` is when the question was sent: what was seen later is newer than the list. */
  | {
      readonly type: 'agents';
      readonly registered: readonly ListedAgent[];
      readonly recovered: readonly AgentId[];
      readonly askedAt: number;
    }
  | { readonly type: 'agent-added'; readonly agent: ListedAgent }
  | { readonly type: 'agent-removed'; readonly agentId: AgentId }
  | { readonly type: 'health'; readonly taskId: TaskId; readonly health: TaskHealth }
  /** The ACCEPT of a launch: `refused` for good, so its offers are still open, or nobody knows whether it arrived. */
  | {
      readonly type: 'launch-failed';
      readonly taskId: TaskId;
      readonly offerIds: readonly OfferId[];
      readonly refused: boolean;
      readonly text: string;
    }
  | { readonly type: 'tick' };

export type Action =
  /** Durable before any of the calls of the same step is sent. */
  | { readonly type: 'persist-framework'; readonly frameworkId: FrameworkId }
  | { readonly type: 'persist'; readonly record: AgentRecord }
  | { readonly type: 'forget'; readonly agentId: AgentId }
  /** `launches` is set on an ACCEPT: what becomes of it is to be told. */
  | { readonly type: 'call'; readonly body: CallBody; readonly launches?: TaskId }
  /** Ask for the list of agents (GET_AGENTS). */
  | { readonly type: 'list-agents' }
  | { readonly type: 'changed'; readonly agentId: AgentId }
  | { readonly type: 'log'; readonly level: 'info' | 'warn'; readonly message: string; readonly fields: object }
  /** Send a tick then; replaces the one before. */
  | { readonly type: 'wake'; readonly at: number };
