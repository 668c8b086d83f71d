/** What a request brings with it from hop to hop, read before its name: trace, deadline, and whether it asks how it went. */
import { isLoopback } from '../admin/authorization.ts';
import { FIELD } from '../http1/fields.ts';
import { HEADERS_OF_FORMAT, LINKERD } from '../tracing/propagator.ts';
import { withoutContext } from './clear-context.ts';
import { NO_TRACE, receivedDeadline, traceHeadersOf } from './context-lines.ts';
import type { Exchange } from './exchange.ts';

export function readContext(exchange: Exchange): void {
  const { runtime, head, entrance } = exchange;
  if (entrance.config.clearContext) {
    // Nothing of it is believed, and nothing of it goes on.
    exchange.changedLines = withoutContext(exchange.kept);
    exchange.traceFormats = runtime.propagator.receive(NO_TRACE, exchange.context);
    return;
  }
  const formats = runtime.propagator.receive(traceHeadersOf(head), exchange.context);
  exchange.traceFormats = formats;
  if (formats !== LINKERD && head.tellsTrace) exchange.changedLines = withoutFormats(exchange.kept, formats);
  if (head.has(FIELD.debug)) exchange.wantsDebug = head.value(FIELD.debug) === 'true' && isTrusted(exchange);
  if (!head.has(FIELD.contextDeadline)) return;
  exchange.deadline = receivedDeadline(head, runtime.wallClock(), exchange.answersPeer);
  if (exchange.deadline?.isSkewed !== true) return;
  runtime.figures.skewedDeadlines += 1;
  runtime.warnOfSkew();
}

/** A peer of ours, or somebody on this very machine. */
function isTrusted({ answersPeer, connection }: Exchange): boolean {
  return answersPeer || isLoopback(connection.remoteAddress.replace(/^::ffff:/, ''));
}

/** Without the lines that the proxy writes anew. */
function withoutFormats(lines: string, formats: number): string {
  const names = HEADERS_OF_FORMAT.flatMap(([format, headers]) => ((formats & format) === 0 ? [] : headers));
  return names.length === 0 ? lines : lines.replace(new RegExp(`^(?:${names.join('|')}):.*\\r\\n`, 'gim'), '');
}
