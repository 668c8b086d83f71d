/**
 * What a supervisor and its workers say to each other over a child's IPC channel. A worker may be of newer or older code
 * than its supervisor: a change that one of them would not understand raises `SUPERVISOR_PROTOCOL` (control/wire-words.ts).
 */
import type { Ending } from '../accept/ending.ts';
import type { GivenConfig, ProxySpec } from '../config/spec.ts';
import type { ConfigRefusal, Upgrade, UpgradeReport } from '../control/contract.ts';

export type ToWorker =
  | WorkerStart
  /** Take no new connections, finish what is in flight, be gone when that is done or the time is up (null: none is set). */
  | { readonly type: 'drain'; readonly ending: Ending; readonly graceMs: number | null }
  /** Those that served before are told to end: to the one that leads, which was started beside them. */
  | { readonly type: 'alone' }
  /** How the last upgrade stands; for the one that leads. */
  | { readonly type: 'upgrade'; readonly upgrade: UpgradeReport }
  /** A configuration that was asked for does not do; for the one that leads. */
  | { readonly type: 'config-refused'; readonly refusal: ConfigRefusal }
  /** What another worker of the same specification says. */
  | { readonly type: 'passed'; readonly from: number; readonly body: unknown };

export interface WorkerStart {
  readonly type: 'start';
  readonly spec: ProxySpec;
  /** The descriptors of each listener's one socket, in the order of `spec.listeners`. */
  readonly fds: readonly (readonly number[])[];
  /** Which of how many this is. The one with index 0 leads: it has the admin listener and the link to a scheduler. */
  readonly index: number;
  readonly count: number;
  /** It goes on with what an earlier worker has begun: after its death, or after a reload. */
  readonly takesOver: boolean;
  /** Others serve, and have the link to the scheduler, until it hears that it is alone. */
  readonly isBeside: boolean;
  /** Workers that died before this one. */
  readonly workerRestarts: number;
  /** How the last upgrade stands; null where none was asked for. */
  readonly upgrade: UpgradeReport | null;
  /** What the last configuration was refused for; null where it is what runs. */
  readonly configRefusal: ConfigRefusal | null;
}

export type FromWorker =
  | { readonly type: 'listening' }
  /** listen(2) said no: another process listens on that address since before we bound it. */
  | { readonly type: 'listen-failed'; readonly code: string; readonly ip: string; readonly port: number }
  /** `POST /admin/shutdown`. */
  | { readonly type: 'shutdown' }
  /** The scheduler wants other code. `running`: of the code of this worker. */
  | { readonly type: 'upgrade'; readonly wanted: Upgrade; readonly running: string | null }
  /** The scheduler wants another configuration. */
  | { readonly type: 'configure'; readonly wanted: GivenConfig }
  /** This worker serves, and the scheduler knows it. */
  | { readonly type: 'reached' }
  /** For another worker of the same specification. */
  | { readonly type: 'pass'; readonly to: number; readonly body: unknown };
