/**
 * HTTP to Marathon: one kept connection or a few, TLS as configured, a deadline for each request and a limit for each
 * answer. It also carries the DC/OS login, whose endpoint may be another host behind the same authority.
 */
import { type ClientRequest, Agent as HttpAgent, type IncomingMessage, request as requestHttp } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import type { TlsOptions } from '../endpoint/tls-options.ts';

export interface HttpCall {
  readonly method: 'GET' | 'POST';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal?: AbortSignal;
  /** Takes the body of an answer of status 200; every other body is thrown away. */
  readonly take: (chunk: Buffer) => void;
}

/** The whole request, its answer included. */
const REQUEST_MS = 10_000;
/** Far above 10,000 tasks of one app, or as many apps. */
const MAX_BODY_BYTES = 64 * 1024 * 1024;
const AGENT_OPTIONS = { keepAlive: true, maxSockets: 8, maxFreeSockets: 2 };

export class MarathonHttp {
  private readonly tls: (hostname: string) => TlsOptions;
  private readonly http = new HttpAgent(AGENT_OPTIONS);
  private readonly https = new HttpsAgent(AGENT_OPTIONS);

  /** `tls` gives the options of a connection to a host, where the URL asks for TLS. */
  constructor(tls: (hostname: string) => TlsOptions) {
    this.tls = tls;
  }

  /** Resolves to the status when the body has come in full. @throws an Error that says why there is no answer. */
  call(call: HttpCall): Promise<number> {
    const { url } = call;
    return new Promise((resolve, reject) => {
      const failed = (why: string): void => reject(new Error(`${call.method} ${url.href} failed: ${why}`));
      let request: ClientRequest;
      if (url.protocol === 'https:') {
        const tls = this.tls(url.hostname);
        if (tls.kind === 'failed') {
          failed(tls.reason);
          return;
        }
        request = requestHttps(url, { ...tls.options, method: call.method, headers: call.headers, agent: this.https });
      } else {
        request = requestHttp(url, { method: call.method, headers: call.headers, agent: this.http });
      }
      // Not the `signal` option: it would leave a listener on a signal that lives as long as its namer.
      const abort = (): void => void request.destroy(new Error('nobody needs it any more'));
      const late = (): void => void request.destroy(new Error(`no whole answer within ${REQUEST_MS} ms`));
      const timer = setTimeout(late, REQUEST_MS).unref();
      call.signal?.addEventListener('abort', abort, { once: true });
      const ended = (): void => {
        clearTimeout(timer);
        call.signal?.removeEventListener('abort', abort);
      };
      let answered = false;
      request.on('response', (response) => {
        answered = true;
        receive(request, response, call, resolve);
      });
      request.on('error', (error: NodeJS.ErrnoException) => {
        // The server closed a kept connection while we took it up again: that happens, and says nothing about the server.
        if (request.reusedSocket && !answered && error.code === 'ECONNRESET') resolve(this.call(call));
        else failed(error.message);
      });
      request.on('close', () => {
        ended();
        failed('the connection ended in the midst of the answer');
      });
      request.end(call.body);
      if (call.signal?.aborted === true) abort();
    });
  }

  /** Closes what is kept. */
  close(): void {
    this.http.destroy();
    this.https.destroy();
  }
}

function receive(
  request: ClientRequest,
  response: IncomingMessage,
  call: HttpCall,
  done: (status: number) => void,
): void {
  const status = response.statusCode ?? 0;
  let size = 0;
  response.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) request.destroy(new Error(`the answer is above ${MAX_BODY_BYTES} bytes`));
    else if (status === 200) call.take(chunk);
  });
  response.on('error', (error) => request.destroy(error));
  response.on('end', () => {
    if (response.complete) done(status);
  });
}
