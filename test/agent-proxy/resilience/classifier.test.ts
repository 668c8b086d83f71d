import { expect, test } from 'vitest';
import { isIdempotent, judgeException, judgeResponse } from '../../../agent-proxy/resilience/classifier.ts';
import type { ClassifierKind } from '../../../agent-proxy/resilience/params.ts';

const READS = ['GET', 'HEAD', 'OPTIONS', 'TRACE'];
const ALL = [...READS, 'PUT', 'DELETE', 'POST', 'PATCH', 'CONNECT', 'PURGE'];

const RETRYABLE: Record<ClassifierKind, readonly string[]> = {
  nonRetryable5XX: [],
  retryableRead5XX: READS,
  retryableIdempotent5XX: [...READS, 'PUT', 'DELETE'],
  retryableAll5XX: [...READS, 'PUT', 'DELETE', 'POST', 'PATCH'],
  allSuccessful: [],
};

const KINDS = [
  'nonRetryable5XX',
  'retryableRead5XX',
  'retryableIdempotent5XX',
  'retryableAll5XX',
  'allSuccessful',
] as const;

test.each(KINDS)('%s retries the 5xx and the exceptions of its methods, and no others', (kind) => {
  const retryable = ALL.filter((method) => judgeException(kind, method) === 'retryable-failure');
  expect(retryable).toEqual(RETRYABLE[kind]);
  for (const method of ALL) {
    for (const status of [500, 501, 503, 599]) {
      const otherwise = kind === 'allSuccessful' ? 'success' : 'failure';
      const expected = RETRYABLE[kind].includes(method) ? 'retryable-failure' : otherwise;
      expect(judgeResponse(kind, method, status, false, null)).toBe(expected);
    }
  }
});

test.each(KINDS)('%s takes 1xx to 4xx for success', (kind) => {
  for (const status of [100, 200, 302, 404, 499])
    expect(judgeResponse(kind, 'GET', status, false, null)).toBe('success');
});

test('an exception is a failure even where any response is a success', () => {
  expect(judgeException('allSuccessful', 'GET')).toBe('failure');
});

test('what a proxy says was not sent may be sent again, whatever the method', () => {
  expect(judgeResponse('nonRetryable5XX', 'GET', 500, true, null)).toBe('retryable-failure');
  expect(judgeResponse('retryableRead5XX', 'POST', 503, true, null)).toBe('retryable-failure');
  expect(judgeResponse('nonRetryable5XX', 'GET', 200, true, null)).toBe('success');
  expect(judgeResponse('allSuccessful', 'GET', 503, true, null)).toBe('success');
});

test.each([
  ['1.0', 500, 'success'],
  ['0.5', 500, 'success'],
  ['0.0', 200, 'retryable-failure'],
  ['nonsense', 200, 'retryable-failure'],
])('a linkerd nearer to the application has judged: %s with status %i is %s', (successClass, status, expected) => {
  expect(judgeResponse('retryableRead5XX', 'GET', status, false, successClass)).toBe(expected);
});

test('the methods that may arrive twice', () => {
  expect(ALL.filter(isIdempotent)).toEqual(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);
});
