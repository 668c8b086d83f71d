/** Which CPU does what: the proxy has one for itself, wherever there are two. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/**
 * @typedef {object} Cores
 * @property {number} proxy
 * @property {number} clients
 * @property {number} backend
 */

/**
 * @param {readonly number[]} allowed the CPUs that this process may use, at least one
 * @returns {Cores} the proxy's is the same on every machine that has as many
 */
export function assignCores(allowed) {
  const [first = 0, second = first, third = first] = allowed;
  return { clients: first, proxy: second, backend: third };
}

/** @returns {number[]} */
export function allowedCpus() {
  const list = /^Cpus_allowed_list:\s*(\S+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0';
  return parseCpuList(list);
}

/**
 * @param {string} list the kernel's way to write it: `0-2,5`
 * @returns {number[]}
 */
export function parseCpuList(list) {
  return list.split(',').flatMap((part) => {
    const [first = 0, last = first] = part.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}

/**
 * Moves this process to a CPU, so that it never runs on the proxy's.
 *
 * @param {number} cpu
 */
export function moveTo(cpu) {
  const [program, ...words] = moving(process.pid, cpu);
  execFileSync(program, words, { stdio: 'ignore' });
}

/**
 * @param {number} pid
 * @param {number} cpu
 * @returns {[string, ...string[]]} the command
 */
function moving(pid, cpu) {
  return ['taskset', '--all-tasks', '--cpu-list', '--pid', String(cpu), String(pid)];
}
