/**
 * The tracer of a proxy: gives the spans of sampled requests to those who take them (telemeters), each at its own rate. A
 * decision that came with the request, or was asked for, holds for all of them.
 */
import type { TracedRequest } from './attempt.ts';
import type { TraceContext } from './context.ts';
import type { SamplingRate } from './propagator.ts';
import { isSampledAt } from './sampler.ts';
import { type Span, spansOf } from './span.ts';

/** Takes spans. Never waits. */
export interface SpanSink {
  /** 0 to 1. */
  readonly sampleRate: number;
  offer(span: Span): void;
}

export class Tracer implements SamplingRate {
  /** A trace that the most eager sink takes is sampled. */
  readonly sampleRate: number;
  readonly salt: number;
  private readonly sinks: readonly SpanSink[];
  private readonly timeOrigin: number;

  /** `salt` is any 32-bit word; `timeOrigin` is `performance.timeOrigin`. */
  constructor(sinks: readonly SpanSink[], salt: number, timeOrigin: number) {
    this.sinks = sinks;
    this.salt = salt | 0;
    this.timeOrigin = timeOrigin;
    this.sampleRate = Math.max(0, ...sinks.map((sink) => sink.sampleRate));
  }

  /** Whether {@link record} would do anything. */
  wants(context: TraceContext): boolean {
    return context.sampled === true;
  }

  /** The request is over. */
  record(request: TracedRequest): void {
    const { context } = request;
    if (!this.wants(context)) return;
    let spans: Span[] | null = null;
    for (const sink of this.sinks) {
      if (context.decidedByRate && !isSampledAt(sink.sampleRate, context, this.salt)) continue;
      spans ??= spansOf(request, this.timeOrigin);
      for (const span of spans) sink.offer(span);
    }
  }
}
