/**
 * Sends spans to a collector in batches: when enough have come or some time is over, one batch at a time. The queue is
 * bounded; spans that find it full, and those of a batch that did not arrive, are dropped and counted. Tracing is never
 * worth a wait, and a batch is never sent twice.
 */
import type { Span } from './span.ts';
import type { SpanSink } from './tracer.ts';

const QUEUE_SPANS = 2_000;
/** Some 1 ms of encoding. */
const BATCH_SPANS = 100;
const INTERVAL_MS = 1_000;

/** Sends a batch; `done` is called once, with what went wrong or null. */
export type SendBatch = (spans: readonly Span[], done: (failure: string | null) => void) => void;

export interface ExporterOptions {
  readonly sampleRate: number;
  readonly send: SendBatch;
  /** Hears of the first of several failures in a row. */
  readonly onFailure: (failure: string) => void;
  readonly queueSpans?: number;
  readonly batchSpans?: number;
  readonly intervalMs?: number;
}

export class BatchExporter implements SpanSink {
  readonly sampleRate: number;
  /** Spans that arrived. */
  sent = 0;
  /** Spans that found the queue full. */
  dropped = 0;
  /** Spans of batches that did not arrive. */
  failed = 0;
  private readonly options: ExporterOptions;
  private readonly queueSpans: number;
  private readonly batchSpans: number;
  private queue: Span[] = [];
  private timer: NodeJS.Timeout | null = null;
  private sending = false;
  private failing = false;
  private whenIdle: (() => void) | null = null;

  constructor(options: ExporterOptions) {
    this.options = options;
    this.sampleRate = options.sampleRate;
    this.queueSpans = options.queueSpans ?? QUEUE_SPANS;
    this.batchSpans = options.batchSpans ?? BATCH_SPANS;
  }

  offer(span: Span): void {
    if (this.queue.length >= this.queueSpans) {
      this.dropped += 1;
      return;
    }
    this.queue.push(span);
    if (this.queue.length >= this.batchSpans) this.sendNext();
    else this.sendLater();
  }

  /** Sends what is queued, for `graceMs` at most; the rest is lost. */
  close(graceMs: number): Promise<void> {
    return new Promise((resolve) => {
      const giveUp = setTimeout(resolve, graceMs);
      this.whenIdle = () => {
        clearTimeout(giveUp);
        resolve();
      };
      this.sendNext();
    });
  }

  private sendLater(): void {
    this.timer ??= setTimeout(() => this.sendNext(), this.options.intervalMs ?? INTERVAL_MS).unref();
  }

  private sendNext(): void {
    if (this.sending) return;
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    if (this.queue.length === 0) {
      this.whenIdle?.();
      return;
    }
    const batch = this.queue.splice(0, this.batchSpans);
    this.sending = true;
    this.options.send(batch, (failure) => this.batchEnded(batch.length, failure));
  }

  private batchEnded(spans: number, failure: string | null): void {
    this.sending = false;
    if (failure === null) this.sent += spans;
    else this.failed += spans;
    if (failure !== null && !this.failing) this.options.onFailure(failure);
    this.failing = failure !== null;
    if (this.queue.length >= this.batchSpans || this.whenIdle !== null) this.sendNext();
    else if (this.queue.length > 0) this.sendLater();
  }
}
