import { expect, test } from 'vitest';
import { MAX_RETRIES, mayRetry } from '../../../agent-proxy/resilience/retries.ts';

const question = { failure: 'unsent', method: 'GET', replayable: true, retries: 0 } as const;

test.each(['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'TRACE', 'POST', 'PATCH'])(
  '%s that was not sent may be sent again',
  (method) => {
    expect(mayRetry({ ...question, method })).toBe(true);
  },
);

test.each([
  ['GET', true],
  ['PUT', true],
  ['DELETE', true],
  ['POST', false],
  ['PATCH', false],
])('%s that may have arrived may be sent again: %s', (method, allowed) => {
  expect(mayRetry({ ...question, method, failure: 'unanswered' })).toBe(allowed);
});

test('never after a timeout, without the body, or too often', () => {
  expect(mayRetry({ ...question, failure: 'final' })).toBe(false);
  expect(mayRetry({ ...question, replayable: false })).toBe(false);
  expect(mayRetry({ ...question, retries: MAX_RETRIES })).toBe(false);
});
