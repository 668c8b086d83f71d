/**
 * h2load with HTTP/1.1: requests at a fixed rate. Percentiles are computed from its log of every request, corrected for
 * the requests that were due while a connection waited.
 */
import { percentile, withOmitted } from '../statistics.mjs';

/** h2load looks every 10 ms which requests of a connection are due: above 100 a second it sends them in bursts. */
const MOST_PER_CONNECTION = 100;

const SECONDS = new Map([
  ['us', 1e-6],
  ['ms', 1e-3],
  ['s', 1],
]);

/** How often h2load opens connections. */
const PERIODS_A_SECOND = 1_000;

/**
 * @typedef {object} RateLoad
 * @property {number} port on 127.0.0.1
 * @property {string} host
 * @property {string} path
 * @property {number} rate requests a second, of all connections
 * @property {number} connections
 * @property {number} seconds
 * @property {string} logFile where to; h2load appends to one that is there
 */

/**
 * So many connections that each sends its requests evenly, one at a time.
 *
 * @param {number} rate requests a second, of all of them
 * @param {number} atLeast
 */
export function connectionsFor(rate, atLeast) {
  return Math.max(atLeast, Math.ceil(rate / MOST_PER_CONNECTION));
}

/**
 * @param {RateLoad} load
 * @returns {[string, ...string[]]} the command
 */
export function h2loadCommand(load) {
  const { connections, rate, seconds } = load;
  // As fast as requests are due: so the connections are due one after the other for ever after. Opened sooner, all of them
  // would be due together, again and again.
  const opened = Math.ceil(rate / PERIODS_A_SECOND);
  return [
    'h2load',
    '--h1',
    '--threads=1',
    `--clients=${connections}`,
    `--rps=${(rate / connections).toFixed(3)}`,
    `--requests=${Math.max(connections, Math.round(rate * seconds))}`,
    `--rate=${opened}`,
    `--rate-period=${1_000 / PERIODS_A_SECOND}ms`,
    `--log-file=${load.logFile}`,
    `--connect-to=127.0.0.1:${load.port}`,
    `http://${load.host}${load.path}`,
  ];
}

/**
 * @param {string} output h2load's
 * @param {string} log the text of its log file: start (µs since 1970), status, duration (µs) in a line, by tabs
 * @param {number} intervalMs between two requests of one connection
 * @returns {import('../types.ts').LoadResult}
 */
export function parseH2load(output, log, intervalMs) {
  const finished = /^finished in ([\d.]+)(us|ms|s),/m.exec(output);
  if (finished === null) throw new Error(`h2load wrote no result: ${output.trim()}`);
  /** @type {number[]} */
  const latencies = [];
  let errors = 0;
  for (const line of log.split('\n')) {
    if (line === '') continue;
    const [, status, microseconds] = line.split('\t');
    if (Number(status) < 200 || Number(status) >= 400) errors += 1;
    latencies.push(Number(microseconds) / 1000);
  }
  const sorted = withOmitted(latencies, intervalMs);
  return {
    requests: latencies.length,
    seconds: Number(finished[1]) * (SECONDS.get(finished[2] ?? '') ?? Number.NaN),
    errors,
    p50Ms: percentile(sorted, 50),
    p99Ms: percentile(sorted, 99),
    p999Ms: percentile(sorted, 99.9),
  };
}
