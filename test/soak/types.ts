/** What the parts of the soak share. All times are milliseconds since it began. */

export interface Options {
  readonly minutes: number;
  readonly seed: number;
  readonly agents: number;
  readonly rps: number;
}

export const FAULTS = [
  'agent cut off',
  'agent gone, another joins',
  'master fails over',
  'scheduler killed',
  'proxy killed',
  'worker killed',
] as const;
export type FaultKind = (typeof FAULTS)[number];

export interface Fault {
  readonly kind: FaultKind;
  readonly at: number;
  /** The agent that it hit; null: none. */
  readonly ip: string | null;
  /** When what it hit was well again; null: not yet. */
  until: number | null;
}

/** `direct`: as an app on the node would; `retryableRead5XX`: one with that classifier stands before the nodes. */
export type Way = 'direct' | 'retryableRead5XX';

export interface Failure {
  readonly way: Way;
  /** Where it entered the mesh; null where the retrying proxy chose. */
  readonly ip: string | null;
  readonly from: number;
  readonly to: number;
  readonly what: string;
}
