/**
 * What `npm test` says at its end: which files were slow, what failed, how many. A file that could not be loaded and an
 * error outside of any test are failures too, although no test carries them.
 */

/**
 * One run of vitest.
 *
 * @typedef {object} Run
 * @property {string} project
 * @property {number} code its exit code
 * @property {import('./reporter.mjs').Report | null} report null when it left none
 *
 * @typedef {object} Counts
 * @property {number} passed
 * @property {number} failed
 * @property {number} skipped
 */

/** A log is read by people: a message may be a whole page. */
const LONGEST_MESSAGE = 200;

/**
 * @param {Run} run
 * @returns {Counts}
 */
export function countsOf(run) {
  const tests = run.report === null ? [] : run.report.files.flatMap((file) => file.tests);
  return {
    passed: tests.filter((test) => test.state === 'passed').length,
    failed: failuresOf(run).length,
    skipped: tests.filter((test) => test.state === 'skipped').length,
  };
}

/**
 * @param {readonly Counts[]} all
 * @returns {Counts}
 */
export function sumOf(all) {
  const total = (/** @type {keyof Counts} */ key) => all.reduce((sum, counts) => sum + counts[key], 0);
  return { passed: total('passed'), failed: total('failed'), skipped: total('skipped') };
}

/**
 * A line for each failure: the file, the title of the test, the first line of its first error. None when all is well.
 *
 * @param {Run} run
 * @returns {string[]}
 */
export function failuresOf({ project, code, report }) {
  if (report === null) return code === 0 ? [] : [`${project}: the test runner left no report (exit code ${code})`];
  const failures = [
    ...report.files.flatMap(failuresOfFile),
    ...report.unhandled.map((message) => `${project} › outside of any test: ${firstLine(message)}`),
  ];
  if (failures.length === 0 && code !== 0) failures.push(`${project}: the test runner ended with exit code ${code}`);
  return failures;
}

/** @param {import('./reporter.mjs').FileReport} file */
function failuresOfFile({ path, faults, tests }) {
  return [
    ...faults.map((message) => `${path}: ${firstLine(message)}`),
    ...tests
      .filter((test) => test.state === 'failed')
      .map((test) => `${path} › ${test.title}: ${firstLine(test.message)}`),
  ];
}

/** @param {string} message */
function firstLine(message) {
  const line = message.trim().split('\n', 1)[0] ?? '';
  return line.length > LONGEST_MESSAGE ? `${line.slice(0, LONGEST_MESSAGE)}…` : line;
}

/**
 * The slowest files, the slowest first: seconds and path.
 *
 * @param {readonly Run[]} runs
 * @param {number} count
 * @returns {string[]}
 */
export function slowestOf(runs, count) {
  return runs
    .flatMap(({ report }) => report?.files ?? [])
    .toSorted((a, b) => b.seconds - a.seconds)
    .slice(0, count)
    .map(({ seconds, path }) => `${seconds.toFixed(1).padStart(6)} s  ${path}`);
}

/**
 * The last line of `npm test`, for people and for machines.
 *
 * @param {Counts} counts
 */
export function lastLine({ passed, failed, skipped }) {
  return `tests: ${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}
