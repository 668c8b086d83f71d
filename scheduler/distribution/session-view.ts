/** A control session, as the rest of the scheduler sees it. */
import type { ConfigRefusal, UpgradeReport } from '../../agent-proxy/control/contract.ts';

export interface SessionView {
  readonly agentId: string;
  readonly taskId: string;
  readonly configRevision: number;
  /** Why it does not run the configuration that it was sent last; null where it does. */
  readonly configRefusal: ConfigRefusal | null;
  readonly incomingPort: number;
  /** It has, or had before its last configuration, an edge router. */
  readonly hasEdge: boolean;
  readonly health: SessionHealth;
  readonly running: RunningCode;
  readonly sync: SyncView;
  /** False while it waits, after the end of its stream, for its proxy to come back. */
  readonly connected: boolean;
}

/** How the proxy's table stands to ours. */
export interface SyncView {
  /** What it has, as it said last. */
  readonly revision: number;
  /** Whether its table then was ours at that revision; null while it has said nothing. */
  readonly digestOk: boolean | null;
  /** How often its table was wrong and was sent again. */
  readonly repairs: number;
  /** How old its table was then, as it said itself; null: it did not. See `Report`. */
  readonly tableAgeMs: number | null;
  /** When it said so, by the sessions' clock; null: not yet. */
  readonly reportedAt: number | null;
}

/** The code of a proxy, as it says itself. */
export interface RunningCode {
  readonly version: string;
  /** Null for a proxy that cannot be upgraded in place. */
  readonly codeSha256: string | null;
  /** How the last upgrade stands; null where none was asked for. */
  readonly upgrade: UpgradeReport | null;
}

/** `connecting`: subscribed, nothing reported yet. */
export type SessionHealth =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'ready' }
  | { readonly kind: 'not-ready'; readonly reason: string };
