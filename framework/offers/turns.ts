/**
 * Whose turn it is to launch. All launches fetch their files from one place, so only so many are on their way at a time;
 * a node that has to wait gets a time of its own, one after the other at the pace at which launches have come to an end so
 * far, and its offer is declined until then. So waiting costs two offers a node, however many wait.
 */
import type { AgentId } from '../mesos-http-client/messages.ts';

/** So many tasks at most are on their way to running at a time. */
const MOST_IN_FLIGHT = 20;
/** Until something is known: what a launch takes. Milliseconds. */
const FIRST_GUESS_MS = 3_000;
const FASTEST_MS = 500;
const SLOWEST_MS = 60_000;
/** How much of the estimate the last launch is. */
const WEIGHT = 0.1;
/** Fewer turns than could be: one that comes too early has to wait for all others. */
const SLACK = 1.1;
const LEAST_WAIT_MS = 1_000;

/** Plain data. */
export interface Turns {
  /** When whose turn is. Milliseconds since the epoch. */
  readonly waiting: Map<AgentId, number>;
  lastAt: number;
  /** What a launch takes, from the ACCEPT until the task runs. */
  launchMs: number;
}

export function newTurns(): Turns {
  return { waiting: new Map(), lastAt: 0, launchMs: FIRST_GUESS_MS };
}

export const hasRoom = (inFlight: number): boolean => inFlight < MOST_IN_FLIGHT;

/** When the node is to be offered again; one whose turn has come, in vain, goes to the end. */
export function turnOf(turns: Turns, agentId: AgentId, now: number): number {
  const given = turns.waiting.get(agentId);
  if (given !== undefined && given > now) return given;
  const at = Math.max(now + LEAST_WAIT_MS, turns.lastAt + (turns.launchMs * SLACK) / MOST_IN_FLIGHT);
  turns.waiting.set(agentId, at);
  turns.lastAt = at;
  return at;
}

/** The node launches, or does not wait any more for other reasons. */
export function leaveTurns(turns: Turns, agentId: AgentId): void {
  turns.waiting.delete(agentId);
  if (turns.waiting.size === 0) turns.lastAt = 0;
}

/** A task runs, so long after its launch. */
export function launchTook(turns: Turns, ms: number): void {
  const took = Math.min(SLOWEST_MS, Math.max(FASTEST_MS, ms));
  turns.launchMs += WEIGHT * (took - turns.launchMs);
}
