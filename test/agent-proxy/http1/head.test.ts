/** What the heads of requests and responses say, and what of them goes on to the next hop. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FIELD } from '../../../agent-proxy/http1/fields.ts';
import { HeadScanner } from '../../../agent-proxy/http1/head-scanner.ts';
import { type RequestHead, readRequest } from '../../../agent-proxy/http1/request-head.ts';
import { type ResponseHead, readResponse } from '../../../agent-proxy/http1/response-head.ts';
import { LIMITS } from './limits.ts';
import { request } from './messages.ts';

/** The head may stand anywhere in the bytes that were read. */
const BEFORE = 'GET / HTTP/1.1\r\nHost: before\r\n\r\n';

function requestOf(text: string): RequestHead {
  const bytes = Buffer.from(BEFORE + text, 'latin1');
  const scanner = new HeadScanner();
  const end = scanner.request(bytes, BEFORE.length, bytes.length, LIMITS);
  const head = readRequest(scanner, bytes, BEFORE.length, end);
  if (end <= 0 || typeof head === 'number') throw new Error(`refused: ${end} ${JSON.stringify(head)}`);
  return head;
}

function responseOf(text: string, method = 'GET', toPeer = false): ResponseHead {
  const bytes = Buffer.from(BEFORE + text, 'latin1');
  const scanner = new HeadScanner();
  const end = scanner.response(bytes, BEFORE.length, bytes.length, LIMITS);
  const head = readResponse(scanner, bytes, BEFORE.length, end, method, toPeer);
  if (end <= 0 || typeof head === 'number') throw new Error(`refused: ${end} ${JSON.stringify(head)}`);
  return head;
}

/** The lines that a request with these lines passes on, without its Host. */
function keptOf(lines: string): string {
  const { kept } = requestOf(`POST / HTTP/1.1\r\nHost: a\r\n${lines}\r\n`);
  expect(kept.startsWith('Host: a\r\n')).toBe(true);
  return kept.slice('Host: a\r\n'.length);
}

describe('the target of a request', () => {
  it.each([
    ['GET /a?b', '/a?b', 'h'],
    ['GET //a', '//a', 'h'],
    ['OPTIONS *', '*', 'h'],
    ['GET http://b/c?d', '/c?d', 'b'],
    ['GET HTTP://b:80', '/', 'b:80'],
    ['GET https://b?c', '/?c', 'b'],
    ['GET http://[::1]:8080/', '/', '[::1]:8080'],
    ['OPTIONS http://b', '*', 'b'],
    ['OPTIONS http://b/', '/', 'b'],
    ['CONNECT b:443', 'b:443', 'b:443'],
    ['CONNECT [::1]:443', '[::1]:443', '[::1]:443'],
  ])('%s asks for %s of %s', (line, target, host) => {
    expect(requestOf(`${line} HTTP/1.1\r\nHost: h\r\n\r\n`)).toMatchObject({ target, host });
  });

  it('takes the place of Host where it names another', () => {
    const head = requestOf('GET http://b/ HTTP/1.1\r\nA: 1\r\nHost: a\r\nB: 2\r\n\r\n');
    expect(head.kept).toBe('A: 1\r\nB: 2\r\n');
  });
});

describe('the connection of a request', () => {
  it.each([
    ['1.1', '', true],
    ['1.1', 'Connection: close\r\n', false],
    ['1.1', 'Connection: foo, CLOSE\r\n', false],
    ['1.1', 'Connection: keep-alive\r\nConnection: close\r\n', false],
    ['1.0', '', false],
    ['1.0', 'Connection: keep-alive\r\n', true],
    ['1.0', 'Connection: Keep-Alive, close\r\n', false],
  ])('of HTTP/%s with %j goes on: %s', (version, lines, keepAlive) => {
    expect(requestOf(`GET / HTTP/${version}\r\nHost: a\r\n${lines}\r\n`).keepAlive).toBe(keepAlive);
  });

  it('of a client of HTTP/1.0 that uses the proxy as one does not go on', () => {
    expect(requestOf('GET http://a/ HTTP/1.0\r\nConnection: keep-alive\r\n\r\n').keepAlive).toBe(false);
  });
});

describe('an expectation', () => {
  it('is known in any case of its letters', () => {
    const head = requestOf('POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: 1\r\n\r\n');
    expect(head).toMatchObject({ expectsContinue: true, framing: 'length', length: 1 });
  });

  it('is ignored in HTTP/1.0, and not passed on', () => {
    const head = requestOf('POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n');
    expect(head).toMatchObject({ expectsContinue: false, kept: 'Content-Length: 1\r\n' });
  });
});

describe('the headers that go on', () => {
  it('are all but those of the hop', () => {
    expect(
      keptOf(
        'A: 1\r\nConnection: close\r\nKeep-Alive: timeout=1\r\nB: 2\r\nC: 3\r\nProxy-Connection: close\r\n' +
          'Proxy-Authorization: x\r\nTE: trailers\r\nTrailer: x\r\nUpgrade: y\r\nD: 4\r\nVia: 1.1 z\r\n',
      ),
    ).toBe('A: 1\r\nB: 2\r\nC: 3\r\nD: 4\r\n');
  });

  it('go without those that Connection names', () => {
    expect(keptOf('X-One: 1\r\nConnection: x-one, x-two\r\nx-TWO: 2\r\nX-Three: 3\r\n')).toBe('X-Three: 3\r\n');
  });

  it('keep Host, lengths and what linkerd knows, whatever Connection names', () => {
    const head = requestOf(
      'POST / HTTP/1.1\r\nHost: a\r\nConnection: host, content-length, l5d-sample, l5d-other\r\n' +
        'Content-Length: 1\r\nl5d-sample: 1.0\r\nl5d-other: 2\r\n\r\n',
    );
    expect(head.kept).toBe('Host: a\r\nContent-Length: 1\r\nl5d-sample: 1.0\r\nl5d-other: 2\r\n');
  });

  it('keep Transfer-Encoding, whatever Connection names', () => {
    expect(keptOf('Connection: transfer-encoding\r\nTransfer-Encoding: chunked\r\n')).toBe(
      'Transfer-Encoding: chunked\r\n',
    );
  });

  it.each([
    ['Content-Length: 5\r\nContent-Length: 5\r\n', 'Content-Length: 5\r\n'],
    ['Content-Length: 005\r\n', 'Content-Length: 5\r\n'],
    ['Content-Length:\t5\r\n', 'Content-Length: 5\r\n'],
    ['Content-Length:5\r\n', 'Content-Length: 5\r\n'],
    ['Content-Length: 5 \r\n', 'Content-Length: 5\r\n'],
    ['content-length: 5\r\n', 'content-length: 5\r\n'],
    ['Content-Length: 0\r\n', 'Content-Length: 0\r\n'],
    ['Transfer-Encoding: CHUNKED\r\n', 'Transfer-Encoding: chunked\r\n'],
    ['Transfer-Encoding:\tchunked\r\n', 'Transfer-Encoding: chunked\r\n'],
    ['Transfer-Encoding: chunked\t\r\n', 'Transfer-Encoding: chunked\r\n'],
    ['transfer-encoding: chunked\r\n', 'transfer-encoding: chunked\r\n'],
  ])('say the framing as everyone says it: %j', (lines, kept) => {
    expect(keptOf(lines)).toBe(kept);
  });

  it('are lines of the request that came, in their order, but for a framing that is spelled anew', () => {
    fc.assert(
      fc.property(request, (stream) => {
        const head = requestOf(stream.replace(/^\r\n/, ''));
        let from = 0;
        for (const line of head.kept.split('\r\n').slice(0, -1)) {
          if (/^(Content-Length: \d+|Transfer-Encoding: chunked)$/.test(line)) continue;
          from = head.text.indexOf(`\r\n${line}\r\n`, from);
          expect(from, line).toBeGreaterThan(0);
        }
      }),
    );
  });
});

describe('Via', () => {
  it.each([
    ['GET / HTTP/1.1\r\nHost: a\r\n\r\n', 'Via: 1.1 nodemesh\r\n', 0],
    ['GET / HTTP/1.0\r\n\r\n', 'Via: 1.0 nodemesh\r\n', 0],
    [
      'GET / HTTP/1.1\r\nHost: a\r\nVia: 1.0 x, 1.1 y\r\nvia: 1.1 z\r\n\r\n',
      'Via: 1.0 x, 1.1 y, 1.1 z, 1.1 nodemesh\r\n',
      3,
    ],
  ])('names the version that came and those before: %j', (text, via, hops) => {
    expect(requestOf(text)).toMatchObject({ via, hops });
  });
});

describe('an upgrade', () => {
  it('is one where Connection says so', () => {
    const lines = 'Connection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n';
    expect(requestOf(`GET / HTTP/1.1\r\nHost: a\r\n${lines}\r\n`).upgrade).toBe('websocket');
    expect(requestOf('GET / HTTP/1.1\r\nHost: a\r\nUpgrade: WebSocket\r\n\r\n').upgrade).toBeNull();
  });
});

describe('the headers of a request by name', () => {
  const head = requestOf('GET / HTTP/1.1\r\nHost: a\r\nl5d-dtab: x\r\nX-A:  1\t\r\nx-a: 2\r\nX-AB: 3\r\n\r\n');

  it('are found in any case of their letters, without the space around them', () => {
    expect(head.headers('x-a')).toEqual(['1', '2']);
    expect(head.header('x-a')).toBe('1');
    expect(head.header('x-b')).toBeNull();
  });

  it('are found by number where the proxy knows them', () => {
    expect(head.has(FIELD.dtab)).toBe(true);
    expect(head.value(FIELD.dtab)).toBe('x');
    expect(head.value(FIELD.debug)).toBeNull();
  });
});

describe('the body of a response', () => {
  const LENGTH = 'Content-Length: 5\r\n';
  const CHUNKED = 'Transfer-Encoding: chunked\r\n';

  it.each([
    ['GET', '200 OK', LENGTH, { framing: 'length', length: 5, keepAlive: true }],
    ['GET', '200 OK', 'Content-Length: 0\r\n', { framing: 'none', length: 0, keepAlive: true }],
    ['GET', '200 OK', CHUNKED, { framing: 'chunked', keepAlive: true }],
    ['GET', '200 OK', '', { framing: 'close', keepAlive: false }],
    ['GET', '200 OK', `Connection: close\r\n${LENGTH}`, { framing: 'length', keepAlive: false }],
    ['HEAD', '200 OK', LENGTH, { framing: 'none', length: 0, keepAlive: true, kept: LENGTH }],
    ['HEAD', '200 OK', CHUNKED, { framing: 'none', keepAlive: true }],
    ['HEAD', '200 OK', '', { framing: 'none', keepAlive: true }],
    ['GET', '304 Not Modified', LENGTH, { framing: 'none', length: 0, kept: LENGTH }],
    ['GET', '204 No Content', LENGTH, { framing: 'none', length: 0, kept: '' }],
    ['GET', '204 No Content', CHUNKED, { framing: 'none', kept: '' }],
    ['GET', '103 Early Hints', `${LENGTH}Link: x\r\n`, { framing: 'none', kept: 'Link: x\r\n' }],
    ['CONNECT', '200 OK', LENGTH, { framing: 'none', length: 0, kept: '' }],
    ['CONNECT', '200 OK', '', { framing: 'none' }],
    ['CONNECT', '403 No', LENGTH, { framing: 'length', length: 5, kept: LENGTH }],
  ])('to %s, %s with %j', (method, status, lines, wanted) => {
    expect(responseOf(`HTTP/1.1 ${status}\r\n${lines}\r\n`, method)).toMatchObject(wanted);
  });
});

describe('a response', () => {
  it.each([
    ['HTTP/1.1 200 OK', ' OK'],
    ['HTTP/1.1 200 ', ' '],
    ['HTTP/1.1 200', ' '],
    ['HTTP/1.1 200 Tr\xe8s bien', ' Tr\xe8s bien'],
  ])('%j gives its reason with the space before it', (line, reason) => {
    expect(responseOf(`${line}\r\n\r\n`)).toMatchObject({ status: 200, reason });
  });

  it.each([
    ['timeout=5', 5_000],
    ['max=100, TIMEOUT = 7', 7_000],
    ['timeout=0', 0],
    ['mytimeout=5', null],
    ['timeout=12345678', null],
    ['timeout=soon', null],
  ])('tells how long its server keeps an idle connection: %s', (value, idleHintMs) => {
    expect(responseOf(`HTTP/1.1 200 OK\r\nKeep-Alive: ${value}\r\n\r\n`).idleHintMs).toBe(idleHintMs);
  });

  it('of an application cannot tell a peer that it may be sent again', () => {
    const text = 'HTTP/1.1 503 No\r\nl5d-retryable: true\r\nA: 1\r\n\r\n';
    expect(responseOf(text, 'GET', true).kept).toBe('A: 1\r\n');
    expect(responseOf(text, 'GET', false).kept).toBe('l5d-retryable: true\r\nA: 1\r\n');
  });

  it('that switches protocols says to which', () => {
    const text = 'HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: WebSocket\r\n\r\n';
    expect(responseOf(text).upgrade).toBe('websocket');
    expect(responseOf(text.replace('101', '200')).upgrade).toBeNull();
  });
});
