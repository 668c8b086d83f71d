/** Medians, percentiles and what a load generator that waits for answers leaves out. Pure. */

/**
 * @param {readonly number[]} values
 * @returns {number} NaN when there is none
 */
export function median(values) {
  const sorted = Float64Array.from(values).sort();
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
}

/** @param {readonly number[]} values */
export function mean(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/**
 * The smallest value that at least `percent` per cent of all values do not exceed (nearest rank).
 *
 * @param {Float64Array} sorted ascending
 * @param {number} percent
 * @returns {number} NaN when there is none
 */
export function percentile(sorted, percent) {
  const rank = Math.max(1, Math.ceil((percent / 100) * sorted.length));
  return sorted[rank - 1] ?? Number.NaN;
}

/**
 * A connection that waits for a slow answer sends nothing meanwhile, although requests were due: each of these would
 * have waited one interval less than the one before it. They are added here (HdrHistogram calls it the correction for
 * coordinated omission).
 *
 * @param {readonly number[]} latencies
 * @param {number} interval between two requests of one connection, in the unit of the latencies
 * @returns {Float64Array} ascending
 */
export function withOmitted(latencies, interval) {
  /** @type {number[]} */
  const all = [];
  for (const latency of latencies) {
    all.push(latency);
    for (let left = latency - interval; left >= interval; left -= interval) all.push(left);
  }
  return Float64Array.from(all).sort();
}
