import { expect, test } from 'vitest';
import { PEER_HEADERS, PEER_HEALTH_HEADER } from '../../../agent-proxy/control/contract.ts';
import { forwardedRequest, forwardedResponse, framingOf } from '../../../agent-proxy/http1/headers.ts';

const ADDITIONS = { host: 'web', service: '/svc/web', client: '/#/x/web', requestId: 'abc', peer: null };
const ADDED = ['Via', '1.1 nodemesh', 'l5d-dst-service', '/svc/web', 'l5d-dst-client', '/#/x/web', 'l5d-reqid', 'abc'];

function forwarded(headers: string[]): string[] {
  return forwardedRequest(headers, { kind: 'none' }, ADDITIONS);
}

test('what belongs to one connection is taken off, with all that Connection names', () => {
  const headers = [
    'Host',
    'x',
    'Connection',
    'close, X-Hop',
    'X-Hop',
    '1',
    'Keep-Alive',
    '5',
    'TE',
    'trailers',
    'X-End',
    '2',
  ];
  expect(forwarded(headers)).toEqual(['Host', 'web', 'X-End', '2', ...ADDED]);
});

test('Connection cannot take off what says where the message ends', () => {
  const headers = ['Connection', 'content-length, host', 'Content-Length', '5'];
  expect(forwarded(headers)).toEqual(['Host', 'web', 'Content-Length', '5', ...ADDED]);
});

test('what an application or a stranger may not say is removed; context and dtabs pass', () => {
  const headers = [
    ...Object.values(PEER_HEADERS).flatMap((name) => [name.toUpperCase(), 'forged']),
    ...['l5d-dst-client', 'forged', 'X-Forwarded-Client-Cert', 'forged', 'Expect', '100-continue'],
    ...['l5d-ctx-thing', '1', 'l5d-dtab', '/a => /b', 'dtab-local', '/c => /d'],
  ];
  expect(forwarded(headers)).toEqual([
    ...['Host', 'web', 'l5d-ctx-thing', '1', 'l5d-dtab', '/a => /b', 'dtab-local', '/c => /d'],
    ...ADDED,
  ]);
});

test('Via is appended to, in order', () => {
  const headers = forwardedResponse(['Via', '1.0 a', 'X', '1', 'via', '1.1 b'], false);
  expect(headers).toEqual(['X', '1', 'Via', '1.0 a, 1.1 b, 1.1 nodemesh']);
});

test('duplicates keep their order and case', () => {
  expect(forwardedResponse(['Set-Cookie', 'a', 'set-cookie', 'b'], false).slice(0, 4)).toEqual([
    'Set-Cookie',
    'a',
    'set-cookie',
    'b',
  ]);
});

test('an application cannot tell a peer that nothing was sent', () => {
  const headers = ['l5d-retryable', 'true', PEER_HEALTH_HEADER, 'forged'];
  expect(forwardedResponse(headers, true)).toEqual(['Via', '1.1 nodemesh']);
  expect(forwardedResponse(headers, false)).toEqual(['l5d-retryable', 'true', 'Via', '1.1 nodemesh']);
});

test.each([
  [[], 'none'],
  [['Content-Length', '0'], 'none'],
  [['content-length', '4'], 'length'],
  [['Transfer-Encoding', 'chunked'], 'chunked'],
])('a request with %j has a body of kind %s', (headers, kind) => {
  expect(framingOf(headers).kind).toBe(kind);
});
