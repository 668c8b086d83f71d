/** What the reference parser finds in a stream. */

export interface ReferenceLimits {
  readonly maxLine: number;
  readonly maxHeaders: number;
  readonly maxFields: number;
}

export type Pair = readonly [name: string, value: string];

export interface RequestLine {
  readonly kind: 'request';
  readonly method: string;
  /** As it was written. */
  readonly written: string;
  /** What is asked of the host: an origin form or `*`; for CONNECT the authority. */
  readonly target: string;
  /** The authority: the target's, else Host's; null where neither says one. */
  readonly host: string | null;
  readonly expectsContinue: boolean;
}

export interface StatusLine {
  readonly kind: 'response';
  readonly status: number;
  readonly reason: string;
}

export interface ReferenceMessage {
  readonly start: RequestLine | StatusLine;
  readonly version: '1.0' | '1.1';
  readonly fields: readonly Pair[];
  readonly framing: 'none' | 'length' | 'chunked' | 'close';
  /** Whether the connection may go on afterwards. */
  readonly persists: boolean;
  readonly body: string;
  readonly trailers: readonly Pair[];
}

export type StreamEnd =
  | { readonly kind: 'complete' }
  | { readonly kind: 'unfinished' }
  | { readonly kind: 'fault'; readonly status: number; readonly why: string };

export interface ReferenceOutcome {
  readonly messages: readonly ReferenceMessage[];
  /** The message whose body is not complete: what came of it. */
  readonly partial: ReferenceMessage | null;
  readonly end: StreamEnd;
}
