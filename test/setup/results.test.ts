/**
 * The last line of `npm test` tells the truth also where no test carries the failure.
 */
import { expect, it } from 'vitest';
import { countsOf, lastLine, sumOf } from './results.mjs';

const PASSED = { status: 'passed', assertionResults: [{ status: 'passed' }] };
const FAILED = { status: 'failed', assertionResults: [{ status: 'passed' }, { status: 'failed' }] };
const UNLOADABLE = { status: 'failed', assertionResults: [] };

function report(passed: number, failed: number, files: (typeof PASSED)[], pending = 0) {
  return {
    numPassedTests: passed,
    numFailedTests: failed,
    numPendingTests: pending,
    numTodoTests: 0,
    testResults: files,
  };
}

it('passed and failed tests are counted as vitest counts them', () => {
  expect(countsOf(report(1, 0, [PASSED]), 0)).toEqual({ passed: 1, failed: 0, skipped: 0 });
  expect(countsOf(report(1, 1, [FAILED]), 1)).toEqual({ passed: 1, failed: 1, skipped: 0 });
});

it('a file that cannot be loaded is a failure', () => {
  expect(countsOf(report(2, 1, [PASSED, FAILED, UNLOADABLE]), 1)).toEqual({ passed: 2, failed: 2, skipped: 0 });
});

it('an error outside of any test is a failure', () => {
  expect(countsOf(report(1, 0, [PASSED]), 1)).toEqual({ passed: 1, failed: 1, skipped: 0 });
});

it('a test runner that died without a report is a failure', () => {
  expect(countsOf(null, 137)).toEqual({ passed: 0, failed: 1, skipped: 0 });
});

it('the last line names skipped tests only where there are some', () => {
  const sum = sumOf([countsOf(report(3, 0, [PASSED]), 0), countsOf(report(2, 1, [FAILED], 4), 1)]);
  expect(lastLine(sum)).toBe('tests: 5 passed, 1 failed, 4 skipped');
  expect(lastLine({ passed: 7, failed: 0, skipped: 0 })).toBe('tests: 7 passed, 0 failed');
});
