/**
 * Answers that the proxy makes itself: the status of the reason's row, one line of text that says what was looked up,
 * what it looked in and why it failed, and the same in `l5d-err`.
 */
import { STATUS_CODES } from 'node:http';
import type { Refusal } from '../balance/picker.ts';
import { REASONS, type ReasonCode } from '../control/reason-codes.ts';
import { RETRYABLE_HEADER } from '../control/wire-words.ts';

/** Long host names are cut: a header has to fit anywhere. */
const MAX_TEXT = 1_000;

export interface ErrorResponse {
  readonly status: number;
  /** The header lines, each with its CR LF, without `Connection`. */
  readonly lines: string;
  /** One line, one character a byte. */
  readonly body: string;
}

/**
 * `retryable` where it differs from the reason's row: nothing was sent, or it may be sent again. `status` likewise: a
 * request that cannot be understood has the status of its fault.
 */
export function errorResponse(
  refusal: Refusal,
  retryable: boolean = REASONS[refusal.code].retryable,
  status: number = REASONS[refusal.code].status ?? 502,
): ErrorResponse {
  const row = REASONS[refusal.code];
  const hint = refusal.hint === undefined ? '' : `; ${refusal.hint}`;
  const sentence = `${refusal.code}: ${refusal.detail}: ${row.sentence}${hint}`;
  const line = sentence.replace(/[\r\n]+/g, ' ').slice(0, MAX_TEXT);
  const body = Buffer.from(`${line}\n`, 'utf8').toString('latin1');
  let lines = `Content-Type: text/plain; charset=utf-8\r\nContent-Length: ${body.length}\r\nl5d-err: ${encode(line)}\r\n`;
  if (retryable) lines += `${RETRYABLE_HEADER}: true\r\n`;
  return { status, lines, body };
}

/** The answer as it is written to this client. `more` are lines that the router adds, each with its CR LF. */
export function errorText(
  { status, lines, body }: ErrorResponse,
  request: { readonly method: string; readonly version: string } | null,
  keepAlive: boolean,
  more = '',
): string {
  const connection = keepAlive
    ? request?.version === '1.0'
      ? 'Connection: keep-alive\r\n'
      : ''
    : 'Connection: close\r\n';
  // An answer to HEAD has the head of the answer to GET, and no body (RFC 9110, 9.3.2).
  const text = request?.method === 'HEAD' ? '' : body;
  return `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${lines}${more}${connection}\r\n${text}`;
}

/** The reason code at the beginning of a peer's `l5d-err`, or null where it is none of ours. */
export function reasonOf(err: string | null): ReasonCode | null {
  if (err === null) return null;
  const code = /^[a-z-]+/.exec(err)?.[0] ?? '';
  return Object.hasOwn(REASONS, code) ? (code as ReasonCode) : null;
}

/** The text of a peer's `l5d-err` without its code, for our own line. */
export function detailOf(err: string): string {
  const code = reasonOf(err);
  try {
    const text = decodeURIComponent(err);
    if (code === null) return text;
    return text.slice(code.length + 2).replace(`: ${REASONS[code].sentence}`, '');
  } catch {
    // Not URL-encoded: nothing that we made.
    return err;
  }
}

function encode(text: string): string {
  // Half of a surrogate pair, cut off above, cannot be encoded.
  return encodeURIComponent(text.replace(/\p{Surrogate}/gu, '?'));
}

/** An answer of the proxy's own that is no error, as it is written. `lines` have their CR LF. */
export function ownAnswer(status: number, lines: string, body: string, keepAlive: boolean): string {
  const connection = keepAlive ? '' : 'Connection: close\r\n';
  const length = `Content-Length: ${body.length}\r\n`;
  return `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${lines}${length}${connection}\r\n${body}`;
}
