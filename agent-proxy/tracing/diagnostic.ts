/**
 * What a caller is told who asks how a request was routed: the text of a `TRACE` with `l5d-add-context` (linkerd's), and the
 * response header `l5d-debug` (ours). Each proxy on the way adds its own.
 */
import type { Attempt, TracedRequest } from './attempt.ts';

/** A step of a name's resolution: the path, and the dentry (`/svc => /srv`) that led to it; null for the first. */
export interface ResolutionStep {
  readonly path: string;
  readonly dentry: string | null;
}

export interface Diagnostic {
  /** The router's label. */
  readonly router: string;
  readonly durationMs: number;
  /** The logical name. */
  readonly service: string;
  /** The bound name. */
  readonly client: string;
  /** All of the client, each `address:port`. */
  readonly addresses: readonly string[];
  /** The one that the request was sent to; null where it was sent to none. */
  readonly selected: string | null;
  readonly resolution: readonly ResolutionStep[];
}

/** The block of one router, to be appended to the body that came from upstream. */
export function diagnosticText(diagnostic: Diagnostic): string {
  const { router, durationMs, service, client, addresses, selected, resolution } = diagnostic;
  const lines = [
    `--- Router: ${router} ---`,
    `request duration: ${durationMs.toFixed(1)} ms`,
    `service name: ${service}`,
    `client name: ${client}`,
    `addresses: [${addresses.join(', ')}]`,
    `selected address: ${selected ?? '-'}`,
    'dtab resolution:',
    ...resolution.map(({ path, dentry }) => (dentry === null ? `  ${path}` : `  => ${path} (${dentry})`)),
  ];
  return `\n${lines.join('\n')}\n`;
}

/** A request that was retried more often is not shown in full: the header has to fit anywhere. */
const MAX_ATTEMPTS = 10;

/**
 * The value of `l5d-debug` of one router; where upstream has sent one, that stays as it is, and this is one header more.
 * `outgoing; service="/svc/web"; ms=20.0; attempt="web.2 127.0.0.1:31001 status=200 …"`, times in ms since it was begun.
 */
export function debugValue(request: TracedRequest, now: number): string {
  const { router, service, reason, attempts, startedAt } = request;
  let value = `${quoted(router)}; service=${quoted(service ?? '-')}; ms=${(now - startedAt).toFixed(1)}`;
  if (reason !== null) value += `; reason=${reason}`;
  for (const attempt of attempts.slice(-MAX_ATTEMPTS)) value += `; attempt=${quoted(attemptText(attempt, startedAt))}`;
  return value;
}

function attemptText(attempt: Attempt, since: number): string {
  const { client, instance, address, port, status, reason, startedAt, wroteAt, headAt } = attempt;
  const at = (time: number | null): string => (time === null ? '-' : (time - since).toFixed(1));
  const times = `begun=${at(startedAt)} written=${at(wroteAt)} head=${at(headAt)}`;
  return `${client} ${instance} ${address}:${port} status=${status ?? '-'} reason=${reason ?? '-'} ${times}`;
}

/** A quoted string (RFC 9110 5.6.4) of bytes that every header may hold; others are percent-encoded. */
function quoted(text: string): string {
  const plain = text.replace(/[^\x20-\x7e]|["\\%]/g, (byte) => `%${byte.charCodeAt(0).toString(16).padStart(2, '0')}`);
  return `"${plain}"`;
}
