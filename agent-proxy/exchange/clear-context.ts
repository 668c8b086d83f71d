/**
 * `clearContext`: a server at the edge believes nothing of what `l5d-*` headers say, and tells nobody outside. What a request
 * brings is dropped; what an answer carries is too, and an error's text with it (linkerd's rule).
 */
import type { Refusal } from '../balance/picker.ts';
import { REASONS, type ReasonCode } from '../control/reason-codes.ts';
import type { BodySink } from '../http1/body-sink.ts';
import { FIELD } from '../http1/fields.ts';
import { type ResponseHead, responseValue } from '../http1/response-head.ts';
import type { ErrorResponse } from '../respond/error-response.ts';
import type { Relay } from './relayed.ts';

/** Header lines without those that linkerd's family knows. */
export function withoutContext(lines: string): string {
  return lines.replace(/^(?:l5d-|dtab-)[^\r\n]*\r\n/gim, '');
}

const NOWHERE: BodySink = {
  bytes: () => undefined,
  text: () => undefined,
};

export function clearedRelay(relay: Relay, response: ResponseHead): Relay {
  const changedLines = withoutContext(relay.changedLines ?? response.kept);
  if (responseValue(response, FIELD.err) === null) return { ...relay, changedLines };
  const plain = changedLines.replace(/^(?:content-length|transfer-encoding|content-type):.*\r\n/gim, '');
  const lines = relay.lines.replace(/^transfer-encoding:.*\r\n/gim, '');
  const { keepAlive } = relay;
  return {
    keepAlive,
    lines: `Content-Length: 0\r\n${lines}`,
    changedLines: plain,
    sink: NOWHERE,
    form: 'content',
    end: null,
  };
}

/** What they say is made of the request alone. */
const OF_THE_REQUEST: ReadonlySet<ReasonCode> = new Set([
  'bad-request',
  'not-supported',
  'unidentified',
  'not-exposed',
]);

/** An error of the proxy's own: nobody outside is told which instances there are, and where. */
export function clearedError({ status, body: told }: ErrorResponse, { code }: Refusal): ErrorResponse {
  const body = OF_THE_REQUEST.has(code) ? told : `${code}: ${REASONS[code].sentence}\n`;
  return { status, lines: `Content-Type: text/plain; charset=utf-8\r\nContent-Length: ${body.length}\r\n`, body };
}
