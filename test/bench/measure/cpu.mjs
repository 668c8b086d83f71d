/**
 * CPU time of processes. /proc/PID/schedstat is in nanoseconds, and counts the same as user + system time in
 * /proc/PID/stat, which is in ticks of 10 ms. It is one file a thread.
 */
import { readdirSync } from 'node:fs';
import { readOrNull } from './process-tree.mjs';

/**
 * @param {readonly number[]} pids
 * @returns {number} nanoseconds since they were started
 */
export function cpuNanoseconds(pids) {
  let sum = 0;
  for (const pid of pids) {
    for (const thread of threadsOf(pid)) {
      const text = readOrNull(`/proc/${pid}/task/${thread}/schedstat`);
      if (text !== null) sum += parseSchedstat(text);
    }
  }
  return sum;
}

/** @param {string} text time on a CPU, time in the run queue (both in ns), time slices */
export function parseSchedstat(text) {
  return Number(text.split(' ')[0]);
}

/**
 * @param {number} pid
 * @returns {string[]}
 */
function threadsOf(pid) {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}
