/** How busy one CPU is, whoever keeps it so: a proxy that shares its core with something else is measured wrongly. */
import { readFileSync } from 'node:fs';

/** The kernel's, for /proc/stat. */
const TICKS_PER_SECOND = 100;

/**
 * @param {number} cpu
 * @returns {number} seconds since the start of the machine in which it was not idle
 */
export function busySeconds(cpu) {
  return parseBusy(readFileSync('/proc/stat', 'utf8'), cpu);
}

/**
 * @param {string} text of /proc/stat
 * @param {number} cpu
 */
export function parseBusy(text, cpu) {
  const line = text.split('\n').find((each) => each.startsWith(`cpu${cpu} `)) ?? '';
  const [, user = 0, nice = 0, system = 0, _idle, _waiting, irq = 0, softirq = 0, stolen = 0] = line
    .split(' ')
    .map(Number);
  return (user + nice + system + irq + softirq + stolen) / TICKS_PER_SECOND;
}
