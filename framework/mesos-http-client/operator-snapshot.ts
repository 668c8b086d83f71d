/**
 * The first event of the operator stream: the master's whole state, tens of megabytes in a large cluster. It is read
 * element by element, with pauses, and only as far as it is wanted; a task or framework that cannot be read is let go and
 * counted, for one odd one must not hide all the others.
 */
import { setImmediate as pause } from 'node:timers/promises';
import { z } from 'zod';
import type { Decoded } from './event-decoder.ts';
import { parseJson } from './json.ts';
import { cutLists } from './json-lists.ts';
import {
  type AgentInfo,
  agentInfoSchema,
  type OperatorAgent,
  type OperatorEvent,
  type OperatorFramework,
  type OperatorTask,
  operatorAgentSchema,
  operatorEventSchema,
  operatorFrameworkSchema,
  operatorTaskSchema,
} from './messages.ts';

/** What a snapshot may be wanted for. Completed tasks are many: the master keeps the last thousand of each framework. */
export type SnapshotPart = 'agents' | 'frameworks' | 'completed-frameworks' | 'tasks' | 'completed-tasks';
export const ALL_PARTS: readonly SnapshotPart[] = [
  'agents',
  'frameworks',
  'completed-frameworks',
  'tasks',
  'completed-tasks',
];

/** `subscribed.get_state.get_tasks.tasks`. */
const LIST_DEPTH = 4;
/** No slice of the work takes longer. */
const SLICE_MS = 10;
/** The type stands first in what Mesos writes. */
const HEAD_BYTES = 64;

const UTF_8 = new TextDecoder('utf-8', { fatal: true });

/** Whether a record is worth being read in pieces. */
export function isSnapshot(record: Uint8Array): boolean {
  return Buffer.from(record.buffer, record.byteOffset, Math.min(HEAD_BYTES, record.length)).includes('"SUBSCRIBED"');
}

export async function readSnapshot(
  record: Uint8Array,
  wanted: readonly SnapshotPart[],
): Promise<Decoded<OperatorEvent>> {
  const lists = new SnapshotLists(wanted);
  try {
    const cut = cutLists(record, LIST_DEPTH);
    let sliceEnd = performance.now() + SLICE_MS;
    for (;;) {
      const step = cut.next();
      if (step.done) return lists.complete(parseJson(step.value));
      const { path, from, to } = step.value;
      lists.add(path.slice(2).join('.'), record.subarray(from, to));
      if (performance.now() < sliceEnd) continue;
      await pause();
      sliceEnd = performance.now() + SLICE_MS;
    }
  } catch (error) {
    // No JSON, no UTF-8 (a TypeError), or an agent that is none: without it the list of agents would be wrong.
    const isBad = error instanceof SyntaxError || error instanceof TypeError || error instanceof z.ZodError;
    if (isBad) return { kind: 'bad' };
    throw error;
  }
}

class SnapshotLists {
  readonly #agents: OperatorAgent[] = [];
  readonly #recovered: AgentInfo[] = [];
  readonly #frameworks: OperatorFramework[] = [];
  readonly #completedFrameworks: OperatorFramework[] = [];
  readonly #pending: OperatorTask[] = [];
  readonly #tasks: OperatorTask[] = [];
  readonly #unreachable: OperatorTask[] = [];
  readonly #completed: OperatorTask[] = [];
  readonly #adders = new Map<string, (bytes: Uint8Array) => void>();
  #unreadable = 0;

  constructor(wanted: readonly SnapshotPart[]) {
    const needed = <T>(name: string, list: T[], schema: z.ZodType<T>): void => {
      this.#adders.set(name, (bytes) => list.push(schema.parse(jsonOf(bytes))));
    };
    const lenient = <T>(name: string, list: T[], schema: z.ZodType<T>): void => {
      this.#adders.set(name, (bytes) => {
        const parsed = schema.safeParse(jsonOf(bytes));
        if (parsed.success) list.push(parsed.data);
        else this.#unreadable += 1;
      });
    };
    if (wanted.includes('agents')) {
      needed('get_agents.agents', this.#agents, operatorAgentSchema);
      needed('get_agents.recovered_agents', this.#recovered, agentInfoSchema);
    }
    if (wanted.includes('frameworks')) {
      lenient('get_frameworks.frameworks', this.#frameworks, operatorFrameworkSchema);
    }
    if (wanted.includes('tasks')) {
      lenient('get_tasks.pending_tasks', this.#pending, operatorTaskSchema);
      lenient('get_tasks.tasks', this.#tasks, operatorTaskSchema);
      lenient('get_tasks.unreachable_tasks', this.#unreachable, operatorTaskSchema);
    }
    if (wanted.includes('completed-frameworks')) {
      lenient('get_frameworks.completed_frameworks', this.#completedFrameworks, operatorFrameworkSchema);
    }
    if (wanted.includes('completed-tasks')) {
      lenient('get_tasks.completed_tasks', this.#completed, operatorTaskSchema);
    }
  }

  add(list: string, bytes: Uint8Array): void {
    this.#adders.get(list)?.(bytes);
  }

  /** The event, when all elements are there; `rest` is the record with empty lists. */
  complete(rest: unknown): Decoded<OperatorEvent> {
    const parsed = operatorEventSchema.safeParse(rest);
    if (!parsed.success) return { kind: 'bad' };
    const event = parsed.data;
    if (event.type !== 'SUBSCRIBED') return { kind: 'event', event };
    const { get_agents, get_frameworks, get_tasks } = event.subscribed.get_state ?? {};
    if (get_agents !== undefined) {
      get_agents.agents = this.#agents;
      get_agents.recovered_agents = this.#recovered;
    }
    if (get_frameworks !== undefined) {
      get_frameworks.frameworks = this.#frameworks;
      get_frameworks.completed_frameworks = this.#completedFrameworks;
    }
    if (get_tasks !== undefined) {
      get_tasks.pending_tasks = this.#pending;
      get_tasks.tasks = this.#tasks;
      get_tasks.unreachable_tasks = this.#unreachable;
      get_tasks.completed_tasks = this.#completed;
    }
    event.subscribed.unreadable = this.#unreadable;
    return { kind: 'event', event };
  }
}

function jsonOf(bytes: Uint8Array): unknown {
  return parseJson(UTF_8.decode(bytes));
}
