/** The little of HTTP that the API needs: a bounded body, JSON in and out, and a path as Marathon reads it. */
import type { IncomingMessage, ServerResponse } from 'node:http';

const MAX_BODY_BYTES = 4 * 1024 * 1024;

/** What the API answers with. */
export interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export type Body = { ok: true; value: unknown } | { ok: false; answer: Answer };

export const answer = (status: number, body: unknown, headers?: Readonly<Record<string, string>>): Answer =>
  headers === undefined ? { status, body } : { status, body, headers };

/** A body as JSON; an empty one is undefined. */
export async function readJson(request: IncomingMessage): Promise<Body> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    const bytes = chunk as Buffer;
    size += bytes.length;
    if (size > MAX_BODY_BYTES) return { ok: false, answer: answer(413, { message: 'The body is too large' }) };
    chunks.push(bytes);
  }
  const text = Buffer.concat(chunks).toString('utf8');
  if (text.trim() === '') return { ok: true, value: undefined };
  try {
    return { ok: true, value: JSON.parse(text) };
  } catch (error) {
    const details = error instanceof Error ? error.message : String(error);
    return { ok: false, answer: answer(400, { message: 'Invalid JSON', details }) };
  }
}

export function send(response: ServerResponse, { status, body, headers }: Answer): void {
  if (response.destroyed || response.headersSent) return;
  const plain = typeof body === 'string';
  const bytes = Buffer.from(plain ? body : JSON.stringify(body));
  response.writeHead(status, {
    'content-type': plain ? 'text/plain; charset=utf-8' : 'application/json',
    'content-length': bytes.length,
    'cache-control': 'no-cache, no-store, must-revalidate',
    ...headers,
  });
  response.end(bytes);
}

/** `?flag`, `?flag=true` */
export function flag(query: URLSearchParams, name: string): boolean {
  const value = query.get(name);
  return value !== null && value !== 'false' && value !== '0';
}
