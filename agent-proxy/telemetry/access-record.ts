/** What the access log and the recent requests are told of a request that is over. */
import type { ReasonCode } from '../control/reason-codes.ts';

/** Texts are byte strings as they came; null where there is none. */
export interface AccessRecord {
  /** The router's label. */
  readonly router: string;
  readonly remoteAddress: string;
  readonly method: string;
  readonly target: string;
  /** `1.1` or `1.0`. */
  readonly version: string;
  readonly host: string | null;
  /** Null where there was no answer. */
  readonly status: number | null;
  /** Of the response's body, as it was sent; null where there was none to be sent. */
  readonly bytes: number | null;
  readonly referer: string | null;
  readonly userAgent: string | null;
  readonly latencyMs: number;
  /** Why it failed, where it did. */
  readonly reason: ReasonCode | null;
  /** The logical name. */
  readonly service: string | null;
  /** The name that it was bound to. */
  readonly client: string | null;
  /** The instance and the way to it that answered. */
  readonly upstream: string | null;
  readonly retries: number;
}
