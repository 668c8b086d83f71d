/** What the parts of the master share: its tables, its time, and how to ask for an allocation. */
import type { AgentTable } from './agents.ts';
import type { Clock } from './clock.ts';
import type { FrameworkTable } from './frameworks.ts';
import type { Credential } from './http-auth.ts';
import type { MaintenanceBook } from './maintenance.ts';
import type { OfferBook, OfferFilters } from './offers.ts';
import type { OperatorStreams } from './operator-stream.ts';

export interface MasterIdentity {
  /** A UUID, new with each master; agent, framework and offer ids begin with it. */
  readonly id: string;
  readonly ip: string;
  readonly port: number;
  readonly hostname: string;
  readonly startedAt: number;
}

export interface MasterSettings {
  readonly agentPingTimeoutMs: number;
  readonly agentReregisterTimeoutMs: number;
  readonly allocationIntervalMs: number;
  readonly heartbeatMs: number;
  /** Empty: nobody has to say who he is. */
  readonly credentials: readonly Credential[];
}

export interface MasterContext {
  readonly identity: MasterIdentity;
  readonly settings: MasterSettings;
  readonly clock: Clock;
  readonly uuid: () => string;
  readonly agents: AgentTable;
  readonly frameworks: FrameworkTable;
  readonly offers: OfferBook;
  readonly filters: OfferFilters;
  readonly maintenance: MaintenanceBook;
  readonly operators: OperatorStreams;
  /** Allocate soon, at most once for all requests of this moment. */
  readonly requestAllocation: () => void;
  /** When all that is free is allocated next, whether or not anything has happened. */
  readonly nextRoundAt: () => number;
  /** Numbers the ids of agents, frameworks and offers. */
  readonly nextNumber: (kind: 'agent' | 'framework' | 'offer') => number;
}
