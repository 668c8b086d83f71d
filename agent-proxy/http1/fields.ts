/**
 * The headers that the proxy itself has to do with. A parser recognises each by its bytes and gives it a small number;
 * every other header is `OTHER` and passes as it is.
 */
import { PEER_HEADERS, PEER_HEALTH_HEADER, RETRYABLE_HEADER } from '../control/wire-words.ts';

/** Two masks of 32 bits hold which of them a head has. */
export const FIELD = {
  other: 0,
  host: 1,
  contentLength: 2,
  transferEncoding: 3,
  connection: 4,
  keepAlive: 5,
  proxyConnection: 6,
  proxyAuthenticate: 7,
  proxyAuthorization: 8,
  te: 9,
  trailer: 10,
  upgrade: 11,
  expect: 12,
  via: 13,
  forwardedClientCert: 14,
  dstService: 15,
  dstClient: 16,
  dstResidual: 17,
  requestId: 18,
  dtab: 19,
  contextDtab: 20,
  contextDeadline: 21,
  contextTrace: 22,
  sample: 23,
  debug: 24,
  err: 25,
  retryable: 26,
  successClass: 27,
  peerKey: 28,
  peerBound: 29,
  peerInstance: 30,
  peerHealth: 31,
  traceparent: 32,
  b3: 33,
  b3TraceId: 34,
  b3SpanId: 35,
  b3ParentSpanId: 36,
  b3Sampled: 37,
  b3Flags: 38,
} as const;

export type Field = (typeof FIELD)[keyof typeof FIELD];

/** Lower-case names, by number. */
export const FIELD_NAMES: Readonly<Record<Field, string>> = {
  [FIELD.other]: '',
  [FIELD.host]: 'host',
  [FIELD.contentLength]: 'content-length',
  [FIELD.transferEncoding]: 'transfer-encoding',
  [FIELD.connection]: 'connection',
  [FIELD.keepAlive]: 'keep-alive',
  [FIELD.proxyConnection]: 'proxy-connection',
  [FIELD.proxyAuthenticate]: 'proxy-authenticate',
  [FIELD.proxyAuthorization]: 'proxy-authorization',
  [FIELD.te]: 'te',
  [FIELD.trailer]: 'trailer',
  [FIELD.upgrade]: 'upgrade',
  [FIELD.expect]: 'expect',
  [FIELD.via]: 'via',
  [FIELD.forwardedClientCert]: 'x-forwarded-client-cert',
  [FIELD.dstService]: 'l5d-dst-service',
  [FIELD.dstClient]: 'l5d-dst-client',
  [FIELD.dstResidual]: 'l5d-dst-residual',
  [FIELD.requestId]: 'l5d-reqid',
  [FIELD.dtab]: 'l5d-dtab',
  [FIELD.contextDtab]: 'l5d-ctx-dtab',
  [FIELD.contextDeadline]: 'l5d-ctx-deadline',
  [FIELD.contextTrace]: 'l5d-ctx-trace',
  [FIELD.sample]: 'l5d-sample',
  [FIELD.debug]: 'l5d-debug',
  [FIELD.err]: 'l5d-err',
  [FIELD.retryable]: RETRYABLE_HEADER,
  [FIELD.successClass]: 'l5d-success-class',
  [FIELD.peerKey]: PEER_HEADERS.key,
  [FIELD.peerBound]: PEER_HEADERS.bound,
  [FIELD.peerInstance]: PEER_HEADERS.instance,
  [FIELD.peerHealth]: PEER_HEALTH_HEADER,
  [FIELD.traceparent]: 'traceparent',
  [FIELD.b3]: 'b3',
  [FIELD.b3TraceId]: 'x-b3-traceid',
  [FIELD.b3SpanId]: 'x-b3-spanid',
  [FIELD.b3ParentSpanId]: 'x-b3-parentspanid',
  [FIELD.b3Sampled]: 'x-b3-sampled',
  [FIELD.b3Flags]: 'x-b3-flags',
};

/** Whether a field is in a pair of masks, where each has its bit. */
export function isIn(low: number, high: number, field: Field): boolean {
  return ((field < 32 ? low : high) & (1 << field)) !== 0;
}

interface Candidate {
  readonly field: Field;
  readonly octets: Uint8Array;
}

/** Candidates by the length of their name. */
const CANDIDATES: readonly (readonly Candidate[])[] = (() => {
  const byLength: Candidate[][] = [];
  for (const field of Object.values(FIELD)) {
    const octets = Buffer.from(FIELD_NAMES[field], 'latin1');
    if (octets.length === 0) continue;
    for (let length = byLength.length; length <= octets.length; length += 1) byLength.push([]);
    byLength[octets.length]?.push({ field, octets });
  }
  return byLength;
})();

/** The number of a header by its name's bytes, which are known to be a token (so `| 0x20` is enough to fold letters). */
export function fieldOf(bytes: Uint8Array, start: number, end: number): Field {
  const candidates = CANDIDATES[end - start];
  if (candidates === undefined) return FIELD.other;
  for (let index = 0; index < candidates.length; index += 1) {
    const candidate = candidates[index];
    if (candidate !== undefined && isNamed(candidate.octets, bytes, start)) return candidate.field;
  }
  return FIELD.other;
}

function isNamed(octets: Uint8Array, bytes: Uint8Array, start: number): boolean {
  for (let index = 0; index < octets.length; index += 1) {
    const octet = bytes[start + index] ?? 0;
    // A letter differs from its capital by one bit; `-` and digits have that bit set already, so only letters fold.
    if ((octet >= 0x41 && octet <= 0x5a ? octet | 0x20 : octet) !== octets[index]) return false;
  }
  return true;
}
