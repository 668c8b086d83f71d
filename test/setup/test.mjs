/**
 * `npm test`: sets everything up (dependencies, system packages, build), then runs the check, the unit tests and the
 * end-to-end tests, all of them even when one fails. Words after `--` go to vitest; with words, only the tests that they
 * pick run.
 */
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../../dcos-package/build/child.mjs';
import { secondsSince } from '../../dcos-package/build/progress.mjs';
import { ROOT, setUp } from '../../dcos-package/build/set-up.mjs';
import { hasCode } from '../../dcos-package/build/stamp.mjs';
import { check } from './check.mjs';
import { REPORT_FILE } from './reporter.mjs';
import { countsOf, failuresOf, lastLine, slowestOf, sumOf } from './results.mjs';
import { ensureSystemPackages } from './system-packages.mjs';

const PROJECTS = [
  { name: 'unit', title: 'unit tests' },
  { name: 'standalone', title: 'proxies without a scheduler (two files at a time)' },
  { name: 'pairs', title: 'end-to-end tests (two files at a time)' },
  { name: 'e2e', title: 'end-to-end tests that load the machine or measure time (one file at a time)' },
];

/** So many of the slowest files are told. */
const SLOWEST = 10;

/** @param {readonly string[]} all */
function lines(all) {
  return all.map((line) => `${line}\n`).join('');
}

/** @param {string} text */
function heading(text) {
  process.stdout.write(`\n=== ${text}\n`);
}

/**
 * @param {string} project
 * @param {readonly string[]} words
 * @returns {Promise<import('./results.mjs').Run>}
 */
async function runProject(project, words) {
  const directory = join(ROOT, '.nodemesh', 'test-results');
  const reportFile = join(directory, `${project}.json`);
  await mkdir(directory, { recursive: true });
  await rm(reportFile, { force: true });
  const command = [
    join(ROOT, 'node_modules', 'vitest', 'vitest.mjs'),
    'run',
    '--config=test/vitest.config.ts',
    `--project=${project}`,
    // Words may pick tests of one project only; that none ran at all is noticed below.
    '--passWithNoTests',
    '--reporter=default',
    '--reporter=./test/setup/reporter.mjs',
    ...words,
  ];
  const env = { ...process.env, [REPORT_FILE]: reportFile };
  const { code } = await run(process.execPath, command, { cwd: ROOT, output: 'inherit', env });
  return { project, code, report: await readReport(reportFile) };
}

/**
 * @param {string} file
 * @returns {Promise<import('./reporter.mjs').Report | null>}
 */
async function readReport(file) {
  try {
    return JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null;
    throw error;
  }
}

/** @param {readonly string[]} words */
export async function main(words) {
  const since = performance.now();
  heading('set-up: dependencies, system packages, build');
  await setUp({ root: ROOT, build: false });
  await ensureSystemPackages();
  await setUp({ root: ROOT, build: true });

  /** @type {string[]} */
  const faults = [];
  if (words.length === 0) {
    heading('check: format, lint, types, dependency rules, dead code');
    if (!(await check(ROOT))) faults.push('the check failed (npm run check)');
  } else {
    heading('check: not run, because only some tests were asked for (npm run check runs it)');
  }

  const runs = [];
  for (const { name, title } of PROJECTS) {
    heading(title);
    runs.push(await runProject(name, words));
  }
  const total = sumOf(runs.map(countsOf));
  if (total.failed > 0) faults.push('tests failed');
  else if (total.passed === 0) faults.push('no test ran');

  // At the very end once more: of a long log often only the end is kept.
  heading('the slowest test files');
  process.stdout.write(lines(slowestOf(runs, SLOWEST)));
  if (total.failed > 0) {
    heading('what failed');
    process.stdout.write(lines(runs.flatMap(failuresOf)));
  }
  heading(`${faults.length === 0 ? 'all is well' : `not well: ${faults.join('; ')}`}, ${secondsSince(since)} in all`);
  process.stdout.write(`${lastLine(total)}\n`);
  if (faults.length > 0) process.exitCode = 1;
}
