/** What the figures were measured on. */
import { execFileSync } from 'node:child_process';
import { arch, cpus, release, totalmem, type } from 'node:os';

/**
 * @typedef {object} Machine
 * @property {string} cpu
 * @property {number} cpus
 * @property {number} memoryGb
 * @property {string} system
 * @property {string} node
 * @property {string} haproxy
 * @property {string} nginx
 * @property {import('./cores.mjs').Cores} cores
 * @property {string} measuredAt
 */

/**
 * @param {import('./cores.mjs').Cores} cores
 * @returns {Machine}
 */
export function describeMachine(cores) {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cpus: cpus().length,
    memoryGb: Math.round(totalmem() / 1e9),
    system: `${type()} ${release()} ${arch()}`,
    node: process.version,
    haproxy: versionOf('haproxy', ['-v']),
    nginx: versionOf('nginx', ['-v']),
    cores,
    measuredAt: new Date().toISOString(),
  };
}

/**
 * nginx writes its version to standard error.
 *
 * @param {string} program
 * @param {readonly string[]} words
 */
function versionOf(program, words) {
  const text = execFileSync('sh', ['-c', '"$0" "$@" 2>&1', program, ...words], { encoding: 'utf8' });
  return /\d+\.\d+\.\d+/.exec(text)?.[0] ?? 'unknown';
}
