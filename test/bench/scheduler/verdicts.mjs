/** The limits of the decision core, and whether the runs of a bench keep them. Pure. */

const P99_MS = 5;
const LONGEST_MS = 50;
const GROWTH = 1.3;
const MEMORY_MB = 400;
const RECORD_BYTES = 512 * 1024;

/** @typedef {import('./scenario.ts').Result} Result */

/**
 * @typedef {object} Verdict
 * @property {string} what
 * @property {number} measured
 * @property {number} limit
 * @property {string} unit
 * @property {boolean} holds
 */

/**
 * Nothing is left out: the worst of all runs counts, but for the growth, which is one of medians.
 *
 * @param {readonly Result[]} few
 * @param {readonly Result[]} many
 * @returns {Verdict[]}
 */
export function judge(few, many) {
  const worst = (/** @type {(result: Result) => number} */ of) => Math.max(...many.map(of));
  const growth = median(many.map(({ all }) => all.mean)) / median(few.map(({ all }) => all.mean));
  return [
    verdict(
      'p99 of an event',
      worst(({ all }) => all.p99),
      P99_MS,
      'ms of CPU',
    ),
    verdict(
      'longest event',
      worst(({ all }) => all.max),
      LONGEST_MS,
      'ms of CPU',
    ),
    verdict('mean of an event, many to few', growth, GROWTH, '×'),
    verdict(
      'heap after a collection',
      worst(({ heapMb }) => heapMb),
      MEMORY_MB,
      'MB',
    ),
    verdict(
      'resident memory',
      worst(({ rssMb }) => rssMb),
      MEMORY_MB,
      'MB',
    ),
    verdict(
      'largest record',
      worst(({ largestRecord }) => largestRecord.bytes),
      RECORD_BYTES,
      'bytes',
    ),
    verdict(
      'names of all records',
      worst(({ bytesOfAgentNames }) => bytesOfAgentNames),
      RECORD_BYTES,
      'bytes',
    ),
    verdict('agents without a healthy proxy, with churn', worst(unhealthyShare), 0.02, 'of all'),
  ];
}

/** @param {Result} result */
const unhealthyShare = ({ agents, healthyAtTheEnd }) => Math.max(0, 1 - healthyAtTheEnd / agents);

/**
 * @param {string} what
 * @param {number} measured
 * @param {number} limit
 * @param {string} unit
 * @returns {Verdict}
 */
const verdict = (what, measured, limit, unit) => ({ what, measured, limit, unit, holds: measured <= limit });

/**
 * The middle one.
 *
 * @param {readonly number[]} values
 */
function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
