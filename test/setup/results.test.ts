/**
 * The last lines of `npm test` tell the truth also where no test carries the failure, and tell enough where nothing but
 * they is kept of a log.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { run as runProgram } from '../../dcos-package/build/child.mjs';
import { ROOT } from '../../dcos-package/build/set-up.mjs';
import { REPORT_FILE } from './reporter.mjs';
import { countsOf, failuresOf, lastLine, slowestOf, sumOf } from './results.mjs';

type Run = Parameters<typeof countsOf>[0];
type FileReport = NonNullable<Run['report']>['files'][number];
type TestReport = FileReport['tests'][number];

const PASSED: TestReport = { title: 'a group > is well', state: 'passed', message: '' };
const SKIPPED: TestReport = { title: 'later', state: 'skipped', message: '' };
const FAILED: TestReport = {
  title: 'a group > is not well',
  state: 'failed',
  message: 'expected 1 to be 2\n\n- 2\n+ 1',
};

function file(path: string, tests: TestReport[], { seconds = 1, faults = [] as string[] } = {}): FileReport {
  return { path, seconds, faults, tests };
}

function runOf(code: number, files: FileReport[], unhandled: string[] = []): Run {
  return { project: 'unit', code, report: { files, unhandled } };
}

it('passed and failed tests are counted, and the failed ones are told with the first line of their message', () => {
  const well = runOf(0, [file('a.test.ts', [PASSED])]);
  expect(countsOf(well)).toEqual({ passed: 1, failed: 0, skipped: 0 });
  expect(failuresOf(well)).toEqual([]);

  const ill = runOf(1, [file('a.test.ts', [PASSED, FAILED])]);
  expect(countsOf(ill)).toEqual({ passed: 1, failed: 1, skipped: 0 });
  expect(failuresOf(ill)).toEqual(['a.test.ts › a group > is not well: expected 1 to be 2']);
});

it('a file that cannot be loaded is a failure', () => {
  const unloadable = file('b.test.ts', [], { faults: ["Cannot find package 'x'\n    at line 1"] });
  const run = runOf(1, [file('a.test.ts', [PASSED, FAILED]), unloadable]);
  expect(countsOf(run)).toEqual({ passed: 1, failed: 2, skipped: 0 });
  expect(failuresOf(run)).toEqual([
    'a.test.ts › a group > is not well: expected 1 to be 2',
    "b.test.ts: Cannot find package 'x'",
  ]);
});

it('an error outside of any test is a failure', () => {
  const run = runOf(1, [file('a.test.ts', [PASSED])], ['read ECONNRESET']);
  expect(countsOf(run)).toEqual({ passed: 1, failed: 1, skipped: 0 });
  expect(failuresOf(run)).toEqual(['unit › outside of any test: read ECONNRESET']);
});

it('an exit code that nothing explains is a failure', () => {
  const run = runOf(1, [file('a.test.ts', [PASSED])]);
  expect(countsOf(run)).toEqual({ passed: 1, failed: 1, skipped: 0 });
  expect(failuresOf(run)).toEqual(['unit: the test runner ended with exit code 1']);
});

it('a test runner that died without a report is a failure', () => {
  const run: Run = { project: 'e2e', code: 137, report: null };
  expect(countsOf(run)).toEqual({ passed: 0, failed: 1, skipped: 0 });
  expect(failuresOf(run)).toEqual(['e2e: the test runner left no report (exit code 137)']);
});

it('a message of a page is cut', () => {
  const run = runOf(1, [file('a.test.ts', [{ ...FAILED, message: 'x'.repeat(10_000) }])]);
  expect(failuresOf(run)[0]).toHaveLength('a.test.ts › a group > is not well: '.length + 201);
});

it('the last line names skipped tests only where there are some', () => {
  const sum = sumOf([
    countsOf(runOf(0, [file('a.test.ts', [PASSED, PASSED, PASSED])])),
    countsOf(runOf(1, [file('b.test.ts', [PASSED, FAILED, SKIPPED])])),
  ]);
  expect(lastLine(sum)).toBe('tests: 4 passed, 1 failed, 1 skipped');
  expect(lastLine({ passed: 7, failed: 0, skipped: 0 })).toBe('tests: 7 passed, 0 failed');
});

it('the slowest files of all runs are told, the slowest first', () => {
  const unit = runOf(0, [file('a.test.ts', [], { seconds: 0.52 }), file('b.test.ts', [], { seconds: 12.04 })]);
  const e2e = runOf(0, [file('c.test.ts', [], { seconds: 3 })]);
  expect(slowestOf([unit, { project: 'x', code: 1, report: null }, e2e], 2)).toEqual([
    '  12.0 s  b.test.ts',
    '   3.0 s  c.test.ts',
  ]);
});

it('vitest tells the reporter of failed tests, failed set-ups, unloadable files and errors outside of tests', async () => {
  const root = await mkdtemp(join(tmpdir(), 'nodemesh-results-'));
  onTestFinished(() => rm(root, { recursive: true }));
  const sources = {
    'ill.test.js': "describe('a group', () => { it('is well', () => {}); it('is ill', () => expect(1).toBe(2)); });",
    'set-up.test.js':
      "describe('a group', () => { beforeAll(() => { throw new Error('no'); }); it('waits', () => {}); });",
    'unloadable.test.js': "import './absent.js';",
    'outside.test.js': "it('is well', async () => { Promise.reject(new Error('lost')); });",
  };
  for (const [name, source] of Object.entries(sources)) await writeFile(join(root, name), source);

  const words = [
    'run',
    '--globals',
    '--maxWorkers=1',
    '--no-isolate',
    `--reporter=${join(ROOT, 'test/setup/reporter.mjs')}`,
  ];
  const reportFile = join(root, 'report.json');
  const env = { ...process.env, [REPORT_FILE]: reportFile };
  const vitest = join(ROOT, 'node_modules/vitest/vitest.mjs');
  const { code } = await runProgram(process.execPath, [vitest, ...words], { cwd: root, output: 'collect', env });

  const run: Run = { project: 'unit', code, report: JSON.parse(await readFile(reportFile, 'utf8')) };
  expect(countsOf(run)).toEqual({ passed: 2, failed: 4, skipped: 1 });
  expect(failuresOf(run).sort()).toEqual([
    'ill.test.js › a group > is ill: expected 1 to be 2 // Object.is equality',
    'set-up.test.js: no',
    'unit › outside of any test: lost',
    expect.stringMatching(/^unloadable\.test\.js: .*absent\.js/),
  ]);
  expect(slowestOf([run], 1)).toEqual([expect.stringMatching(/^ +\d\.\d s {2}[a-z-]+\.test\.js$/)]);
});
