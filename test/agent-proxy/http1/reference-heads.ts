/** The heads of the reference parser, from the grammar of RFC 9112 and RFC 9110. */
import type { Pair, ReferenceLimits, ReferenceMessage } from './reference-messages.ts';
import { type Octets, Refused } from './reference-octets.ts';

const TCHAR = /[!#$%&'*+\-.^_`|~0-9A-Za-z]/;
/** `field-vchar`, SP and HTAB. */
export const VALUE_CHAR = /[\t\x20-\x7e\x80-\xff]/;
/** Nothing but printing ASCII, and no fragment. */
const TARGET_CHAR = /[!"$-~]/;
const DIGIT = /[0-9]/;

const REG_NAME = "(?:[A-Za-z0-9\\-._~!$&'()*+,;=]|%[0-9A-Fa-f]{2})*";
const HOST = new RegExp(`^(?:\\[[0-9A-Fa-f:.]+\\]|${REG_NAME})(?::[0-9]*)?$`);
const HOST_AND_PORT = new RegExp(`^(?:\\[[0-9A-Fa-f:.]+\\]|${REG_NAME.slice(0, -1)}+):[0-9]{1,5}$`);
const ABSOLUTE_FORM = /^https?:\/\/([^/?]*)(\/[^?]*)?(\?.*)?$/i;

export type Head = Omit<ReferenceMessage, 'body' | 'trailers'> & { readonly length: number };

function version(octets: Octets, status: number): '1.0' | '1.1' {
  octets.expect('HTTP/1.', status, 'not a version of HTTP that is known');
  const minor = octets.peek();
  if (minor !== '0' && minor !== '1') throw new Refused(status, 'not a version of HTTP that is known');
  octets.at += 1;
  return minor === '0' ? '1.0' : '1.1';
}

/** `field-line CRLF` … and the empty line. */
export function fieldSection(octets: Octets, limits: ReferenceLimits, status: number): Pair[] {
  const fields: Pair[] = [];
  const most = octets.at + limits.maxHeaders;
  octets.limit(most, status);
  for (;;) {
    if (octets.at + 2 > most) throw new Refused(status, 'the head is too long');
    if (octets.peek() === '\r') {
      octets.expect('\r\n', 400, 'a line does not end with CR LF');
      return fields;
    }
    if (fields.length === limits.maxFields) throw new Refused(status, 'too many fields');
    const name = octets.run(TCHAR);
    if (name === '') throw new Refused(400, 'a field without a name');
    octets.expect(':', 400, 'no colon behind the name');
    octets.check();
    const value = octets.run(VALUE_CHAR);
    octets.expect('\r\n', 400, 'the line of a field does not end with CR LF');
    fields.push([name, value.replace(/^[ \t]+|[ \t]+$/g, '')]);
  }
}

function valuesOf(fields: readonly Pair[], name: string): string[] {
  return fields.filter(([key]) => key.toLowerCase() === name).map(([, value]) => value);
}

/** The elements of a list, in lower case, without empty ones. */
function listOf(fields: readonly Pair[], name: string): string[] {
  return valuesOf(fields, name)
    .flatMap((value) => value.split(','))
    .map((element) => element.replace(/^[ \t]+|[ \t]+$/g, '').toLowerCase())
    .filter((element) => element !== '');
}

interface Length {
  readonly isChunked: boolean;
  readonly length: number | null;
}

/** RFC 9112, 6: what the head says of its body, before the method and the status have their say. */
function bodyLength(fields: readonly Pair[], httpVersion: string): Length {
  const lengths = valuesOf(fields, 'content-length');
  if (!lengths.every((value) => /^[0-9]{1,15}$/.test(value))) throw new Refused(400, 'Content-Length is no length');
  const [length = null, ...others] = lengths.map(Number);
  if (others.some((other) => other !== length)) throw new Refused(400, 'lengths differ');
  const coded = valuesOf(fields, 'transfer-encoding');
  if (coded.length === 0) return { isChunked: false, length };
  if (httpVersion === '1.0') throw new Refused(400, 'Transfer-Encoding in HTTP/1.0');
  if (length !== null) throw new Refused(400, 'both Content-Length and Transfer-Encoding');
  const codings = coded.join(',').toLowerCase();
  if (codings === 'chunked') return { isChunked: true, length: null };
  const known = /^[ \t]*((x-)?gzip|deflate|(x-)?compress|identity)[ \t]*,/;
  let rest = codings;
  while (known.test(rest)) rest = rest.replace(known, '');
  const isMore = rest !== codings && /^[ \t]*chunked[ \t]*$/.test(rest);
  throw new Refused(isMore ? 501 : 400, 'not exactly chunked');
}

function persists(fields: readonly Pair[], httpVersion: string): boolean {
  const options = listOf(fields, 'connection');
  if (options.includes('close')) return false;
  return httpVersion === '1.1' || options.includes('keep-alive');
}

export function requestHead(octets: Octets, limits: ReferenceLimits): Head {
  const begin = octets.at;
  octets.limit(begin + limits.maxLine, 414);
  const method = octets.run(TCHAR);
  if (method === '') throw new Refused(400, 'no method');
  octets.expect(' ', 400, 'no single space behind the method');
  octets.check();
  const written = octets.run(TARGET_CHAR);
  if (written === '') throw new Refused(400, 'no target');
  octets.expect(' ', 400, 'no single space behind the target');
  // What follows has eight octets, or is refused in any case.
  if (octets.at + 'HTTP/1.1'.length > begin + limits.maxLine) throw new Refused(414, 'too long');
  const httpVersion = version(octets, 505);
  if (octets.peek() !== '\r' && octets.peek() !== '\n') throw new Refused(505, 'more than a version');
  octets.expect('\r\n', 400, 'the request line does not end with CR LF');
  const fields = fieldSection(octets, limits, 431);
  const hosts = valuesOf(fields, 'host');
  if (hosts.length > 1) throw new Refused(400, 'more than one Host');
  const { isChunked, length } = bodyLength(fields, httpVersion);
  if (hosts.length === 0 && httpVersion === '1.1') throw new Refused(400, 'no Host');
  if (!hosts.every((host) => HOST.test(host))) throw new Refused(400, 'Host is no host');
  const { target, authority } = targetOf(method, written);
  // RFC 9110, 9.3.6: CONNECT has no content.
  if (method === 'CONNECT' && (isChunked || (length ?? 0) > 0)) throw new Refused(400, 'CONNECT with a body');
  const expectations = valuesOf(fields, 'expect').map((value) => value.toLowerCase());
  if (expectations.length > 0 && expectations.join() !== '100-continue') throw new Refused(417, 'an expectation');
  const isProxied = authority !== null && httpVersion === '1.0';
  return {
    start: {
      kind: 'request',
      method,
      written,
      target,
      host: (authority ?? hosts[0] ?? '') || null,
      expectsContinue: expectations.length > 0 && httpVersion === '1.1',
    },
    version: httpVersion,
    fields,
    framing: isChunked ? 'chunked' : (length ?? 0) > 0 ? 'length' : 'none',
    length: length ?? 0,
    // RFC 9112, 9.3: a proxy does not keep the connection of a client of HTTP/1.0.
    persists: persists(fields, httpVersion) && !isProxied,
  };
}

/** RFC 9112, 3.2: the four forms. */
function targetOf(method: string, written: string): { target: string; authority: string | null } {
  if (method === 'CONNECT') {
    if (!HOST_AND_PORT.test(written)) throw new Refused(400, 'CONNECT wants host:port');
    return { target: written, authority: written };
  }
  if (written.startsWith('/')) return { target: written, authority: null };
  if (written === '*' && method === 'OPTIONS') return { target: '*', authority: null };
  const [, authority = '', path = '', query = ''] = ABSOLUTE_FORM.exec(written) ?? [];
  // RFC 9110, 4.2.1: an empty host is invalid; userinfo has no place here (4.2.4).
  if (authority === '' || authority.startsWith(':') || !HOST.test(authority)) throw new Refused(400, 'a bad target');
  if (method === 'OPTIONS' && path === '' && query === '') return { target: '*', authority };
  return { target: `${path === '' ? '/' : path}${query}`, authority };
}

export function responseHead(octets: Octets, limits: ReferenceLimits, method: string): Head {
  const begin = octets.at;
  octets.limit(begin + limits.maxLine, 502);
  const httpVersion = version(octets, 502);
  octets.expect(' ', 502, 'no space before the status');
  let digits = '';
  while (digits.length < 3) {
    if (!DIGIT.test(octets.peek())) throw new Refused(502, 'no status');
    digits += octets.any();
  }
  const status = Number(digits);
  if (status < 100 || status > 599) throw new Refused(502, 'no such status');
  if (octets.peek() !== ' ' && octets.peek() !== '\r') throw new Refused(502, 'no space behind the status');
  const reason = octets.run(VALUE_CHAR);
  octets.expect('\r\n', 502, 'the status line does not end with CR LF');
  const fields = fieldSection(octets, limits, 502);
  const { isChunked, length } = bodyLength(fields, httpVersion);
  if (valuesOf(fields, 'host').length > 1) throw new Refused(502, 'more than one Host');
  const opensTunnel = method === 'CONNECT' && status >= 200 && status < 300;
  const isBare = method === 'HEAD' || status < 200 || status === 204 || status === 304 || opensTunnel;
  const framing = isBare ? 'none' : isChunked ? 'chunked' : length === null ? 'close' : length > 0 ? 'length' : 'none';
  return {
    start: { kind: 'response', status, reason: reason.slice(1) },
    version: httpVersion,
    fields,
    framing,
    length: framing === 'length' ? (length ?? 0) : 0,
    persists: framing !== 'close' && persists(fields, httpVersion),
  };
}
