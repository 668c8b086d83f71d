/**
 * One event stream of a master, kept open for ever: connect, read records, notice silence, back off, connect again. The
 * scheduler API and the operator API differ only in path, call and events, which the user of this file brings along.
 *
 * A state owns its sockets and timers: leaving it (`#enter`) ends them. Each connection has a generation, and what an
 * older one still delivers is dropped.
 */
import { backoffDelay, RECONNECT } from './backoff.ts';
import { MesosError, type MesosErrorKind, sentenceOf } from './errors.ts';
import { type Decoded, EventDecoder, readRecord } from './event-decoder.ts';
import { type LeaderAnswer, type MasterAccess, openAtLeader } from './leader.ts';
import type { RecordIoLimits } from './record-io.ts';

/** Mesos' fixed interval, for as long as SUBSCRIBED has not said another. */
const DEFAULT_HEARTBEAT_MS = 15_000;
const MISSED_HEARTBEATS = 5;
const CONNECT_TIMEOUT_MS = 5_000;
const FIRST_RECORD_TIMEOUT_MS = 10_000;
/** A stream that held this long was a good one: the next attempt is quick again. */
const GOOD_AFTER_MS = 5_000;
const BAD_RECORDS_IN_A_ROW = 3;

export interface StreamConnection {
  readonly generation: number;
  /** The leading master's address, path included: calls go to the same. */
  readonly url: URL;
  readonly streamId: string | null;
}

/**
 * Why there is no stream: what an attempt came to, or, of a stream that stood, `lost` (it broke, fell silent or was
 * damaged), `stale` (the master does not know it any more) or `moved` (another master leads).
 */
export type DownKind = MesosErrorKind | 'lost' | 'stale' | 'moved';

export interface EventStreamOptions<E> {
  readonly access: MasterAccess;
  /** The path of the API below a master's base URL. */
  readonly path: string;
  /** The SUBSCRIBE call; asked for at each attempt. */
  body(): unknown;
  decode(record: unknown): Decoded<E>;
  /** A record that is to be read in another way than whole; null: this one is not. */
  readInPieces?(record: Uint8Array): Promise<Decoded<E>> | null;
  /** Default: those of RecordIO. */
  readonly limits?: RecordIoLimits;
  /** The heartbeat interval, if this event is the one that begins a subscription (else null). */
  subscribedIntervalMs(event: E): number | 'default' | null;
  /** Reading goes on when it resolves; it is never called twice at a time. */
  onEvent(event: E, connection: StreamConnection): void | Promise<void>;
  /** The stream broke, or an attempt failed. `wasSubscribed` is false for an attempt. */
  onDown(reason: string, wasSubscribed: boolean, kind: DownKind): void;
  readonly random?: () => number;
  readonly heartbeatMs?: number;
}

/** The master of a stream: by which base URL it was found, and the origin that answered in the end. */
interface Place {
  readonly base: string;
  readonly origin: string;
}

type State =
  /** Not begun, or closed. */
  | { readonly name: 'idle' }
  /** The call is on its way, or its stream is open and has not said SUBSCRIBED. */
  | { readonly name: 'connecting'; readonly abort: AbortController; readonly silence: NodeJS.Timeout }
  /** Events come in; `silence` fires when they cease. */
  | {
      readonly name: 'subscribed';
      readonly abort: AbortController;
      readonly silence: NodeJS.Timeout;
      readonly since: number;
      readonly at: Place;
    }
  /** Waiting for the next attempt. */
  | { readonly name: 'backing-off'; readonly timer: NodeJS.Timeout };

export interface StreamCounters {
  readonly subscriptions: number;
  readonly badRecords: number;
}

export class EventStream<E> {
  readonly #options: EventStreamOptions<E>;
  #state: State = { name: 'idle' };
  #generation = 0;
  #attempt = 0;
  /** The connection whose large record is being read. */
  #readingInPieces: number | null = null;
  /** The masters as they were last looked at. */
  #masters = '';
  #unwatch: (() => void) | null = null;
  #subscriptions = 0;
  #badRecords = 0;

  constructor(options: EventStreamOptions<E>) {
    this.#options = options;
  }

  get subscribed(): boolean {
    return this.#state.name === 'subscribed';
  }

  get counters(): StreamCounters {
    return { subscriptions: this.#subscriptions, badRecords: this.#badRecords };
  }

  /** Begins to connect, and never gives up until `close`. */
  open(): void {
    if (this.#state.name !== 'idle') return;
    this.#unwatch = this.#options.access.masters.watch(() => this.#mastersChanged());
    this.#connect();
  }

  close(): void {
    this.#unwatch?.();
    this.#unwatch = null;
    this.#enter({ name: 'idle' });
  }

  /** The connection of this generation is of no use any more (a call was told so): open another one. */
  reopen(generation: number, reason: string, kind: DownKind): void {
    if (generation === this.#generation && this.#state.name !== 'idle') this.#down(generation, reason, kind);
  }

  /** Whatever is on its way is left for what is better now. A healthy stream is kept while no other leader is known. */
  #mastersChanged(): void {
    const bases = this.#options.access.masters.current();
    const [best] = bases;
    const same = bases.join() === this.#masters;
    this.#masters = bases.join();
    if (best === undefined || same) return;
    const state = this.#state;
    if (state.name === 'backing-off' || state.name === 'connecting') {
      this.#attempt = 0;
      this.#connect();
    } else if (state.name === 'subscribed' && state.at.base !== best && state.at.origin !== new URL(best).origin) {
      this.#attempt = 0;
      this.#down(this.#generation, `the leading master is ${best} now, no longer ${state.at.origin}`, 'moved', 0);
    }
  }

  #enter(next: State): void {
    const left = this.#state;
    this.#state = next;
    if (left.name === 'connecting' || left.name === 'subscribed') {
      clearTimeout(left.silence);
      const kept = (next.name === 'connecting' || next.name === 'subscribed') && next.abort === left.abort;
      if (!kept) left.abort.abort();
    } else if (left.name === 'backing-off') {
      clearTimeout(left.timer);
    }
    // Whatever an older connection still says, it is not for us.
    if (next.name === 'idle' || next.name === 'backing-off') this.#generation += 1;
  }

  #connect(): void {
    this.#generation += 1;
    const generation = this.#generation;
    const abort = new AbortController();
    this.#masters = this.#options.access.masters.current().join();
    this.#enter({ name: 'connecting', abort, silence: this.#silence(generation, FIRST_RECORD_TIMEOUT_MS) });
    this.#run(generation, abort.signal).then(
      (reason) => this.#down(generation, reason, 'lost'),
      (error: unknown) => this.#down(generation, sentenceOf(error), error instanceof MesosError ? error.kind : 'lost'),
    );
  }

  #silence(generation: number, afterMs: number): NodeJS.Timeout {
    const timer = setTimeout(() => {
      // Nothing is read while a large record is: that is our own silence.
      if (this.#readingInPieces === generation) timer.refresh();
      else this.#down(generation, `nothing heard for ${afterMs / 1000} s`, 'lost');
    }, afterMs);
    return timer;
  }

  async #inPieces<T>(read: Promise<T>, generation: number): Promise<T> {
    this.#readingInPieces = generation;
    try {
      return await read;
    } finally {
      if (this.#readingInPieces === generation) this.#readingInPieces = null;
    }
  }

  #down(generation: number, reason: string, kind: DownKind, delayMs?: number): void {
    if (generation !== this.#generation) return;
    const left = this.#state;
    const wasSubscribed = left.name === 'subscribed';
    if (left.name === 'subscribed' && Date.now() - left.since >= GOOD_AFTER_MS) this.#attempt = 0;
    const delay = delayMs ?? backoffDelay(RECONNECT, this.#attempt, (this.#options.random ?? Math.random)());
    this.#attempt += 1;
    this.#enter({ name: 'backing-off', timer: setTimeout(() => this.#connect(), delay) });
    this.#options.onDown(reason, wasSubscribed, kind);
  }

  /** One connection from its first byte to its last; resolves with why it ended. */
  async #run(generation: number, signal: AbortSignal): Promise<string> {
    const opened = await openAtLeader({
      access: this.#options.access,
      path: this.#options.path,
      body: JSON.stringify(this.#options.body()),
      timeoutMs: CONNECT_TIMEOUT_MS,
      signal,
      trying: () => this.#trying(generation),
    });
    try {
      return await this.#read(generation, opened);
    } finally {
      opened.destroy();
    }
  }

  /** Each master has its time to answer. */
  #trying(generation: number): void {
    if (generation === this.#generation && this.#state.name === 'connecting') this.#state.silence.refresh();
  }

  async #read(generation: number, opened: LeaderAnswer): Promise<string> {
    const streamId = opened.response.headers['mesos-stream-id'];
    const connection: StreamConnection = {
      generation,
      url: opened.url,
      streamId: typeof streamId === 'string' ? streamId : null,
    };
    const at: Place = { base: opened.base, origin: opened.url.origin };
    const { decode, readInPieces, limits } = this.#options;
    const decoder = new EventDecoder((record) => readInPieces?.(record) ?? readRecord(record, decode), limits);
    let badInARow = 0;
    for await (const chunk of opened.response.body) {
      this.#alive(generation);
      for (const read of decoder.push(chunk)) {
        const decoded = read instanceof Promise ? await this.#inPieces(read, generation) : read;
        if (generation !== this.#generation) return 'superseded';
        if (decoded.kind === 'bad') {
          this.#badRecords += 1;
          badInARow += 1;
          if (badInARow === BAD_RECORDS_IN_A_ROW) return `${BAD_RECORDS_IN_A_ROW} records in a row could not be read`;
          continue;
        }
        badInARow = 0;
        this.#heard(generation, decoded.kind === 'event' ? decoded.event : null, at);
        if (decoded.kind === 'event') await this.#options.onEvent(decoded.event, connection);
      }
    }
    return decoder.atBoundary ? 'the master ended the stream' : 'the stream ended in the middle of a record';
  }

  /** So is a piece of a record: a large one may be long on its way. */
  #alive(generation: number): void {
    const state = this.#state;
    if (generation !== this.#generation) return;
    if (state.name === 'connecting' || state.name === 'subscribed') state.silence.refresh();
  }

  /** Any record is a sign of life, not only a heartbeat. */
  #heard(generation: number, event: E | null, at: Place): void {
    const state = this.#state;
    if (state.name !== 'connecting' && state.name !== 'subscribed') return;
    const said = event === null ? null : this.#options.subscribedIntervalMs(event);
    if (said !== null) {
      const interval = this.#options.heartbeatMs ?? (said === 'default' ? DEFAULT_HEARTBEAT_MS : said);
      const silence = this.#silence(generation, interval * MISSED_HEARTBEATS);
      this.#subscriptions += 1;
      this.#enter({ name: 'subscribed', abort: state.abort, silence, since: Date.now(), at });
    } else {
      state.silence.refresh();
    }
  }
}
