/**
 * What the workers of one proxy say to each other, by way of their supervisor. The worker with index 0 leads: it shows the
 * figures of all, and under a scheduler it has the only link, and tells the others of the table.
 *
 * Each message is small (far below 64 kB), and one that is lost hurts nobody for long: questions have a deadline, a gap in
 * the table is noticed, counts that were not sent are kept for the next time.
 */
import type { AskedName, Report, Traffic } from '../control/contract.ts';
import type { WorkerFrame } from '../routing/service-table.ts';
import type { ExportedScope } from '../telemetry/merge.ts';
import type { RecentRow } from '../telemetry/recent-requests.ts';

/** What the leader asks for, and what a piece of the answer is made of. */
export interface Answers {
  readonly metrics: ExportedScope;
  readonly requests: RecentRow;
  readonly clients: readonly [string, unknown];
}
export type Question = keyof Answers;

/** What a worker that follows says of its table. */
export interface TableState {
  /** Null while it has none. */
  readonly revision: number | null;
  readonly digest: string;
  /** Of the endpoints that came one by one. */
  readonly filled: string;
}

export type FromLeader =
  /** A leader has begun to lead: who is there? */
  | { readonly kind: 'lead' }
  | { readonly kind: 'level'; readonly logger: string; readonly level: string }
  /** The first piece of an answer is wanted. */
  | { readonly kind: 'ask'; readonly id: number; readonly question: Question }
  /** The next one. */
  | { readonly kind: 'more'; readonly id: number }
  | { readonly kind: 'frame'; readonly frame: WorkerFrame }
  | { readonly kind: 'peer-key'; readonly key: string };

export type FromFollower =
  /** To a leader that asks, and once at the start. `table`: null without a scheduler. */
  | { readonly kind: 'join'; readonly table: TableState | null }
  | { readonly kind: 'piece'; readonly id: number; readonly items: readonly unknown[]; readonly isLast: boolean }
  /** A frame was taken; `isGap`: it could not be applied. */
  | { readonly kind: 'took'; readonly isGap: boolean }
  /** Services whose addresses it follows now, or does not any more; none of those that it said before it joined. */
  | { readonly kind: 'want'; readonly services: readonly string[]; readonly isWanted: boolean }
  | {
      readonly kind: 'counts';
      readonly traffic: readonly Traffic[];
      readonly names: readonly AskedName[];
      readonly instances: Report['instances'];
    };

/** How a worker reaches the others. */
export interface Channel<Sent, Heard> {
  /** False where too much is on its way already, and this is not sent. */
  send(to: number, message: Sent): boolean;
  onMessage(listener: (message: Heard, from: number) => void): void;
}
