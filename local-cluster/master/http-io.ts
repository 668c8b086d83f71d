/** Reading requests and writing answers as the HTTP library of Mesos (libprocess) does. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';

const MAX_BODY_BYTES = 16 * 1024 * 1024;
/** Smaller bodies are not worth it, and libprocess does not compress them. */
const GZIP_MIN_BYTES = 1024;

/** The body as text, or null if it is too large or the sender hung up: the answer, if any, has been given. */
export async function readBody(request: IncomingMessage, response: ServerResponse): Promise<string | null> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > MAX_BODY_BYTES) {
        sendText(response, 413, `Expecting a body of at most ${MAX_BODY_BYTES} bytes`, { Connection: 'close' });
        return null;
      }
      chunks.push(chunk);
    }
  } catch {
    // The connection broke while the body came in: there is nobody to answer.
    response.destroy();
    return null;
  }
  return Buffer.concat(chunks).toString('utf8');
}

export function sendEmpty(response: ServerResponse, status: number, headers: Record<string, string> = {}): void {
  send(response, status, { ...headers, 'Content-Length': '0' }, '');
}

export function sendText(
  response: ServerResponse,
  status: number,
  text: string,
  headers: Record<string, string> = {},
): void {
  const body = Buffer.from(text);
  const fixed = { 'Content-Type': 'text/plain; charset=utf-8', 'Content-Length': String(body.length) };
  send(response, status, { ...headers, ...fixed }, body);
}

/** JSON, gzipped for those who want it; `?jsonp=f` wraps it in a call. */
export function sendJson(request: IncomingMessage, response: ServerResponse, json: unknown): void {
  const callback = new URL(request.url ?? '/', 'http://master').searchParams.get('jsonp');
  const text = callback === null ? JSON.stringify(json) : `${callback}(${JSON.stringify(json)})`;
  const plain = Buffer.from(text);
  const zip = plain.length >= GZIP_MIN_BYTES && acceptsGzip(request);
  const body = zip ? gzipSync(plain) : plain;
  send(
    response,
    200,
    {
      ...(zip ? { 'Content-Encoding': 'gzip' } : {}),
      'Content-Length': String(body.length),
      'Content-Type': callback === null ? 'application/json' : 'text/javascript',
    },
    body,
  );
}

export function methodNotAllowed(request: IncomingMessage, response: ServerResponse, allowed: readonly string[]): void {
  const list = allowed.map((method) => `'${method}'`).join(', ');
  const text = `405 Method Not Allowed. Expecting one of { ${list} }, but received '${request.method}'.`;
  sendText(response, 405, text, { Allow: allowed.join(', ') });
}

/** Whether the sender takes JSON. Protobuf alone is not enough: this master writes none. */
export function acceptsJson(request: IncomingMessage): boolean {
  const accept = request.headers.accept;
  if (accept === undefined) return true;
  const types = accept.split(',').map((type) => type.split(';')[0]?.trim());
  return types.some((type) => type === 'application/json' || type === 'application/*' || type === '*/*');
}

/** Null if the body is JSON by its header; else what to answer. */
export function contentTypeError(
  request: IncomingMessage,
): { readonly status: number; readonly message: string } | null {
  const type = request.headers['content-type'];
  if (type === undefined) return { status: 400, message: "Expecting 'Content-Type' to be present" };
  if (type === 'application/json') return null;
  const message =
    type === 'application/x-protobuf'
      ? "Protobuf is not supported here: expecting 'Content-Type' of application/json"
      : "Expecting 'Content-Type' of application/json or application/x-protobuf";
  return { status: 415, message };
}

export const NOT_ACCEPTABLE = "Expecting 'Accept' to allow 'application/x-protobuf' or 'application/json'";

/** libprocess writes no `Connection` header; a removed one is not added by Node either, keep-alive stays as it is. */
export function plainHead(response: ServerResponse): void {
  response.removeHeader('Connection');
}

function send(response: ServerResponse, status: number, headers: Record<string, string>, body: Buffer | string): void {
  plainHead(response);
  response.writeHead(status, headers);
  response.end(body);
}

function acceptsGzip(request: IncomingMessage): boolean {
  return /\bgzip\b/.test(String(request.headers['accept-encoding'] ?? ''));
}
