/** B3, Zipkin's propagation: several `x-b3-*` headers or the one `b3`. Lenient about what is absent, strict about ids. */
import type { TraceContext } from './context.ts';
import { isId, readWord } from './hex.ts';

/** The values of B3 headers in a request, null where they are absent. */
export interface B3Headers {
  /** `b3: <trace>-<span>[-<sampled>[-<parent>]]`, or only `0`, `1` or `d`. */
  readonly b3: string | null;
  /** `x-b3-traceid` and so on. */
  readonly b3TraceId: string | null;
  readonly b3SpanId: string | null;
  readonly b3ParentSpanId: string | null;
  readonly b3Sampled: string | null;
  readonly b3Flags: string | null;
}

/** Sets ids, parent and decision. False where the request has no ids in B3 that could be read. */
export function readB3(headers: B3Headers, into: TraceContext): boolean {
  if (headers.b3TraceId !== null) {
    if (!setIds(headers.b3TraceId, headers.b3SpanId ?? '', headers.b3ParentSpanId ?? '', into)) return false;
  } else {
    const parts = headers.b3?.split('-') ?? [];
    if (!setIds(parts[0] ?? '', parts[1] ?? '', parts[3] ?? '', into)) return false;
  }
  readB3Decision(headers, into);
  return true;
}

/** Sets the decision, which may come without ids. */
export function readB3Decision(headers: B3Headers, into: TraceContext): void {
  const { b3, b3Flags, b3Sampled } = headers;
  let state = b3Flags === '1' ? 'd' : b3Sampled;
  if (state === null && b3 !== null) state = b3.includes('-') ? (b3.split('-')[2] ?? null) : b3;
  if (state === 'd') into.setDebug();
  // Early writers of B3 sent the words.
  else if (state === '1' || state === 'true') into.decide(true);
  else if (state === '0' || state === 'false') into.decide(false);
}

function setIds(trace: string, span: string, parent: string, into: TraceContext): boolean {
  if (!isId(trace) || !isId(span) || span.length !== 16) return false;
  const lower = trace.length - 16;
  into.trace0 = lower === 0 ? 0 : readWord(trace, 0);
  into.trace1 = lower === 0 ? 0 : readWord(trace, 8);
  into.trace2 = readWord(trace, lower);
  into.trace3 = readWord(trace, lower + 8);
  into.span0 = readWord(span, 0);
  into.span1 = readWord(span, 8);
  const hasParent = isId(parent) && parent.length === 16;
  into.parent0 = hasParent ? readWord(parent, 0) : into.span0;
  into.parent1 = hasParent ? readWord(parent, 8) : into.span1;
  into.flags = 0;
  into.decidedByRate = false;
  return true;
}

/** The lines `X-B3-*` of a context. */
export function b3Lines(context: TraceContext): string {
  const { sampled, parentId } = context;
  let lines = `x-b3-traceid: ${context.traceId}\r\nx-b3-spanid: ${context.spanId}\r\n`;
  if (parentId !== null) lines += `x-b3-parentspanid: ${parentId}\r\n`;
  // Debug implies that it is sampled, and is not sent together with it.
  if (context.debug) lines += 'x-b3-flags: 1\r\n';
  else if (sampled !== null) lines += `x-b3-sampled: ${sampled ? '1' : '0'}\r\n`;
  return lines;
}

/** The line `b3` of a context. */
export function b3Line(context: TraceContext): string {
  const { sampled, parentId } = context;
  let line = `b3: ${context.traceId}-${context.spanId}`;
  // The parent may only follow a decision.
  if (sampled !== null) {
    line += `-${context.debug ? 'd' : sampled ? '1' : '0'}`;
    if (parentId !== null) line += `-${parentId}`;
  }
  return `${line}\r\n`;
}
