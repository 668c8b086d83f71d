/** The limits of the control plane, and whether a bench keeps them. Pure. */

/** @typedef {import('./measure.ts').Result} Result */
/** @typedef {import('./measure.ts').Reconnect} Reconnect */

const FEW_P99_MS = 100;
const MANY_P99_MS = 1_000;
const SERVED_MS = 60_000;
const MEMORY_MB = 1_000;
const NODES_P99_MS = 1_000;

/**
 * @typedef {object} Verdict
 * @property {string} what
 * @property {number} measured
 * @property {number} limit
 * @property {string} unit
 * @property {boolean} holds
 */

/**
 * @param {Result} few
 * @param {Result} many
 * @returns {Verdict[]}
 */
export function judge(few, many) {
  const reconnects = [many.withResume, many.withoutResume].filter((each) => each !== null);
  const most = (/** @type {(each: Reconnect) => number} */ of) => Math.max(...reconnects.map(of));
  return [
    verdict(
      `a change reaches all of ${few.proxies}, p99`,
      median(few.runs.map(({ p99Ms }) => p99Ms)),
      FEW_P99_MS,
      'ms',
    ),
    verdict(
      `a change reaches all of ${many.proxies}, p99`,
      median(many.runs.map(({ p99Ms }) => p99Ms)),
      MANY_P99_MS,
      'ms',
    ),
    verdict('all come back, with resume', many.withResume?.servedMs ?? Number.NaN, SERVED_MS, 'ms'),
    verdict('all come back, without', many.withoutResume?.servedMs ?? Number.NaN, SERVED_MS, 'ms'),
    verdict(
      'GET /v1/nodes?limit=1 meanwhile, p99',
      most(({ nodesP99Ms }) => nodesP99Ms),
      NODES_P99_MS,
      'ms',
    ),
    verdict('resident memory of the scheduler, at most', many.rssMb, MEMORY_MB, 'MB'),
    verdict(
      'tables or deltas that were wrong',
      most(({ wrong }) => wrong),
      0,
      '',
    ),
  ];
}

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
