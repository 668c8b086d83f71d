/** What a supervisor and its worker say to each other over the child's IPC channel. */
import type { ProxySpec } from '../config/spec.ts';

export type ToWorker =
  | {
      readonly type: 'start';
      readonly spec: ProxySpec;
      /** The descriptor of each listener, in the order of `spec.listeners`. */
      readonly fds: readonly number[];
      /** Workers that died before this one. */
      readonly workerRestarts: number;
    }
  /** Take no new connections, finish what is in flight, be gone when that is done or the time is up. */
  | { readonly type: 'drain'; readonly graceMs: number };

export type FromWorker =
  | { readonly type: 'listening' }
  /** listen(2) said no: another process listens on that address since before we bound it. */
  | { readonly type: 'listen-failed'; readonly code: string; readonly ip: string; readonly port: number }
  /** `POST /admin/shutdown`. */
  | { readonly type: 'shutdown' };
