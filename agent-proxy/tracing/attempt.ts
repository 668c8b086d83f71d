/**
 * What is remembered of a request that is traced or asks for `l5d-debug`: when it came and went, and each attempt upstream.
 * Times are `performance.now()` milliseconds. Requests that are neither keep nothing of this.
 */
import type { ReasonCode } from '../control/reason-codes.ts';
import type { Judgement } from '../resilience/classifier.ts';
import type { TraceContext } from './context.ts';

/** One sending of the request to one instance. */
export interface Attempt {
  readonly context: TraceContext;
  readonly startedAt: number;
  /** The head of the request was written; null where it never was. */
  readonly wroteAt: number | null;
  /** The head of the response came; null where none came. */
  readonly headAt: number | null;
  readonly endedAt: number;
  /** The bound name, e.g. `/#/io.l5d.marathon/web`. */
  readonly client: string;
  /** A task id, or `address:port`. */
  readonly instance: string;
  /** Where it was sent: the instance, or the peer proxy before it. */
  readonly address: string;
  readonly port: number;
  readonly status: number | null;
  readonly judgement: Judgement;
  readonly reason: ReasonCode | null;
}

/** A request at the server's edge. Texts are byte strings. */
export interface TracedRequest {
  /** The server's context, as the propagator set it. */
  readonly context: TraceContext;
  /** The router's label. */
  readonly router: string;
  readonly remoteAddress: string;
  readonly method: string;
  readonly target: string;
  readonly host: string | null;
  readonly startedAt: number;
  readonly endedAt: number;
  /** The logical name, e.g. `/svc/web`; null where none was identified. */
  readonly service: string | null;
  readonly status: number | null;
  readonly reason: ReasonCode | null;
  readonly attempts: readonly Attempt[];
}
