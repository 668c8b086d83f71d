/**
 * `X-Forwarded-*` at the edge: whom a request comes for, as this proxy sees it. What a client says of that itself is
 * dropped, `Forwarded` (RFC 7239) and `X-Real-IP` with it: an app behind the edge may believe what it reads there.
 */

export interface Client {
  readonly client: string | null;
  /** The port of ours that it called. */
  readonly port: number | null;
  readonly host: string | null;
}

const CLAIMS = /^(?:x-forwarded-[^:\r\n]*|forwarded|x-real-ip):[^\r\n]*\r\n/gim;

/** Header lines, each with its CR LF. */
export function withForwardedFor(lines: string, { client, port, host }: Client): string {
  let kept = lines.replace(CLAIMS, '');
  if (client !== null) kept += `X-Forwarded-For: ${client.replace(/^::ffff:(?=\d+\.)/i, '')}\r\n`;
  kept += 'X-Forwarded-Proto: http\r\n';
  if (host !== null) kept += `X-Forwarded-Host: ${host}\r\n`;
  if (port !== null) kept += `X-Forwarded-Port: ${port}\r\n`;
  return kept;
}
