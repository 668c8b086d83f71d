/** wrk: as many requests as a proxy can answer, each connection sending its next as soon as it has an answer. */
import { fileURLToPath } from 'node:url';

const SCRIPT = fileURLToPath(new URL('load.lua', import.meta.url));

/**
 * @typedef {object} WrkLoad
 * @property {string} url
 * @property {string} host the Host header
 * @property {number} connections
 * @property {number} seconds
 * @property {boolean} [close] a new connection for each request
 * @property {readonly string[]} [words] for load.lua
 */

/**
 * @param {WrkLoad} load
 * @returns {[string, ...string[]]} the command
 */
export function wrkCommand({ url, host, connections, seconds, close = false, words = [] }) {
  const headers = ['-H', `Host: ${host}`, ...(close ? ['-H', 'Connection: close'] : [])];
  const size = ['-t', '1', '-c', String(connections), '-d', `${seconds}s`, '--timeout', '10s'];
  return ['wrk', ...size, ...headers, '-s', SCRIPT, url, '--', ...words];
}

/**
 * @param {string} output
 * @returns {import('../types.ts').LoadResult}
 */
export function parseWrk(output) {
  const line = output.split('\n').findLast((each) => each.startsWith('{'));
  if (line === undefined) throw new Error(`wrk wrote no result: ${output.trim()}`);
  /** @type {Record<'requests' | 'durationUs' | 'failed' | 'status' | 'p50Us' | 'p99Us' | 'p999Us', number>} */
  const counted = JSON.parse(line);
  return {
    requests: counted.requests,
    seconds: counted.durationUs / 1e6,
    errors: counted.failed + counted.status,
    p50Ms: counted.p50Us / 1000,
    p99Ms: counted.p99Us / 1000,
    p999Ms: counted.p999Us / 1000,
  };
}
