/** What is kept of one control session. */
import type { ConfigRefusal } from '../../agent-proxy/control/contract.ts';
import type { Behind } from './anti-entropy.ts';
import type { Course, Distributor } from './distributor.ts';
import type { Feed } from './feed.ts';
import type { Fill } from './fills.ts';
import type { SessionStream } from './session-stream.ts';
import type { RunningCode, SessionHealth, SessionView, SyncView } from './session-view.ts';

export interface Session {
  readonly id: string;
  readonly agentId: string;
  readonly taskId: string;
  readonly incomingPort: number;
  readonly hasEdge: boolean;
  readonly reportMs: number;
  configRevision: number;
  configRefusal: ConfigRefusal | null;
  health: SessionHealth;
  running: RunningCode;
  link: { readonly kind: 'open'; readonly stream: SessionStream } | { readonly kind: 'gone'; readonly since: number };
  heardAt: number;
  readonly heartbeatMs: number;
  beatAt: number;
  readonly course: Course;
  /** What its course is through. */
  readonly lane: Lane;
  /** Null where the table has all endpoints. */
  readonly fill: Fill | null;
  behind: Behind | null;
  sync: SyncView;
}

/** A table, and how it gets to those who have it. */
export interface Lane {
  readonly feed: Feed;
  readonly distributor: Distributor;
}

export function viewOf(session: Session): SessionView {
  const { agentId, taskId, configRevision, configRefusal, incomingPort, hasEdge, health, running, sync, link } =
    session;
  const connected = link.kind === 'open';
  return { agentId, taskId, configRevision, configRefusal, incomingPort, hasEdge, health, running, sync, connected };
}
