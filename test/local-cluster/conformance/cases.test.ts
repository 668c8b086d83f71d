import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CASES } from './cases.ts';
import { haveRecordings, recordedCases } from './recordings.ts';

describe('the table of cases', () => {
  it.runIf(haveRecordings)('names every recorded case', () => {
    expect(Object.keys(CASES).sort()).toEqual(recordedCases().sort());
  });

  it('has a test for every case that it calls compared', () => {
    const tests = readdirSync(import.meta.dirname)
      .filter((file) => file.endsWith('.test.ts'))
      .map((file) => readFileSync(join(import.meta.dirname, file), 'utf8'))
      .join('\n');
    const untested = Object.entries(CASES)
      .filter(([, scope]) => scope.kind === 'compared')
      .filter(([name]) => !new RegExp(`'${name}\\b`).test(tests));
    expect(untested.map(([name]) => name)).toEqual([]);
  });
});
