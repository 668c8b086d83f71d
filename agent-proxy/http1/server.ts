/**
 * The server side of HTTP/1.1, on `node:http` for now: turns each request into a {@link Downstream}, and refuses what
 * the proxy does not pass on (Upgrade, CONNECT, a head that can be read in two ways).
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { RequestBody } from './body.ts';
import { type Framing, framingOf, isCodedOtherwise } from './headers.ts';
import type { RawHeaders, RequestHead, ResponseHead } from './message.ts';
import { refuseUnparsed, type Unparsed, unparsed } from './unparsed.ts';

const MAX_HEAD_BYTES = 32 * 1024;
const HEAD_TIMEOUT_MS = 20_000;
/** Longer than the pools of our peers keep a connection ({@link file://./client.ts}), so that they hang up first. */
const IDLE_TIMEOUT_MS = 60_000;

/** A request and the way to answer it. */
export class Downstream {
  readonly head: RequestHead;
  readonly framing: Framing;
  readonly body: RequestBody;
  /** Called when the client goes away before its answer is complete. */
  onGone: (() => void) | null = null;
  /** Called when the client has taken what was written. */
  onDrain: (() => void) | null = null;
  /** Called once, when the answer was handed to the kernel in full. */
  onFinished: (() => void) | null = null;
  readonly remoteAddress: string;
  /** The port that it came in by. */
  readonly localPort: number | null;
  private readonly response: ServerResponse;
  private readonly draining: () => boolean;
  private over = false;

  constructor(message: IncomingMessage, response: ServerResponse, head: RequestHead, draining: () => boolean) {
    this.head = head;
    this.framing = framingOf(head.headers);
    this.body = new RequestBody(message, this.framing.kind === 'none');
    this.response = response;
    this.draining = draining;
    this.remoteAddress = message.socket.remoteAddress ?? '-';
    this.localPort = message.socket.localPort ?? null;
    // A reset in the middle of a body is an error of the message; `close` of the response says the same.
    message.on('error', () => undefined);
    response.on('drain', () => this.onDrain?.());
    response.on('finish', () => {
      this.over = true;
      this.onFinished?.();
      // An answer may come before its request is complete. The rest is read and dropped, or a client that is still
      // sending would get a reset instead of the answer.
      if (!this.body.complete) this.body.discard(() => message.socket.destroy());
    });
    response.on('close', () => this.gone());
    response.on('error', () => undefined);
  }

  /** Its connection is closed. An answer that waits for those before it does not hear of that by itself. */
  gone(): void {
    if (this.over) return;
    this.over = true;
    this.onGone?.();
  }

  /** Throws where a header cannot be written. */
  writeHead(head: ResponseHead): void {
    const headers = [...head.headers];
    if (this.draining()) headers.push('Connection', 'close');
    if (head.reason === '') this.response.writeHead(head.status, headers);
    else this.response.writeHead(head.status, head.reason, headers);
  }

  /** False asks to wait for `onDrain`. */
  write(chunk: Buffer): boolean {
    return this.response.write(chunk);
  }

  end(text?: string): void {
    if (text === undefined) this.response.end();
    else this.response.end(text);
  }

  /** Sends what was written so far, without waiting for a body. */
  flush(): void {
    this.response.flushHeaders();
  }

  get headWritten(): boolean {
    return this.response.headersSent;
  }

  /** Cuts the connection: the client must see that the answer is not complete. */
  abort(): void {
    this.response.destroy();
  }
}

/** Why a request is not passed on; `status` 400 or 501. */
export interface Unacceptable {
  readonly code: 'bad-request' | 'not-supported';
  readonly detail: string;
}

export interface Http1Handler {
  request(downstream: Downstream): void;
  refuse(downstream: Downstream, why: Unacceptable): void;
  /** Bytes that are no request were answered. */
  unparsed(why: Unparsed): void;
}

/** `draining` says that connections are not to be kept any more. */
export function createHttp1Server(handler: Http1Handler, draining: () => boolean): Server {
  /** The requests of each connection whose answers are not complete, in order. */
  const open = new WeakMap<Socket, Set<Downstream>>();
  const openOf = (socket: Socket): Set<Downstream> => {
    const known = open.get(socket);
    if (known !== undefined) return known;
    const requests = new Set<Downstream>();
    open.set(socket, requests);
    socket.once('close', () => {
      for (const downstream of requests) downstream.gone();
    });
    return requests;
  };
  const server = createServer(
    {
      maxHeaderSize: MAX_HEAD_BYTES,
      headersTimeout: HEAD_TIMEOUT_MS,
      // A long upload is legitimate; the exchange has its own limits on progress.
      requestTimeout: 0,
      keepAliveTimeout: IDLE_TIMEOUT_MS,
      // Answered by the router, with a reason code.
      requireHostHeader: false,
      noDelay: true,
    },
    (message, response) => {
      const parsed = parseHead(message);
      const downstream = new Downstream(message, response, parsed.head, draining);
      const requests = openOf(message.socket);
      requests.add(downstream);
      response.once('finish', () => requests.delete(downstream));
      response.once('close', () => requests.delete(downstream));
      if (parsed.problem === null) handler.request(downstream);
      else handler.refuse(downstream, parsed.problem);
    },
  );
  server.maxRequestsPerSocket = 0;
  // Node's limit drops headers silently, while its parser obeys them; the head's size is bounded above.
  server.maxHeadersCount = 0;
  server.on('connect', (_message, socket) => {
    socket.on('error', () => undefined);
    const why = { status: 400, detail: 'CONNECT is not supported by this proxy' };
    handler.unparsed(why);
    refuseUnparsed(socket as Socket, why);
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    const why = unparsed(error);
    const requests = [...(open.get(socket as Socket) ?? [])];
    // In the middle of an answer, bytes of another one would be taken for a part of it, or for an answer to another.
    const isMidway = requests.length > 1 || requests.some(({ headWritten }) => headWritten);
    if (why === null || !socket.writable || isMidway) {
      socket.destroy();
      return;
    }
    // A request whose body cannot be read is counted when its connection is gone.
    if (requests.length === 0) handler.unparsed(why);
    refuseUnparsed(socket as Socket, why);
  });
  return server;
}

interface ParsedHead {
  readonly head: RequestHead;
  readonly problem: Unacceptable | null;
}

function parseHead(message: IncomingMessage): ParsedHead {
  const headers: RawHeaders = message.rawHeaders;
  let host: string | null = null;
  let target = message.url ?? '/';
  let problem: Unacceptable | null = null;
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const name = headers[index]?.toLowerCase();
    if (name === 'host') {
      if (host !== null) problem = { code: 'bad-request', detail: 'the request has more than one Host header' };
      host ??= headers[index + 1] ?? null;
    } else if (name === 'upgrade' && headers[index + 1]?.toLowerCase() !== 'h2c') {
      // An offer of h2c may be ignored, and some clients make it with every request.
      problem = { code: 'not-supported', detail: `Upgrade: ${headers[index + 1]} is not supported by this proxy` };
    }
  }
  if (isCodedOtherwise(headers)) {
    problem = { code: 'not-supported', detail: 'the request has a Transfer-Encoding that is not chunked' };
  }
  if (!target.startsWith('/') && target !== '*') {
    // Absolute form: its authority is the host (RFC 9112, 3.2.2).
    const absolute = /^https?:\/\/([^/?#]+)([^#]*)/i.exec(target);
    if (absolute === null) problem = { code: 'bad-request', detail: 'the request target is neither a path nor a URL' };
    else {
      host = absolute[1] ?? null;
      const rest = absolute[2] ?? '';
      target = rest.startsWith('/') ? rest : `/${rest}`;
    }
  }
  if (host === '') host = null;
  const head = { method: message.method ?? 'GET', target, version: message.httpVersion, host, headers };
  return { head, problem };
}
