/**
 * `traceparent` of W3C Trace Context. `tracestate` is never read or changed here: a proxy that adds nothing to it passes it
 * on as it came (3.3.1.5).
 */
import type { TraceContext } from './context.ts';
import { isHex, readWord } from './hex.ts';

/** `<version>-<trace id>-<parent id>-<flags>`. */
const TRACE_AT = 3;
const PARENT_AT = 36;
const FLAGS_AT = 53;
const LENGTH = 55;
const SAMPLED = 1;

/** Sets ids and decision. False, and the context undefined, where the header is malformed (3.2.2). */
export function readTraceparent(text: string, into: TraceContext): boolean {
  if (!isWellFormed(text)) return false;
  into.trace0 = readWord(text, TRACE_AT);
  into.trace1 = readWord(text, TRACE_AT + 8);
  into.trace2 = readWord(text, TRACE_AT + 16);
  into.trace3 = readWord(text, TRACE_AT + 24);
  into.span0 = readWord(text, PARENT_AT);
  into.span1 = readWord(text, PARENT_AT + 8);
  // Zero is no id.
  if ((into.trace0 | into.trace1 | into.trace2 | into.trace3) === 0 || (into.span0 | into.span1) === 0) return false;
  into.parent0 = into.span0;
  into.parent1 = into.span1;
  into.flags = 0;
  into.decidedByRate = false;
  into.decide((Number.parseInt(text.slice(FLAGS_AT, LENGTH), 16) & SAMPLED) !== 0);
  return true;
}

function isWellFormed(text: string): boolean {
  if (text[2] !== '-' || text[TRACE_AT + 32] !== '-' || text[PARENT_AT + 16] !== '-') return false;
  if (!isHex(text, 0, 2) || !isHex(text, TRACE_AT, TRACE_AT + 32) || !isHex(text, PARENT_AT, PARENT_AT + 16))
    return false;
  if (!isHex(text, FLAGS_AT, LENGTH)) return false;
  const head = text.length === LENGTH ? text : text.slice(0, LENGTH);
  // Only lower case is allowed (3.2.2.2). A later version may add fields at the end; 00 has none, and ff is forbidden.
  if (head !== head.toLowerCase() || head.startsWith('ff')) return false;
  return text.length === LENGTH || (!head.startsWith('00') && text[LENGTH] === '-');
}

/** The line `traceparent` of a context: always version 00. */
export function traceparentLine(context: TraceContext): string {
  return `traceparent: 00-${context.wideTraceId}-${context.spanId}-0${context.sampled === true ? 1 : 0}\r\n`;
}
