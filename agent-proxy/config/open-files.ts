/**
 * The limit of open files (RLIMIT_NOFILE), and how many connections of clients follow from it: a connection of a client may
 * need one to a server, and the rest of the process needs some too. The limit is each process' own, so that every worker
 * has all of it. (Node.js has raised it to the hard limit by the time that it is read.)
 */
import { readFileSync } from 'node:fs';

/** For listeners, logs, the control stream, the admin server, name look-ups. */
const RESERVED = 256;
const AT_LEAST = 64;
const MOST_CONNECTIONS = 100_000;
/** Where the system does not say: what most of them allow. */
const USUAL_LIMIT = 1_024;
/** A node has fewer than some thousand connections; below that people want to know. */
const LOW_LIMIT = 4_096;

/** Descriptors that this process may have open. */
export function openFileLimit(): number {
  try {
    const soft = /^Max open files\s+(\d+|unlimited)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
    return soft === 'unlimited' ? Number.POSITIVE_INFINITY : Number(soft ?? USUAL_LIMIT);
  } catch {
    // Not Linux, or no /proc.
    return USUAL_LIMIT;
  }
}

/** Connections of clients at a time. */
export function maxConnections(limit: number): number {
  if (limit === Number.POSITIVE_INFINITY) return MOST_CONNECTIONS;
  return Math.min(MOST_CONNECTIONS, Math.max(AT_LEAST, Math.floor((limit - RESERVED) / 2)));
}

/** One line where the limit is low, else null. */
export function lowLimitWarning(limit: number): string | null {
  if (limit >= LOW_LIMIT) return null;
  return `a process may have only ${limit} files open, so each worker accepts ${maxConnections(limit)} connections at a time; raise the limit (ulimit -n, LimitNOFILE=)`;
}
