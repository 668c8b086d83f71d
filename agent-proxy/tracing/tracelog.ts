/** The telemeter `io.l5d.tracelog`: a line of the log for each span. */
import { type Span, timelineOf } from './span.ts';
import type { SpanSink } from './tracer.ts';

export class TraceLog implements SpanSink {
  readonly sampleRate: number;
  private readonly write: (line: string) => void;

  /** `write` puts a line into the log, at the level that was configured. */
  constructor(sampleRate: number, write: (line: string) => void) {
    this.sampleRate = sampleRate;
    this.write = write;
  }

  offer(span: Span): void {
    this.write(spanLine(span));
  }
}

/** `trace <trace id> <span id>:<parent id> <kind> <duration>ms …`: annotations with their time in the span, then tags. */
export function spanLine(span: Span): string {
  const { traceId, id, parentId, kind, duration, startedAt, tags, error } = span;
  let line = `trace ${traceId} ${id}:${parentId ?? '-'} ${kind} ${(duration / 1000).toFixed(3)}ms`;
  for (const { at, value } of timelineOf(span)) line += ` ${value}@${((at - startedAt) / 1000).toFixed(3)}`;
  for (const [key, value] of Object.entries(tags)) line += ` ${key}=${JSON.stringify(value)}`;
  return error === null ? line : `${line} error=${JSON.stringify(error)}`;
}
