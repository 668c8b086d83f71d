/**
 * Headers on their way through the proxy (RFC 9110, 7.6): what belongs to one connection is taken off, `Via` is
 * appended to, everything else passes with its case and order.
 */
import { PEER_HEADERS, PEER_HEALTH_HEADER, RETRYABLE_HEADER } from '../control/contract.ts';
import { headerOf, type RawHeaders } from './message.ts';

const VIA = '1.1 nodemesh';

const HOP_BY_HOP = [
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
] as const;

/** `Connection` may name headers of its hop, but not those that say where a message ends or whom it is for. */
const NEVER_NAMED: ReadonlySet<string> = new Set(['content-length', 'host', 'transfer-encoding']);

/** What the proxy sets itself, what proves a peer, and what only a terminator of TLS may say. */
const REQUEST_DROPS: ReadonlySet<string> = new Set([
  ...HOP_BY_HOP,
  ...Object.values(PEER_HEADERS),
  'host',
  'expect',
  'l5d-dst-service',
  'l5d-dst-client',
  'l5d-dst-residual',
  'l5d-reqid',
  'x-forwarded-client-cert',
]);

const RESPONSE_DROPS: ReadonlySet<string> = new Set([...HOP_BY_HOP, PEER_HEALTH_HEADER]);
/** An application does not get to say that its answer was none: towards a peer this word is the proxy's alone. */
const RESPONSE_DROPS_TO_PEER: ReadonlySet<string> = new Set([...RESPONSE_DROPS, RETRYABLE_HEADER]);

/** How a request's body is framed on the way in, and so on the way out. */
export type Framing = { readonly kind: 'none' } | { readonly kind: 'chunked' } | { readonly kind: 'length' };

export function framingOf(headers: RawHeaders): Framing {
  if (headerOf(headers, 'transfer-encoding') !== null) return { kind: 'chunked' };
  const length = headerOf(headers, 'content-length');
  return length === null || Number(length) === 0 ? { kind: 'none' } : { kind: 'length' };
}

/**
 * Whether a `Transfer-Encoding` says more than `chunked`. The proxy takes chunks off and does not decode, so it could not
 * say what the body is.
 */
export function isCodedOtherwise(headers: RawHeaders): boolean {
  if (headerOf(headers, 'transfer-encoding') === null) return false;
  const values = headers.filter((_value, index) => index % 2 === 1 && isTransferEncoding(headers[index - 1]));
  return values.join().trim().toLowerCase() !== 'chunked';
}

function isTransferEncoding(name: string | undefined): boolean {
  return name?.length === 'transfer-encoding'.length && name.toLowerCase() === 'transfer-encoding';
}

/** What the proxy adds to a request. */
export interface RequestAdditions {
  readonly host: string;
  /** The logical name, `/svc/web`. */
  readonly service: string;
  /** The bound name, `/#/io.l5d.marathon/web`. */
  readonly client: string;
  readonly requestId: string;
  /** To a peer: the key that proves us, and the instance that was chosen. */
  readonly peer: { readonly key: string; readonly instance: string } | null;
}

export function forwardedRequest(headers: RawHeaders, framing: Framing, add: RequestAdditions): string[] {
  const out = endToEnd(headers, REQUEST_DROPS);
  out.unshift('Host', add.host);
  if (framing.kind === 'chunked') out.push('Transfer-Encoding', 'chunked');
  out.push('l5d-dst-service', add.service, 'l5d-dst-client', add.client, 'l5d-reqid', add.requestId);
  if (add.peer !== null) {
    out.push(PEER_HEADERS.key, add.peer.key, PEER_HEADERS.bound, add.client, PEER_HEADERS.instance, add.peer.instance);
  }
  return out;
}

export function forwardedResponse(headers: RawHeaders, toPeer: boolean): string[] {
  return endToEnd(headers, toPeer ? RESPONSE_DROPS_TO_PEER : RESPONSE_DROPS);
}

function endToEnd(headers: RawHeaders, drops: ReadonlySet<string>): string[] {
  const named = namedByConnection(headers);
  const out: string[] = [];
  let via = VIA;
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const name = headers[index] ?? '';
    const value = headers[index + 1] ?? '';
    const key = name.toLowerCase();
    if (drops.has(key) || named?.has(key) === true) continue;
    if (key === 'via') via = via === VIA ? `${value}, ${VIA}` : `${via.slice(0, -VIA.length)}${value}, ${VIA}`;
    else out.push(name, value);
  }
  out.push('Via', via);
  return out;
}

function namedByConnection(headers: RawHeaders): Set<string> | null {
  let named: Set<string> | null = null;
  for (let index = 0; index + 1 < headers.length; index += 2) {
    if (headers[index]?.toLowerCase() !== 'connection') continue;
    for (const part of (headers[index + 1] ?? '').split(',')) {
      const name = part.trim().toLowerCase();
      if (name === '' || name === 'close' || name === 'keep-alive' || NEVER_NAMED.has(name)) continue;
      named ??= new Set();
      named.add(name);
    }
  }
  return named;
}
