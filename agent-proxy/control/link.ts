/**
 * The link to the scheduler: subscribes, applies the frames of the stream one by one, reports, and finds the scheduler
 * again after it moved. A proxy without its scheduler goes on with what it knows.
 */
import type { IncomingMessage } from 'node:http';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ServiceTable, TableFrame } from '../routing/service-table.ts';
import type { Announce, Frame, Hello, Report, Subscribe, Upgrade } from './contract.ts';
import type { EpochGuard } from './epoch-guard.ts';
import { RecordDecoder } from './record-decoder.ts';
import type { Cancel, SchedulerClient } from './scheduler-client.ts';
import type { SchedulerList } from './scheduler-list.ts';
import { Wanting } from './wanting.ts';

/** A stream is dead when so many heartbeats are missing. */
const MISSED_HEARTBEATS = 3;
/** Frames come in little time after the connection, or it is none of a scheduler's. */
const HELLO_TIMEOUT_MS = 2_000;

/**
 * Each state owns its timers and its request; `leave` cleans up exactly what entering made.
 * - `idle`: not started, or closed.
 * - `connecting`: a subscription was sent to one scheduler.
 * - `streaming`: frames come; `hello` is null until the first has come.
 * - `backing-off`: all known schedulers were tried in vain.
 */
type State =
  | { readonly kind: 'idle' }
  | { readonly kind: 'connecting'; readonly url: string; readonly cancel: Cancel }
  | {
      readonly kind: 'streaming';
      readonly url: string;
      readonly stream: IncomingMessage;
      readonly openedAt: number;
      hello: Hello | null;
      watchdog: NodeJS.Timeout;
      reports: NodeJS.Timeout | null;
      /** In the scope `bound`: how many frames about endpoints have come, and who says which are wanted. */
      bound: { seq: number; readonly wanting: Wanting } | null;
      /** A report is on its way; `stale`: what it says is old, so another goes when it has arrived. */
      reporting: 'no' | 'yes' | 'stale';
    }
  | { readonly kind: 'backing-off'; readonly timer: NodeJS.Timeout };

type Streaming = Extract<State, { readonly kind: 'streaming' }>;

/** A stream that ended sooner was in vain; after some of them the pauses grow. */
const SHORT_STREAM_MS = 2_000;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 1_000;

/** What the link needs of the rest of the worker. */
export interface LinkHost {
  readonly table: ServiceTable;
  readonly epochs: EpochGuard;
  readonly schedulers: SchedulerList;
  readonly client: SchedulerClient;
  readonly random: () => number;
  readonly agentId: string;
  readonly taskId: string;
  /** What to subscribe with. */
  subscription(): Subscribe;
  /** A report for this session, after so many frames about endpoints (null where there are none); `sent` says whether the scheduler took it. */
  report(session: string, seq: number | null): { readonly body: Report; readonly sent: (taken: boolean) => void };
  /** A leader introduced itself. */
  greeted(hello: Hello): void;
  configured(configRevision: number, config: unknown): void;
  /** Other code is wanted. */
  upgradeAsked(upgrade: Upgrade): void;
  /** The table changed, so what is on disk is old. */
  tableChanged(): void;
  log(message: string, fields: Readonly<Record<string, string | number>>): void;
}

/** Whether an announcement was accepted, with the epoch that it would have needed. */
export type Announced = { readonly accepted: true } | { readonly accepted: false; readonly highest: number };

export class ControlLink {
  gaps = 0;
  connects = 0;
  /** When the table was last known to be the scheduler's, by `performance.now()`; null: not in this process' life. */
  currentAt: number | null = null;
  private readonly host: LinkHost;
  private state: State = { kind: 'idle' };
  private inVain = 0;
  /** Whether this outage has been logged. */
  private complained = false;

  constructor(host: LinkHost) {
    this.host = host;
  }

  get status(): State['kind'] {
    return this.state.kind;
  }

  start(): void {
    if (this.state.kind === 'idle') this.connect();
  }

  close(): void {
    this.enter({ kind: 'idle' });
  }

  /** A leader says where it is. The link goes there, unless it has that leader's stream already. */
  announced({ epoch, schedulers }: Announce): Announced {
    const before = this.host.epochs.highest;
    if (!this.host.epochs.admit(epoch)) return { accepted: false, highest: before };
    this.host.schedulers.tell(schedulers);
    this.host.tableChanged();
    const { state } = this;
    const current = state.kind === 'streaming' && state.hello?.epoch === epoch && schedulers.includes(state.url);
    if (!current && state.kind !== 'idle') this.connect();
    return { accepted: true };
  }

  /** Reports now, if there is a stream: something happened that the scheduler waits for. */
  reportSoon(): void {
    const { state } = this;
    if (state.kind !== 'streaming') return;
    if (state.reporting === 'no') this.report(state);
    else state.reporting = 'stale';
  }

  private connect(): void {
    const step = this.host.schedulers.step(this.host.random());
    if ('pauseMs' in step) {
      if (!this.complained)
        this.host.log('no scheduler answers; serving on', { tried: this.host.schedulers.all.join() });
      this.complained = true;
      this.enter({ kind: 'backing-off', timer: setTimeout(() => this.connect(), step.pauseMs) });
      return;
    }
    const { url } = step;
    // The listener is only called later, when this state has been entered.
    const cancel = this.host.client.subscribe(url, this.host.subscription(), {
      opened: (stream) => this.opened(url, stream),
      refused: (answer) => {
        const why = answer.kind === 'status' ? `status ${answer.status}` : answer.detail;
        if (!this.complained) this.host.log('scheduler does not take the subscription', { url, why });
        this.connect();
      },
    });
    this.enter({ kind: 'connecting', url, cancel });
  }

  private opened(url: string, stream: IncomingMessage): void {
    const watchdog = setTimeout(() => this.lost(streaming, 'no hello in time'), HELLO_TIMEOUT_MS);
    const streaming: Streaming = {
      kind: 'streaming',
      url,
      stream,
      openedAt: performance.now(),
      hello: null,
      watchdog,
      reports: null,
      bound: null,
      reporting: 'no',
    };
    this.connects += 1;
    // What ends the stream is heard by the loop that reads it; after that nobody listens any more.
    stream.on('error', () => undefined);
    this.enter(streaming);
    this.read(streaming).then(
      () => this.lost(streaming, 'the scheduler ended the stream'),
      (error: unknown) => this.lost(streaming, error instanceof Error ? error.message : String(error)),
    );
  }

  /** Reads until the stream ends. Waiting for the loop between records gives requests their turn, and backpressure. */
  private async read(streaming: Streaming): Promise<void> {
    const decoder = new RecordDecoder();
    // Proxies without a scheduler never need the schemas (wire-words.ts).
    const { frameSchema } = await import('./contract.ts');
    const { frameText } = await import('./frame-text.ts');
    for await (const chunk of streaming.stream) {
      for (const record of decoder.decode(chunk as Buffer)) {
        if (this.state !== streaming) return;
        streaming.watchdog.refresh();
        const problem = this.apply(streaming, frameSchema.parse(JSON.parse(frameText(record))));
        if (problem !== null) throw new Error(problem);
        await nextTurn();
      }
    }
  }

  /** Applies one frame; says why the stream has to be given up, or null. */
  private apply(streaming: Streaming, frame: Frame): string | null {
    const { host } = this;
    const before = host.epochs.highest;
    if (!host.epochs.admit(frame.epoch)) return `a frame of epoch ${frame.epoch}, and ${before} was seen`;
    if (frame.type === 'hello') {
      this.greeted(streaming, frame);
      return null;
    }
    if (streaming.hello === null) return `a ${frame.type} before hello`;
    switch (frame.type) {
      case 'heartbeat':
        return this.heard(streaming, frame);
      case 'config':
        host.configured(frame.configRevision, frame.config);
        this.reportSoon();
        return null;
      case 'upgrade':
        host.upgradeAsked(frame);
        return null;
      default: {
        const missing = this.missed(streaming, frame);
        if (missing !== null) return missing;
        const applied = host.table.apply(frame);
        if (applied.kind === 'gap') {
          this.gaps += 1;
          return applied.reason;
        }
        if (applied.kind === 'applied') {
          this.currentAt = performance.now();
          host.tableChanged();
        }
        if (frame.type === 'snapshot-end') this.reportSoon();
        return null;
      }
    }
  }

  /** A heartbeat says up to which revision the stream has gone; 0: there is no table on it yet. */
  private heard({ bound }: Streaming, { revision, seq }: Extract<Frame, { type: 'heartbeat' }>): string | null {
    const { table } = this.host;
    if (bound !== null && seq !== undefined && seq !== bound.seq) {
      this.gaps += 1;
      return `a heartbeat after ${seq} frames about endpoints, and ${bound.seq} have come: some were lost`;
    }
    if (revision === 0 || table.isStaging) return null;
    if (table.revision !== revision) {
      this.gaps += 1;
      return `a heartbeat of revision ${revision}, and the table is of ${table.revision}: something was lost`;
    }
    this.currentAt = performance.now();
    return null;
  }

  /** Frames about endpoints are counted: one that is lost is noticed with the next one. */
  private missed({ bound }: Streaming, frame: TableFrame): string | null {
    if (frame.type !== 'endpoints' && frame.type !== 'endpoints-patch' && frame.type !== 'forget') return null;
    if (bound === null) return `a frame about endpoints (${frame.type}) in a scope that has none`;
    if (frame.seq !== bound.seq + 1) {
      this.gaps += 1;
      return `frame ${frame.seq} about endpoints follows on ${bound.seq}`;
    }
    bound.seq = frame.seq;
    return null;
  }

  private greeted(streaming: Streaming, hello: Hello): void {
    streaming.hello = hello;
    this.scoped(streaming, hello);
    clearTimeout(streaming.watchdog);
    streaming.watchdog = setTimeout(
      () => this.lost(streaming, 'heartbeats stopped'),
      MISSED_HEARTBEATS * hello.heartbeatMs,
    );
    if (streaming.reports !== null) clearInterval(streaming.reports);
    streaming.reports = setInterval(() => this.report(streaming), hello.reportMs);
    this.host.schedulers.tell(hello.schedulers);
    this.host.schedulers.restart();
    this.complained = false;
    this.host.greeted(hello);
    this.host.log('subscribed', { url: streaming.url, epoch: hello.epoch, session: hello.session });
  }

  private scoped(streaming: Streaming, { scope, session }: Hello): void {
    const { table, client, agentId, taskId } = this.host;
    table.isBoundScope = scope === 'bound';
    streaming.bound?.wanting.close();
    streaming.bound = null;
    if (scope !== 'bound') return;
    const refused = (status: number): void => this.lost(streaming, `what is wanted was answered with status ${status}`);
    const { url } = streaming;
    const log: LinkHost['log'] = (message, fields) => this.host.log(message, fields);
    const wanting = new Wanting({ url, session, agentId, taskId, table, client, refused, log });
    streaming.bound = { seq: 0, wanting };
  }

  private lost(streaming: Streaming, why: string): void {
    if (this.state !== streaming) return;
    this.host.log('control stream lost', { url: streaming.url, why });
    this.host.table.abandonSnapshot();
    if (streaming.hello === null) {
      this.connect();
      return;
    }
    // A scheduler whose streams end at once is not asked in a tight loop.
    this.inVain = performance.now() - streaming.openedAt < SHORT_STREAM_MS ? this.inVain + 1 : 0;
    const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** this.inVain, LONGEST_PAUSE_MS) * this.host.random();
    this.host.schedulers.restart();
    this.enter({ kind: 'backing-off', timer: setTimeout(() => this.connect(), pauseMs) });
  }

  private report(streaming: Streaming): void {
    const { hello } = streaming;
    if (this.state !== streaming || hello === null || streaming.reporting !== 'no') return;
    streaming.reporting = 'yes';
    const { body, sent } = this.host.report(hello.session, streaming.bound?.seq ?? null);
    this.host.client.report(streaming.url, body, (answer) => {
      const isStale = streaming.reporting === 'stale';
      streaming.reporting = 'no';
      const taken = answer.kind === 'status' && answer.status >= 200 && answer.status < 300;
      sent(taken);
      // The scheduler does not know this session: it is another one, or it has forgotten us (401: by what it knew us).
      if (answer.kind === 'status' && [401, 404, 409].includes(answer.status)) {
        this.lost(streaming, `a report was answered with status ${answer.status}`);
      } else if (isStale) {
        this.report(streaming);
      }
    });
  }

  private enter(next: State): void {
    const { state } = this;
    this.state = next;
    switch (state.kind) {
      case 'idle':
        return;
      case 'connecting':
        state.cancel();
        return;
      case 'streaming':
        clearTimeout(state.watchdog);
        if (state.reports !== null) clearInterval(state.reports);
        state.bound?.wanting.close();
        state.stream.destroy();
        return;
      case 'backing-off':
        clearTimeout(state.timer);
        return;
    }
  }
}
