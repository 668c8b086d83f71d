/**
 * The operator API, as far as a daemonset needs it: which agents there are. Offers alone cannot tell, because an agent that
 * is full is never offered. The stream tells what changes, GET_AGENTS how things are.
 */
import { z } from 'zod';
import { MesosError, sentenceOf } from './errors.ts';
import { type Decoded, type DownKind, EventStream } from './event-stream.ts';
import { type MasterAccess, openAtLeader } from './leader.ts';
import { getAgentsSchema, type OperatorEvent, operatorEventSchema } from './messages.ts';

const PATH = '/api/v1';
const TIMEOUT_MS = 10_000;

export type AgentList = z.infer<typeof getAgentsSchema>['get_agents'];

export interface OperatorOptions extends MasterAccess {
  onEvent(event: OperatorEvent): void | Promise<void>;
  /** The stream broke, or an attempt failed (some clusters allow no operator API: offers must do then). Tried again until `close`. */
  onDown(reason: string, wasSubscribed: boolean, kind: DownKind): void;
  readonly random?: () => number;
  readonly heartbeatMs?: number;
}

export interface Operator {
  open(): void;
  close(): void;
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
    subscribedIntervalMs: (event) => {
      if (event.type !== 'SUBSCRIBED') return null;
      const seconds = event.subscribed.heartbeat_interval_seconds;
      return seconds === undefined ? 'default' : seconds * 1000;
    },
    onEvent: (event) => options.onEvent(event),
    onDown: options.onDown,
    ...(options.random === undefined ? {} : { random: options.random }),
    ...(options.heartbeatMs === undefined ? {} : { heartbeatMs: options.heartbeatMs }),
  });

  return {
    open: () => stream.open(),
    close: () => {
      stream.close();
      abort.abort();
    },
    getAgents: async () => {
      const body = JSON.stringify({ type: 'GET_AGENTS' });
      const opened = await openAtLeader({
        access: options,
        path: PATH,
        body,
        timeoutMs: TIMEOUT_MS,
        signal: AbortSignal.any([abort.signal, AbortSignal.timeout(TIMEOUT_MS)]),
      });
      try {
        return getAgentsSchema.parse(await opened.response.body.json()).get_agents;
      } catch (error) {
        const why = error instanceof z.ZodError ? z.prettifyError(error) : sentenceOf(error);
        throw new MesosError('unreadable', `the answer to GET_AGENTS cannot be read: ${why}`, { cause: error });
      } finally {
        opened.destroy();
      }
    },
  };
}

const KNOWN_TYPES: ReadonlySet<unknown> = new Set(operatorEventSchema.options.map((option) => option.shape.type.value));

/** Tasks, frameworks and the like are let go by. */
export function decodeOperatorEvent(record: unknown): Decoded<OperatorEvent> {
  if (typeof record !== 'object' || record === null || !('type' in record)) return { kind: 'bad' };
  if (!KNOWN_TYPES.has(record.type)) return { kind: 'unknown' };
  const parsed = operatorEventSchema.safeParse(record);
  return parsed.success ? { kind: 'event', event: parsed.data } : { kind: 'bad' };
}
