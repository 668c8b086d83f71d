/** The threads that V8 and Node keep beside the one that serves requests. */
import { readdirSync } from 'node:fs';
import { setPriority } from 'node:os';

/** A tenth of the CPU time, where the thread of the requests wants all of it. */
const NICENESS = 10;

/**
 * Threads that collect and compile give way to the one that serves requests: on a CPU that they share, each of their turns
 * of some milliseconds is a wait for all requests. Only for threads that are there already: those of file and name look-ups,
 * which requests may wait for, begin later.
 */
export function makeHelpersYield(): void {
  if (process.platform !== 'linux') return;
  for (const thread of readdirSync('/proc/self/task')) {
    if (Number(thread) !== process.pid) setPriority(Number(thread), NICENESS);
  }
}
