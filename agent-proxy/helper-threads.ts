/** The threads that V8 and Node keep beside the one that serves requests. */
import { readdirSync } from 'node:fs';
import { setPriority } from 'node:os';

/** A tenth of the CPU time, where the thread of the requests wants all of it. */
const NICENESS = 10;

/**
 * Threads that collect and compile give way to the one that serves requests: on a CPU that they share, each of their turns
 * of some milliseconds is a wait for all requests. Only for threads that are there already: those of file and name look-ups,
 * which requests may wait for, begin later. On Linux, where a thread has a priority of its own (setpriority(2)).
 */
export function makeHelpersYield(): void {
  if (process.platform !== 'linux') return;
  for (const thread of threads()) {
    if (thread !== process.pid) lower(thread);
  }
}

function threads(): number[] {
  try {
    return readdirSync('/proc/self/task').map(Number);
  } catch {
    // Without /proc nobody can tell them: they keep their priority, as they would elsewhere.
    return [];
  }
}

function lower(thread: number): void {
  try {
    setPriority(thread, NICENESS);
  } catch {
    // It has ended meanwhile, or a sandbox forbids it: no reason not to serve.
  }
}
