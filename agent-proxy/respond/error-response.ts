/**
 * Answers that the proxy makes itself: the status of the reason's row, one line of text that says what was looked up,
 * what it looked in and why it failed, and the same in `l5d-err`.
 */
import type { Refusal } from '../balance/picker.ts';
import { RETRYABLE_HEADER } from '../control/contract.ts';
import { REASONS, type ReasonCode } from '../control/reason-codes.ts';
import type { ResponseHead } from '../http1/message.ts';

const ERR_HEADER = 'l5d-err';
/** Long host names are cut: a header has to fit anywhere. */
const MAX_TEXT = 1_000;

export interface ErrorResponse {
  readonly head: ResponseHead;
  readonly text: string;
}

/** `retryable` where it differs from the reason's row: nothing was sent, or it may be sent again. */
export function errorResponse(refusal: Refusal, retryable: boolean = REASONS[refusal.code].retryable): ErrorResponse {
  const row = REASONS[refusal.code];
  const hint = refusal.hint === undefined ? '' : `; ${refusal.hint}`;
  const sentence = `${refusal.code}: ${refusal.detail}: ${row.sentence}${hint}`;
  const line = sentence.replace(/[\r\n]+/g, ' ').slice(0, MAX_TEXT);
  const text = `${line}\n`;
  const headers = [
    'Content-Type',
    'text/plain; charset=utf-8',
    'Content-Length',
    String(Buffer.byteLength(text)),
    ERR_HEADER,
    encode(line),
  ];
  if (retryable) headers.push(RETRYABLE_HEADER, 'true');
  return { head: { status: row.status ?? 502, reason: '', headers }, text };
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
