/**
 * What may not pass, as a table: heads and bodies that two programs might read in two ways, with the answer that each of
 * them gets. Each is tried whole and in small pieces.
 */
import { describe, expect, it } from 'vitest';
import { LIMITS } from './limits.ts';
import { cutAt, octetsOf, requestsIn, responsesIn } from './streams.ts';

type Row = readonly [what: string, stream: string, status: number];

const HOST = 'Host: a\r\n';
const CHUNKED = `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n`;

/** Octet by octet; a long stream in larger pieces, or the table would take minutes. */
function inPieces(stream: string): Buffer[] {
  if (stream.length < 500) return octetsOf(stream);
  return cutAt(
    stream,
    Array.from({ length: Math.ceil(stream.length / 199) }, (_, index) => index * 199),
  );
}

/** A request whose head has these lines besides its Host. */
function post(lines: string): string {
  return `POST / HTTP/1.1\r\n${HOST}${lines}\r\n`;
}

/** A request with so many octets of headers, the empty line included. */
function headersOf(octets: number): string {
  const rest = octets - HOST.length - 'A: \r\n\r\n'.length;
  return post(`A: ${'a'.repeat(rest)}\r\n`);
}

const FRAMING: readonly Row[] = [
  ['both Content-Length and Transfer-Encoding', post('Content-Length: 5\r\nTransfer-Encoding: chunked\r\n'), 400],
  ['the same in the other order', post('Transfer-Encoding: chunked\r\nContent-Length: 5\r\n'), 400],
  ['lengths that differ', post('Content-Length: 5\r\nContent-Length: 6\r\n'), 400],
  ['lengths that differ in a list', post('Content-Length: 5, 6\r\n'), 400],
  ['a list of equal lengths', post('Content-Length: 5, 5\r\n'), 400],
  ['a signed length', post('Content-Length: +5\r\n'), 400],
  ['a negative length', post('Content-Length: -5\r\n'), 400],
  ['a hexadecimal length', post('Content-Length: 0x5\r\n'), 400],
  ['a length with a space in it', post('Content-Length: 5 0\r\n'), 400],
  ['a length with a fraction', post('Content-Length: 5.0\r\n'), 400],
  ['an empty length', post('Content-Length:\r\n'), 400],
  ['a length beyond 64 bits', post('Content-Length: 18446744073709551621\r\n'), 400],
  ['Transfer-Encoding in HTTP/1.0', 'POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', 400],
  ['an empty coding', post('Transfer-Encoding:\r\n'), 400],
  ['a coding that is not chunked', post('Transfer-Encoding: gzip\r\n'), 400],
  ['identity', post('Transfer-Encoding: identity\r\n'), 400],
  ['chunked before another coding', post('Transfer-Encoding: chunked, gzip\r\n'), 400],
  ['chunked twice', post('Transfer-Encoding: chunked, chunked\r\n'), 400],
  ['chunked in two headers', post('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n'), 400],
  ['chunked hidden by a second header', post('Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n'), 400],
  ['a list that ends with a comma', post('Transfer-Encoding: chunked,\r\n'), 400],
  ['a list that begins with a comma', post('Transfer-Encoding: ,chunked\r\n'), 400],
  ['a misspelled coding', post('Transfer-Encoding: xchunked\r\n'), 400],
  ['a coding with a parameter', post('Transfer-Encoding: chunked;a=b\r\n'), 400],
  ['a coding in quotes', post('Transfer-Encoding: "chunked"\r\n'), 400],
  ['a vertical tab before the coding', post('Transfer-Encoding: \x0bchunked\r\n'), 400],
  ['an octet that some programs take for a space', post('Transfer-Encoding: \xa0chunked\r\n'), 400],
  ['a known coding below chunked', post('Transfer-Encoding: gzip, chunked\r\n'), 501],
];

const LINES: readonly Row[] = [
  ['a space before the colon', post('Content-Length : 5\r\n'), 400],
  ['a tab before the colon', post('Transfer-Encoding\t: chunked\r\n'), 400],
  ['a line that begins with a space (obs-fold)', post('A: b\r\n c\r\n'), 400],
  ['a line that begins with a tab (obs-fold)', post('A: b\r\n\tc\r\n'), 400],
  ['a space before the first header', `GET / HTTP/1.1\r\n ${HOST}\r\n`, 400],
  ['a bare LF behind a header', post('A: b\nC: d\r\n'), 400],
  ['a bare CR in a header', post('A: b\rC: d\r\n'), 400],
  ['CR CR LF', post('A: b\r\r\n'), 400],
  ['a bare LF behind the request line', 'GET / HTTP/1.1\nHost: a\r\n\r\n', 400],
  ['a bare LF as the empty line', `GET / HTTP/1.1\r\n${HOST}\n`, 400],
  ['a bare CR as the empty line', `GET / HTTP/1.1\r\n${HOST}\rGET /b HTTP/1.1\r\n`, 400],
  ['NUL in a value', post('A: b\0c\r\n'), 400],
  ['NUL in a name', post('A\0: b\r\n'), 400],
  ['DEL in a value', post('A: b\x7f\r\n'), 400],
  ['a header without a name', post(': b\r\n'), 400],
  ['a header without a colon', post('Content-Length\r\n'), 400],
  ['a name in quotes', post('"Content-Length": 5\r\n'), 400],
  ['a name that is no ASCII', post('Content-L\xe4ngth: 5\r\n'), 400],
];

const REQUEST_LINES: readonly Row[] = [
  ['a method that is no token', `GE(T / HTTP/1.1\r\n${HOST}\r\n`, 400],
  ['no method', ` / HTTP/1.1\r\n${HOST}\r\n`, 400],
  ['NUL in the method', `G\0T / HTTP/1.1\r\n${HOST}\r\n`, 400],
  ['a tab behind the method', `GET\t/ HTTP/1.1\r\n${HOST}\r\n`, 400],
  ['two spaces behind the method', `GET  / HTTP/1.1\r\n${HOST}\r\n`, 400],
  ['a space in the target', `GET /a b HTTP/1.1\r\n${HOST}\r\n`, 505],
  ['NUL in the target', `GET /\0 HTTP/1.1\r\n${HOST}\r\n`, 400],
  ['a control character in the target', `GET /\x1f HTTP/1.1\r\n${HOST}\r\n`, 400],
  ['an octet beyond ASCII in the target', `GET /\xe4 HTTP/1.1\r\n${HOST}\r\n`, 400],
  ['a fragment', `GET /a#b HTTP/1.1\r\n${HOST}\r\n`, 400],
  ['a target without a slash', `GET a HTTP/1.1\r\n${HOST}\r\n`, 400],
  ['an asterisk for GET', `GET * HTTP/1.1\r\n${HOST}\r\n`, 400],
  ['another scheme', `GET ftp://a/ HTTP/1.1\r\n${HOST}\r\n`, 400],
  ['a URL without a host', `GET http:///a HTTP/1.1\r\n${HOST}\r\n`, 400],
  ['a URL with a port and no host', `GET http://:80/ HTTP/1.1\r\n${HOST}\r\n`, 400],
  ['a URL with userinfo', `GET http://good@evil/ HTTP/1.1\r\n${HOST}\r\n`, 400],
  ['a URL with a bad port', `GET http://a:b/ HTTP/1.1\r\n${HOST}\r\n`, 400],
  ['CONNECT without a port', `CONNECT a HTTP/1.1\r\n${HOST}\r\n`, 400],
  ['CONNECT to a path', `CONNECT /a HTTP/1.1\r\n${HOST}\r\n`, 400],
  ['CONNECT to what is no host', `CONNECT a"b:80 HTTP/1.1\r\n${HOST}\r\n`, 400],
  ['CONNECT with a length', `CONNECT a:80 HTTP/1.1\r\n${HOST}Content-Length: 5\r\n\r\n`, 400],
  ['CONNECT with chunks', `CONNECT a:80 HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n`, 400],
  ['HTTP/0.9', 'GET /\r\n', 400],
  ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 505],
  ['HTTP/1.2', `GET / HTTP/1.2\r\n${HOST}\r\n`, 505],
  ['HTTP/1.10', `GET / HTTP/1.10\r\n${HOST}\r\n`, 505],
  ['http in lower case', `GET / http/1.1\r\n${HOST}\r\n`, 505],
  ['a space behind the version', `GET / HTTP/1.1 \r\n${HOST}\r\n`, 505],
];

const HOSTS: readonly Row[] = [
  ['no Host in HTTP/1.1', 'GET / HTTP/1.1\r\n\r\n', 400],
  ['no Host beside an absolute target', 'GET http://a/ HTTP/1.1\r\n\r\n', 400],
  ['two Hosts', `GET / HTTP/1.1\r\n${HOST}Host: b\r\n\r\n`, 400],
  ['two equal Hosts', `GET / HTTP/1.1\r\n${HOST}${HOST}\r\n`, 400],
  ['two Hosts in HTTP/1.0', `GET / HTTP/1.0\r\n${HOST}hOST: b\r\n\r\n`, 400],
  ['two Hosts in one', 'GET / HTTP/1.1\r\nHost: a b\r\n\r\n', 400],
  ['a Host with a path', 'GET / HTTP/1.1\r\nHost: a/b\r\n\r\n', 400],
  ['a Host with userinfo', 'GET / HTTP/1.1\r\nHost: a@b\r\n\r\n', 400],
  ['a Host with half a pair of brackets', 'GET / HTTP/1.1\r\nHost: [::1\r\n\r\n', 400],
  ['a Host with a port that is none', 'GET / HTTP/1.1\r\nHost: a:b\r\n\r\n', 400],
  ['a Host with half an escape', 'GET / HTTP/1.1\r\nHost: a%4\r\n\r\n', 400],
];

const SIZES: readonly Row[] = [
  ['a method and target longer than a line may be', `GET /${'a'.repeat(LIMITS.maxLine)} HTTP/1.1\r\n${HOST}\r\n`, 414],
  ['a target that never ends', `GET /${'a'.repeat(LIMITS.maxLine)}`, 414],
  ['a value that never ends', `GET / HTTP/1.1\r\nA: ${'a'.repeat(LIMITS.maxHeaders)}`, 431],
  ['a name that never ends', `GET / HTTP/1.1\r\n${'a'.repeat(LIMITS.maxHeaders + 1)}`, 431],
  ['a head that is too long', post(`A: ${'a'.repeat(1000)}\r\n`.repeat(9)), 431],
  ['headers of one byte more than there may be, behind a short line', headersOf(LIMITS.maxHeaders + 1), 431],
  ['too many headers', post('A: b\r\n'.repeat(LIMITS.maxFields)), 431],
  ['an expectation that nobody knows', post('Expect: a-miracle\r\n'), 417],
];

const CHUNKS: readonly Row[] = [
  ['a size beyond 52 bits', `${CHUNKED}fffffffffffffff\r\n`, 400],
  ['a size beyond 64 bits that would come out small', `${CHUNKED}10000000000000005\r\nhello\r\n0\r\n\r\n`, 400],
  ['a size with 0x', `${CHUNKED}0x5\r\nhello\r\n0\r\n\r\n`, 400],
  ['a signed size', `${CHUNKED}+5\r\nhello\r\n0\r\n\r\n`, 400],
  ['a negative size', `${CHUNKED}-1\r\n`, 400],
  ['no size', `${CHUNKED}\r\n`, 400],
  ['an extension without a size', `${CHUNKED};a\r\n`, 400],
  ['a space before the size', `${CHUNKED} 5\r\nhello\r\n0\r\n\r\n`, 400],
  ['a space behind the size', `${CHUNKED}5 \r\nhello\r\n0\r\n\r\n`, 400],
  ['an underscore in the size', `${CHUNKED}1_0\r\n`, 400],
  ['a bare LF behind the size', `${CHUNKED}5\nhello\r\n0\r\n\r\n`, 400],
  ['a bare CR behind the size', `${CHUNKED}5\rhello\r\n0\r\n\r\n`, 400],
  ['a bare LF in an extension', `${CHUNKED}5;a\nb\r\nhello\r\n0\r\n\r\n`, 400],
  ['a bare CR in an extension', `${CHUNKED}5;a\rb\r\nhello\r\n0\r\n\r\n`, 400],
  ['NUL in an extension', `${CHUNKED}5;\0\r\nhello\r\n0\r\n\r\n`, 400],
  ['an extension that never ends', `${CHUNKED}5;${'a'.repeat(300)}`, 400],
  ['a chunk that is longer than its size', `${CHUNKED}5\r\nhello!\r\n0\r\n\r\n`, 400],
  ['a bare LF behind a chunk', `${CHUNKED}5\r\nhello\n0\r\n\r\n`, 400],
  ['a chunk that is followed by two other octets', `${CHUNKED}5\r\nhelloXX0\r\n\r\n`, 400],
  ['a trailer without a colon', `${CHUNKED}0\r\nabc\r\n\r\n`, 400],
  ['a request where a trailer might be', `${CHUNKED}0\r\nGET /b HTTP/1.1\r\nHost: b\r\n\r\n`, 400],
  ['a bare LF behind the last chunk', `${CHUNKED}0\r\n\nGET /b HTTP/1.1\r\n`, 400],
  ['a trailer section that never ends', `${CHUNKED}0\r\nA: ${'a'.repeat(9000)}`, 400],
  ['too many trailers', `${CHUNKED}0\r\n${'A: b\r\n'.repeat(65)}`, 400],
];

describe.each([
  ['the framing of a request', FRAMING],
  ['the lines of a head', LINES],
  ['a request line', REQUEST_LINES],
  ['a Host', HOSTS],
  ['the limits', SIZES],
  ['the chunks of a request', CHUNKS],
])('%s', (_, rows) => {
  it.each(rows)('%s is refused', (_what, stream, status) => {
    for (const pieces of [cutAt(stream, []), inPieces(stream)]) {
      const { messages, end } = requestsIn(pieces, LIMITS);
      expect(messages).toEqual([]);
      expect(end).toMatchObject({ kind: 'fault', status });
    }
  });
});

const OK = 'HTTP/1.1 200 OK\r\n';

const RESPONSES: readonly (readonly [what: string, stream: string])[] = [
  ['both Content-Length and Transfer-Encoding', `${OK}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n`],
  ['lengths that differ', `${OK}Content-Length: 5\r\nContent-Length: 6\r\n\r\n`],
  ['a length that is none', `${OK}Content-Length: five\r\n\r\n`],
  ['Transfer-Encoding in HTTP/1.0', 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'],
  ['a coding that is not chunked', `${OK}Transfer-Encoding: gzip\r\n\r\n`],
  ['chunked twice', `${OK}Transfer-Encoding: chunked, chunked\r\n\r\n`],
  ['a space before the colon', `${OK}Content-Length : 5\r\n\r\n`],
  ['obs-fold', `${OK}A: b\r\n c\r\n\r\n`],
  ['a bare LF', `${OK}A: b\nC: d\r\n\r\n`],
  ['a bare CR', `${OK}A: b\rC: d\r\n\r\n`],
  ['a bare LF behind the status line', 'HTTP/1.1 200 OK\nA: b\r\n\r\n'],
  ['NUL in the reason', 'HTTP/1.1 200 O\0K\r\n\r\n'],
  ['NUL in a value', `${OK}A: \0\r\n\r\n`],
  ['a status of two digits', 'HTTP/1.1 20 OK\r\n\r\n'],
  ['a status of four digits', 'HTTP/1.1 2000 OK\r\n\r\n'],
  ['a status below 100', 'HTTP/1.1 099 No\r\n\r\n'],
  ['a status above 599', 'HTTP/1.1 600 No\r\n\r\n'],
  ['a signed status', 'HTTP/1.1 +20 OK\r\n\r\n'],
  ['two spaces before the status', 'HTTP/1.1  200 OK\r\n\r\n'],
  ['another version', 'HTTP/2.0 200 OK\r\n\r\n'],
  ['no HTTP at all', 'SSH-2.0-OpenSSH_9\r\n'],
  ['an empty line before it', `\r\n${OK}\r\n`],
  ['a head that is too long', `${OK}A: ${'a'.repeat(LIMITS.maxHeaders)}`],
  ['a status line that never ends', `HTTP/1.1 200 ${'a'.repeat(LIMITS.maxLine)}`],
  ['too many headers', `${OK}${'A: b\r\n'.repeat(LIMITS.maxFields + 1)}\r\n`],
  ['two Hosts', `${OK}Host: a\r\nHost: b\r\n\r\n`],
  ['a bad chunk', `${OK}Transfer-Encoding: chunked\r\n\r\nx\r\n`],
  ['a chunk that is too large', `${OK}Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n`],
];

describe('a response', () => {
  it.each(RESPONSES)('with %s is refused', (_what, stream) => {
    for (const pieces of [cutAt(stream, []), inPieces(stream)]) {
      const { messages, end } = responsesIn(pieces, ['GET'], LIMITS);
      expect(messages).toEqual([]);
      expect(end.kind).toBe('fault');
    }
  });
});
