/**
 * Which node wants to be woken when: a binary heap, so that neither an event nor the clock ever looks at all nodes. A
 * deadline that was moved or dropped leaves its old entry in the heap; it is recognised when it comes up.
 */
import type { AgentId } from '../mesos-http-client/messages.ts';

export type DeadlineKind =
  /** The backoff is over: the node may launch. */
  | 'relaunch'
  /** Offers should have come by themselves by now: ask for them. */
  | 'hungry'
  /** A launch of which nothing is heard. */
  | 'launch'
  /** A lost task's fate is asked for again. */
  | 'query'
  /** Healthy long enough for the failures to be forgotten. */
  | 'settled'
  /** A KILL is sent again. */
  | 'kill'
  /** A node of a rollout that should be done by now. */
  | 'step'
  /** A node of a rollout that is well for long enough. */
  | 'gate'
  /** A node that is to change in place is asked again. */
  | 'ask'
  /** A task of which nothing answers any more. */
  | 'dead'
  /** The machine goes, by the operator's schedule, or is back. */
  | 'maintenance'
  /** Resources that should be given back by now. */
  | 'release';

interface Entry {
  readonly at: number;
  readonly agentId: AgentId;
  readonly kind: DeadlineKind;
}

/** Plain data, smallest `at` first. */
export type DeadlineHeap = Entry[];

/** What a node waits for; at most one of each kind. */
export type Deadlines = Partial<Record<DeadlineKind, number>>;

export function pushDeadline(heap: DeadlineHeap, entry: Entry): void {
  heap.push(entry);
  let at = heap.length - 1;
  while (at > 0) {
    const parent = (at - 1) >> 1;
    if (atOf(heap, parent) <= atOf(heap, at)) return;
    swap(heap, parent, at);
    at = parent;
  }
}

/** Removes and returns the first entry if its time has come. */
export function popDue(heap: DeadlineHeap, now: number): Entry | null {
  const first = heap[0];
  if (first === undefined || first.at > now) return null;
  const last = heap.pop();
  if (last !== undefined && heap.length > 0) {
    heap[0] = last;
    sink(heap);
  }
  return first;
}

function sink(heap: DeadlineHeap): void {
  let at = 0;
  for (;;) {
    const left = 2 * at + 1;
    const right = left + 1;
    let least = at;
    if (atOf(heap, left) < atOf(heap, least)) least = left;
    if (atOf(heap, right) < atOf(heap, least)) least = right;
    if (least === at) return;
    swap(heap, least, at);
    at = least;
  }
}

const atOf = (heap: DeadlineHeap, index: number): number => heap[index]?.at ?? Number.POSITIVE_INFINITY;

function swap(heap: DeadlineHeap, a: number, b: number): void {
  const [x, y] = [heap[a], heap[b]];
  if (x === undefined || y === undefined) return;
  heap[a] = y;
  heap[b] = x;
}
