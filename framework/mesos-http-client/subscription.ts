/**
 * A scheduler's subscription at the leading master: the event stream, and the calls that belong to it. Each time that it
 * is SUBSCRIBED there is a new session; calls of an older one are refused by the master, so they are never sent.
 */
import { type CallOutcome, type CallQueue, createCallQueue } from './calls.ts';
import type { Decoded } from './event-decoder.ts';
import { type DownKind, EventStream, type StreamConnection } from './event-stream.ts';
import { frameworkErrorOf, isFinal } from './framework-error.ts';
import { credentialsOf, type MasterAccess } from './leader.ts';
import {
  type CallBody,
  type Event,
  eventSchema,
  type FrameworkId,
  type FrameworkInfo,
  frameworkId,
  type SubscribeCall,
} from './messages.ts';

export interface SubscriptionOptions extends MasterAccess {
  /**
   * Asked for at each attempt, without the id: that comes from `frameworkId`. Without a principal it gets the one of
   * `authorization`: Mesos wants the two to be the same.
   */
  frameworkInfo(): FrameworkInfo;
  /** Roles that want no offers, asked for at each attempt: a subscription replaces what SUPPRESS said. Default: none. */
  suppressedRoles?(): readonly string[];
  /** The id of an earlier subscription, or null to be given one. */
  readonly frameworkId: FrameworkId | null;
  /**
   * In order, one at a time; reading goes on when it resolves. SUBSCRIBED comes first, ERROR may be the first and last:
   * after one that is `failed-over` or `removed` the subscription has closed itself, after another it is tried again.
   */
  onEvent(event: Event): void | Promise<void>;
  /** The stream broke or an attempt to open it failed; it is tried again until `close`. */
  onDown(reason: string, wasSubscribed: boolean, kind: DownKind): void;
  /** In [0, 1); for tests. */
  readonly random?: () => number;
  /** Overrides the master's interval; for tests. */
  readonly heartbeatMs?: number;
}

export interface Subscription {
  /** Begins to connect. */
  open(): void;
  /** Ends stream and calls; the framework stays known to the master for its failover timeout. */
  close(): void;
  /** Sends a call after those before it. Never rejects. */
  call(body: CallBody): Promise<CallOutcome>;
  readonly subscribed: boolean;
  readonly counters: { readonly subscriptions: number; readonly badRecords: number };
}

const PATH = '/api/v1/scheduler';
const NOT_SUBSCRIBED: CallOutcome = { outcome: 'unreachable', text: 'not subscribed' };

export function createSubscription(options: SubscriptionOptions): Subscription {
  let id = options.frameworkId;
  let calls: CallQueue | null = null;

  const dropCalls = (): void => {
    calls?.close();
    calls = null;
  };

  const stream = new EventStream<Event>({
    access: options,
    path: PATH,
    body: () => subscribeCall(withPrincipal(options), id, options.suppressedRoles?.() ?? []),
    decode: decodeEvent,
    subscribedIntervalMs: (event) => {
      if (event.type !== 'SUBSCRIBED') return null;
      const seconds = event.subscribed.heartbeat_interval_seconds;
      return seconds === undefined ? 'default' : seconds * 1000;
    },
    onEvent: (event, connection) => {
      if (event.type === 'SUBSCRIBED') {
        dropCalls();
        id = frameworkId(event.subscribed.framework_id.value);
        calls = openCalls(connection, id);
      } else if (event.type === 'ERROR' && isFinal(frameworkErrorOf(event.error.message).kind)) {
        close();
      }
      return options.onEvent(event);
    },
    onDown: (reason, wasSubscribed, kind) => {
      dropCalls();
      options.onDown(reason, wasSubscribed, kind);
    },
    ...(options.random === undefined ? {} : { random: options.random }),
    ...(options.heartbeatMs === undefined ? {} : { heartbeatMs: options.heartbeatMs }),
  });

  function openCalls(connection: StreamConnection, framework: FrameworkId): CallQueue {
    const { url, streamId, generation } = connection;
    const { mayCall } = options;
    const session = { url, streamId, frameworkId: framework, credentials: credentialsOf(options), mayCall };
    return createCallQueue(session, (reason, kind) => stream.reopen(generation, reason, kind));
  }

  function close(): void {
    stream.close();
    dropCalls();
  }

  return {
    open: () => stream.open(),
    close,
    call: (body) => (calls === null ? Promise.resolve(NOT_SUBSCRIBED) : calls.send(body)),
    get subscribed() {
      return stream.subscribed;
    },
    get counters() {
      return stream.counters;
    },
  };
}

function withPrincipal(options: SubscriptionOptions): FrameworkInfo {
  const info = options.frameworkInfo();
  const principal = info.principal ?? options.authorization?.principal ?? null;
  return principal === null ? info : { ...info, principal };
}

function subscribeCall(info: FrameworkInfo, id: FrameworkId | null, suppressed: readonly string[]): SubscribeCall {
  const suppressed_roles = [...suppressed];
  // The id has to stand in both places, or in neither.
  if (id === null) return { type: 'SUBSCRIBE', subscribe: { framework_info: info, suppressed_roles } };
  return {
    type: 'SUBSCRIBE',
    framework_id: { value: id },
    subscribe: { framework_info: { ...info, id: { value: id } }, suppressed_roles },
  };
}

const KNOWN_TYPES: ReadonlySet<unknown> = new Set(eventSchema.options.map((option) => option.shape.type.value));

/** An unknown type is let go by: a newer master must not break an older client. */
export function decodeEvent(record: unknown): Decoded<Event> {
  if (typeof record !== 'object' || record === null || !('type' in record)) return { kind: 'bad' };
  if (!KNOWN_TYPES.has(record.type)) return { kind: 'unknown' };
  const parsed = eventSchema.safeParse(record);
  return parsed.success ? { kind: 'event', event: parsed.data } : { kind: 'bad' };
}
