/**
 * The one table of coded errors of the data plane: each failed request can be explained by one short reason code, which
 * stands in the access log, in a metric label, in `l5d-err` and in tap.
 *
 * `status` is the HTTP answer when the proxy makes one (null: there is nobody to answer). `retryable` means that
 * nothing was sent upstream, so another instance may be tried; it becomes `l5d-retryable: true`.
 */
export interface ReasonRow {
  readonly status: number | null;
  readonly retryable: boolean;
  /** What happened, for people. */
  readonly sentence: string;
}

export const REASONS = {
  'bad-request': { status: 400, retryable: false, sentence: 'the request could not be understood' },
  'not-supported': { status: 501, retryable: false, sentence: 'this proxy does not pass on such a request' },
  unidentified: { status: 400, retryable: false, sentence: 'no identifier found a name in the request' },
  'not-exposed': { status: 404, retryable: false, sentence: 'no app is exposed under this host and path' },
  'unknown-name': { status: 502, retryable: false, sentence: 'no service has this name' },
  unbound: { status: 503, retryable: false, sentence: 'it could not be found out where this name leads' },
  'no-endpoint': { status: 502, retryable: false, sentence: 'the service has no instance that takes traffic' },
  refused: { status: 502, retryable: true, sentence: 'the connection was refused or could not be made' },
  reset: { status: 502, retryable: false, sentence: 'the connection ended before the response was complete' },
  deadline: { status: 503, retryable: false, sentence: 'the deadline passed' },
  timeout: { status: 503, retryable: false, sentence: 'the request took longer than the router allows' },
  shed: { status: 503, retryable: true, sentence: 'the proxy is at its limit of concurrent requests' },
  breaker: { status: 503, retryable: true, sentence: 'every instance is marked dead by failure accrual' },
  nack: { status: 503, retryable: true, sentence: 'the instance is not on this node (any more)' },
  'not-ready': { status: 503, retryable: true, sentence: 'the proxy has no table of services yet' },
  'bad-response': { status: 502, retryable: false, sentence: 'the response could not be understood' },
  'client-gone': { status: null, retryable: false, sentence: 'the client closed the connection' },
  'app-error': { status: null, retryable: false, sentence: 'the application answered with an error' },
} as const satisfies Record<string, ReasonRow>;

export type ReasonCode = keyof typeof REASONS;
