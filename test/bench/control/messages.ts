/** What the processes of the bench say to each other (IPC of Node.js), and the time that they share. */

/** The monotonic clock of the machine, the same in every process. Milliseconds. */
export function nowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

export interface Served {
  readonly connected: number;
  /** How many have the newest table that they can have. */
  readonly served: number;
  /** When the last of them had it. */
  readonly lastAt: number;
  readonly resumed: number;
  readonly snapshots: number;
  /** Tables that were not what the scheduler said, and streams that were lost. */
  readonly wrong: number;
  readonly lost: number;
}

export interface Seen {
  readonly change: number;
  readonly proxies: number;
  readonly lastAt: number;
}

export type ToMarathon = { readonly kind: 'change'; readonly change: number };
export type FromMarathon =
  | { readonly kind: 'listening'; readonly port: number }
  | { readonly kind: 'written'; readonly change: number; readonly at: number };

export type ToProxies =
  /** All streams are dropped and opened again, at once. */
  | { readonly kind: 'connect'; readonly accepts: readonly string[]; readonly sayDigest: boolean }
  | { readonly kind: 'served' }
  | { readonly kind: 'seen'; readonly change: number };
export type FromProxies =
  | { readonly kind: 'served'; readonly served: Served }
  | { readonly kind: 'seen'; readonly seen: Seen };
