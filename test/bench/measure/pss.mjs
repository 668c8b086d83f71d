/** Memory of processes: PSS, in which a page that n processes share counts 1/n in each. */
import { readOrNull } from './process-tree.mjs';

/**
 * @param {readonly number[]} pids
 * @returns {number} MB (10^6 bytes)
 */
export function pssMegabytes(pids) {
  let kibibytes = 0;
  for (const pid of pids) {
    const text = readOrNull(`/proc/${pid}/smaps_rollup`);
    if (text !== null) kibibytes += parsePss(text);
  }
  return (kibibytes * 1024) / 1e6;
}

/**
 * @param {string} text of smaps_rollup
 * @returns {number} KiB; 0 for a process that has no memory any more
 */
export function parsePss(text) {
  return Number(/^Pss:\s+(\d+) kB$/m.exec(text)?.[1] ?? 0);
}
