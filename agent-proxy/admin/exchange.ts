/** One request to the admin server and its answer: what the pages are written with. */
import type { IncomingMessage, ServerResponse } from 'node:http';

const MAX_BODY_BYTES = 64 * 1024;
const JSON_TYPE = 'application/json';
const TEXT_TYPE = 'text/plain; charset=utf-8';
const HTML_TYPE = 'text/html; charset=utf-8';

export class AdminExchange {
  readonly request: IncomingMessage;
  /** Without the query, and without a slash at its end. */
  readonly path: string;
  readonly query: URLSearchParams;
  private readonly response: ServerResponse;

  constructor(request: IncomingMessage, response: ServerResponse) {
    this.request = request;
    this.response = response;
    const [path = '', query = ''] = (request.url ?? '/').split(/\?(.*)/s);
    this.path = path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
    this.query = new URLSearchParams(query);
  }

  /** `?name=true`, or 1. */
  isSet(name: string): boolean {
    return ['true', '1'].includes(this.query.get(name) ?? '');
  }

  text(status: number, body: string): void {
    this.send(status, TEXT_TYPE, body);
  }

  json(status: number, body: unknown): void {
    this.send(status, JSON_TYPE, `${JSON.stringify(body)}\n`);
  }

  /** No page here runs scripts, or loads anything. */
  html(status: number, body: string): void {
    this.response.setHeader('Content-Security-Policy', "default-src 'none'; style-src 'unsafe-inline'");
    this.send(status, HTML_TYPE, body);
  }

  empty(status: number): void {
    this.response.writeHead(status).end();
  }

  send(status: number, type: string, body: string): void {
    this.response.writeHead(status, { 'Content-Type': type }).end(body);
  }

  header(name: string, value: string): void {
    this.response.setHeader(name, value);
  }

  /** Calls back when the answer is with the kernel. */
  onSent(callback: () => void): void {
    this.response.once('finish', callback);
  }

  /** Calls back when nobody waits for the answer any more, or it is complete. */
  onClosed(callback: () => void): void {
    this.response.once('close', callback);
  }

  /** What happened after it may be too late for an answer. */
  fail(status: number, why: string): void {
    if (this.response.headersSent) this.response.destroy();
    else this.text(status, why);
  }

  streamJson(pieces: AsyncIterable<string>): Promise<void> {
    return this.stream(JSON_TYPE, pieces);
  }

  /**
   * Writes the pieces as the reader takes them; stops when the reader is gone. The next is asked for when nobody holds the one
   * before any more.
   */
  async stream(type: string, pieces: AsyncIterable<string | Uint8Array>): Promise<void> {
    const { response } = this;
    response.writeHead(200, { 'Content-Type': type });
    if (this.request.method === 'HEAD') {
      response.end();
      return;
    }
    for await (const piece of pieces) {
      if (piece.length > 0 && !response.destroyed) await written(response, piece);
      if (response.destroyed) return;
    }
    response.end();
  }

  /** Null where it is too large. */
  async readBody(): Promise<string | null> {
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of this.request) {
      if (!Buffer.isBuffer(chunk)) throw new TypeError('the request gives bytes as long as no encoding is set');
      size += chunk.length;
      // Read on all the same: the connection of a body that is left would be cut, and the answer with it.
      if (size <= MAX_BODY_BYTES) chunks.push(chunk);
    }
    return size > MAX_BODY_BYTES ? null : Buffer.concat(chunks).toString('utf8');
  }

  /** The body as JSON; undefined where it is none, or too large, which no schema takes. */
  async readJson(): Promise<unknown> {
    return jsonOf(await this.readBody());
  }

  /** Whether the body is said to be of this type, parameters aside. */
  hasType(type: string): boolean {
    return (this.request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() === type;
  }
}

/** Undefined for what is no JSON, or was too large to be read. */
export function jsonOf(body: string | null): unknown {
  if (body === null) return undefined;
  try {
    return JSON.parse(body) as unknown;
  } catch {
    // The caller answers as for JSON of another shape.
    return undefined;
  }
}

/** Waits until the kernel has it, or nobody reads any more. */
function written(response: ServerResponse, piece: string | Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      response.off('close', done);
      resolve();
    };
    response.on('close', done);
    // Its error says that nobody reads any more, which `close` does too.
    response.write(piece, done);
  });
}
