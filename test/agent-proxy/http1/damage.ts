/** What damage and ill will make of a stream of messages: for the property tests and the fuzzer. */

/** What damages a stream. `at` is a share of its length. */
export type Damage = (stream: string, at: number) => string;

function insert(text: string): Damage {
  return (stream, at) => stream.slice(0, at) + text + stream.slice(at);
}

const HEADERS = [
  'Content-Length: 5\r\n',
  'Content-Length: 3, 3\r\n',
  'Content-Length: +3\r\n',
  'Content-Length : 3\r\n',
  'Transfer-Encoding: chunked\r\n',
  'Transfer-Encoding: gzip, chunked\r\n',
  'Transfer-Encoding: chunked, identity\r\n',
  'Transfer-Encoding:\x0bchunked\r\n',
  'Host: other\r\n',
  'Expect: 100-continue\r\n',
  'Connection: close\r\n',
  'Connection: Host, Content-Length\r\n',
  ' folded\r\n',
  ': nameless\r\n',
];
const WORDS = [
  '\r',
  '\n',
  '\r\n',
  '\r\n\r\n',
  '\n\n',
  '\0',
  ' ',
  '\t',
  '\x0b',
  '\x7f',
  '\xa0',
  ':',
  ';',
  ',',
  '0',
  '#',
  '%',
];
const BODIES = [
  '0\r\n\r\n',
  '5\r\nhello\r\n',
  'fffffffffffffffff\r\n',
  '-1\r\n',
  '0x5\r\n',
  'GET /b HTTP/1.1\r\nHost: b\r\n\r\n',
];

const METHODS = ['GET', 'HEAD', 'POST', 'CONNECT', 'OPTIONS', 'get'];
const TARGETS = [
  '/',
  '*',
  '//a',
  '/a',
  'a:80',
  ':80',
  'http://a',
  'http://:1/',
  'http://a@b/',
  'http://[::1/',
  '?',
  '',
];
const HOSTS = ['', 'a', 'a:', 'a:80', ':80', '[::1]', '[]', '::1', 'a@b', 'a b', 'a%20', 'a%2', 'a/b', '[::1]a', 'a,b'];

/** Kinds of damage, each with one place to do it at. */
export const DAMAGES: readonly Damage[] = [
  ...WORDS.map(insert),
  ...BODIES.map(insert),
  ...HEADERS.map(
    (line): Damage =>
      (stream, at) =>
        insert(line)(stream, nextLine(stream, at)),
  ),
  ...METHODS.map(
    (method): Damage =>
      (stream, at) =>
        patched(stream, at, /\S*(?= \S* HTTP)/, method),
  ),
  ...TARGETS.map(
    (target): Damage =>
      (stream, at) =>
        patched(stream, at, /(?<= )\S*(?= HTTP)/, target),
  ),
  ...HOSTS.map(
    (host): Damage =>
      (stream, at) =>
        patched(stream, at, /(?<=Host:).*/, host),
  ),
  (stream, at) => stream.slice(0, at),
  (stream, at) => stream.slice(0, at) + stream.slice(at + 1),
  (stream, at) => stream.slice(0, at) + stream.slice(nextLine(stream, at)),
  (stream, at) => stream.slice(0, at) + String.fromCharCode(stream.charCodeAt(at) ^ 0x20) + stream.slice(at + 1),
  (stream, at) => stream.slice(0, at) + String.fromCharCode((stream.charCodeAt(at) + 1) & 0xff) + stream.slice(at + 1),
  (stream, at) => stream.slice(0, at) + stream.slice(at).replace('\r\n', '\n'),
  (stream, at) => stream.slice(0, at) + stream.slice(at).replace('HTTP/1.1', 'HTTP/1.0'),
  (stream, at) => insert(lineAt(stream, at))(stream, nextLine(stream, at)),
];

/** The first match behind a place, or else the first of all, replaced. */
function patched(stream: string, at: number, what: RegExp, by: string): string {
  const behind = stream.slice(at);
  return what.test(behind) ? stream.slice(0, at) + behind.replace(what, () => by) : stream.replace(what, () => by);
}

function nextLine(stream: string, at: number): number {
  const end = stream.indexOf('\r\n', at);
  return end === -1 ? stream.length : end + 2;
}

/** The line that begins behind the next line end: a header twice. */
function lineAt(stream: string, at: number): string {
  const start = nextLine(stream, at);
  return stream.slice(start, nextLine(stream, start));
}
