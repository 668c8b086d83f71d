/**
 * The operator API, as far as a scheduler needs it: what there is (offers alone cannot tell: an agent that is full is never
 * offered), and what is to happen to agents. The stream tells what changes, questions how things are.
 */
import { z } from 'zod';
import { MesosError, sentenceOf } from './errors.ts';
import type { Decoded } from './event-decoder.ts';
import { type DownKind, EventStream } from './event-stream.ts';
import { boundedBody } from './http.ts';
import { parseJson } from './json.ts';
import { type LeaderAnswer, type MasterAccess, openAtLeader } from './leader.ts';
import {
  type AnswerTo,
  type OperatorCommand,
  type OperatorEvent,
  operatorEventSchema,
  QUESTIONS,
  type Question,
} from './messages.ts';
import { ALL_PARTS, isSnapshot, readSnapshot, type SnapshotPart } from './operator-snapshot.ts';

const PATH = '/api/v1';
const CONNECT_TIMEOUT_MS = 10_000;
/** The state of ten thousand agents takes a master some seconds to write. */
const ANSWER_TIMEOUT_MS = 60_000;
/** More than any cluster's state; an answer or a snapshot beyond it is not read. */
const MAX_ANSWER_BYTES = 256 * 1024 * 1024;

export type AgentList = AnswerTo<'GET_AGENTS'>;

export interface OperatorOptions extends MasterAccess {
  /** What the snapshot at the beginning of the stream is read for; other lists of it stay empty. Default: all. */
  readonly wanted?: readonly SnapshotPart[];
  onEvent(event: OperatorEvent): void | Promise<void>;
  /** The stream broke, or an attempt failed (some clusters allow no operator API: offers must do then). Tried again until `close`. */
  onDown(reason: string, wasSubscribed: boolean, kind: DownKind): void;
  readonly random?: () => number;
  readonly heartbeatMs?: number;
}

export interface Operator {
  open(): void;
  close(): void;
  /** Asks the leading master. @throws {MesosError} `forbidden` names the permission that is missing. */
  ask<Q extends Question>(question: Q): Promise<AnswerTo<Q>>;
  /** Has the leading master do something; resolves when it has agreed. @throws {MesosError} */
  command(command: OperatorCommand): Promise<void>;
  /** All agents that the leading master knows. @throws {MesosError} */
  getAgents(): Promise<AgentList>;
}

export function createOperator(options: OperatorOptions): Operator {
  const abort = new AbortController();
  const stream = new EventStream<OperatorEvent>({
    access: options,
    path: PATH,
    body: () => ({ type: 'SUBSCRIBE' }),
    decode: decodeOperatorEvent,
    readInPieces: (record) => (isSnapshot(record) ? readSnapshot(record, options.wanted ?? ALL_PARTS) : null),
    limits: { maxRecordBytes: MAX_ANSWER_BYTES },
    subscribedIntervalMs: (event) => {
      if (event.type !== 'SUBSCRIBED') return null;
      const seconds = event.subscribed.heartbeat_interval_seconds;
      return seconds === undefined ? 'default' : seconds * 1000;
    },
    onEvent: (event) => options.onEvent(event),
    onDown: (reason, wasSubscribed, kind) =>
      options.onDown(kind === 'forbidden' ? withPermission(reason, 'SUBSCRIBE', options) : reason, wasSubscribed, kind),
    ...(options.random === undefined ? {} : { random: options.random }),
    ...(options.heartbeatMs === undefined ? {} : { heartbeatMs: options.heartbeatMs }),
  });

  /** One call with a connection of its own; `read` has its answer. */
  async function post<T>(body: { type: Permitted }, read: (opened: LeaderAnswer) => Promise<T>): Promise<T> {
    const signal = AbortSignal.any([abort.signal, AbortSignal.timeout(ANSWER_TIMEOUT_MS)]);
    const request = { access: options, path: PATH, body: JSON.stringify(body), timeoutMs: CONNECT_TIMEOUT_MS, signal };
    const opened = await openAtLeader(request).catch((error: unknown) => {
      throw asCallError(error, body.type, options);
    });
    try {
      return await read(opened);
    } finally {
      opened.destroy();
    }
  }

  async function ask<Q extends Question>(question: Q): Promise<AnswerTo<Q>> {
    return await post({ type: question }, async (opened) => {
      const text = await boundedBody(opened.response, MAX_ANSWER_BYTES);
      return readAnswer(question, text);
    });
  }

  return {
    open: () => stream.open(),
    close: () => {
      stream.close();
      abort.abort();
    },
    ask,
    command: (command) => post(command, () => Promise.resolve()),
    getAgents: () => ask('GET_AGENTS'),
  };
}

/** @throws {MesosError} `unreadable` */
export function readAnswer<Q extends Question>(question: Q, text: string): AnswerTo<Q> {
  const { field, schema } = QUESTIONS[question];
  try {
    const answer = z.object({ type: z.literal(question), [field]: schema }).parse(parseJson(text));
    // The schema was found by the question, which the compiler cannot follow through the table.
    return (answer as Record<string, unknown>)[field] as AnswerTo<Q>;
  } catch (error) {
    const why = error instanceof z.ZodError ? z.prettifyError(error) : sentenceOf(error);
    throw new MesosError('unreadable', `the answer to ${question} cannot be read: ${why}`, { cause: error });
  }
}

type Permitted = Question | OperatorCommand['type'] | 'SUBSCRIBE';

/** The entries of the master's `--acls` that allow a call. Sources: docs/authorization.md, include/mesos/authorizer/acls.proto. */
const PERMISSIONS: Readonly<Record<Permitted, string>> = {
  SUBSCRIBE: 'view_frameworks, view_tasks, view_executors and view_roles',
  GET_AGENTS: 'view_roles (it covers agents and their reservations)',
  GET_TASKS: 'view_frameworks and view_tasks',
  GET_FRAMEWORKS: 'view_frameworks',
  GET_STATE: 'view_frameworks, view_tasks, view_executors and view_roles',
  GET_MASTER: 'the operator API',
  GET_HEALTH: 'the operator API',
  GET_VERSION: 'the operator API',
  GET_MAINTENANCE_SCHEDULE: 'get_maintenance_schedules',
  GET_MAINTENANCE_STATUS: 'get_maintenance_statuses',
  UPDATE_MAINTENANCE_SCHEDULE: 'update_maintenance_schedules',
  START_MAINTENANCE: 'start_maintenances',
  STOP_MAINTENANCE: 'stop_maintenances',
  DRAIN_AGENT: 'drain_agents',
  DEACTIVATE_AGENT: 'deactivate_agents',
  REACTIVATE_AGENT: 'reactivate_agents',
  MARK_AGENT_GONE: 'mark_agents_gone',
};

function withPermission(message: string, type: Permitted, access: MasterAccess): string {
  const principal = access.authorization?.principal ?? null;
  const who = principal === null ? 'this client' : `the principal '${principal}'`;
  return `${message}; ${who} needs the permission for ${type}: ${PERMISSIONS[type]}`;
}

function asCallError(error: unknown, type: Permitted, access: MasterAccess): MesosError {
  const kind = error instanceof MesosError ? error.kind : 'unreachable';
  const message = `${type}: ${sentenceOf(error)}`;
  return new MesosError(kind, kind === 'forbidden' ? withPermission(message, type, access) : message, { cause: error });
}

const KNOWN_TYPES: ReadonlySet<unknown> = new Set(operatorEventSchema.options.map((option) => option.shape.type.value));
/** Without these the list of agents would be wrong; the others may look different in another version of Mesos. */
const NEEDED_TYPES: ReadonlySet<unknown> = new Set(['SUBSCRIBED', 'HEARTBEAT', 'AGENT_ADDED', 'AGENT_REMOVED']);

/** What this client does not know is let go by. */
export function decodeOperatorEvent(record: unknown): Decoded<OperatorEvent> {
  if (typeof record !== 'object' || record === null || !('type' in record)) return { kind: 'bad' };
  if (!KNOWN_TYPES.has(record.type)) return { kind: 'unknown' };
  const parsed = operatorEventSchema.safeParse(record);
  if (parsed.success) return { kind: 'event', event: parsed.data };
  return { kind: NEEDED_TYPES.has(record.type) ? 'bad' : 'unknown' };
}
