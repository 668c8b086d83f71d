/**
 * gob's microservice as an HTTP server. `web` asks `word` for a word, then `gen` for a line about it, each by name
 * through the proxy of its node; every answer says in a header who gave it, and `web` puts these into `gob-path`.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { contextOf, NamedCalls, refusalOf } from './call-by-name.ts';
import type { DemoConfig } from './demo-config.ts';
import { line, word } from './gob.ts';

/** Who answered: `<app>:<taskId>@<ip:port>`. */
const SELF_HEADER = 'gob-self';
const PATH_HEADER = 'gob-path';

const MAX_TEXT = 1_000;

type Answer = { status: number; text: string; headers?: Record<string, string> };

/** One server of one part; `stop` ends it as a good task ends. */
export class DemoServer {
  readonly #config: DemoConfig;
  readonly #calls: NamedCalls;
  readonly #random: () => number;
  readonly #server: Server;
  #draining = false;
  #stopping: Promise<void> | null = null;

  constructor(config: DemoConfig, random: () => number = Math.random) {
    this.#config = config;
    this.#random = random;
    this.#calls = new NamedCalls(config.proxy, config.timeoutMs);
    this.#server = createServer((request, response) => {
      response.on('error', () => {
        // The caller hung up: nobody is left to answer.
      });
      this.#handle(request, response).catch((error: unknown) => {
        const text = error instanceof Error ? error.message : String(error);
        this.#send(response, { status: 500, text });
      });
    });
    // Longer than any client's pool keeps a connection: the side that sends decides when it ends, so that no request
    // meets a connection that is just being closed.
    this.#server.keepAliveTimeout = 120_000;
  }

  /** Resolves to the port. */
  async start(): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ host: this.#config.host, port: this.#config.port, backlog: 1024 }, resolve);
    });
    return (this.#server.address() as AddressInfo).port;
  }

  /** Answers for as long as somebody may not know yet that it goes, then for those under way, then no more. */
  stop(): Promise<void> {
    this.#stopping ??= this.#drain();
    return this.#stopping;
  }

  async #drain(): Promise<void> {
    this.#draining = true;
    await sleep(this.#config.drainMs);
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeIdleConnections();
    });
    this.#calls.close();
  }

  #self(): string {
    const { host, taskId } = this.#config;
    const address = this.#server.address();
    const port = typeof address === 'object' && address !== null ? address.port : this.#config.port;
    return `${taskId}@${host}:${port}`;
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    request.resume();
    const url = new URL(request.url ?? '/', 'http://demo');
    if (url.pathname === '/health') return this.#send(response, { status: 200, text: 'ok' });
    if (url.pathname !== '/') return this.#send(response, { status: 404, text: `there is nothing at ${url.pathname}` });
    if (this.#config.delayMs > 0) await sleep(this.#config.delayMs);
    this.#send(response, await this.#answer(request, url));
  }

  async #answer(request: IncomingMessage, url: URL): Promise<Answer> {
    const { part, manner } = this.#config;
    switch (part) {
      case 'word':
        return { status: 200, text: word(manner, this.#random()) };
      case 'gen': {
        const text = (url.searchParams.get('text') ?? 'nothing').slice(0, MAX_TEXT);
        return { status: 200, text: line(manner, text, this.#random()) };
      }
      case 'web':
        return this.#web(request);
    }
  }

  /** The walk: word, then gen. A failure answers with what was reached until then. */
  async #web(request: IncomingMessage): Promise<Answer> {
    const context = contextOf(request.headers);
    const reached = [`web=${this.#self()}`];
    const failed = (text: string): Answer => ({
      status: 502,
      text: `${text}; reached: ${reached.join(', ')}`,
      headers: { [PATH_HEADER]: reached.join(', ') },
    });
    const step = async (
      name: string,
      path: string,
    ): Promise<{ ok: true; text: string } | { ok: false; why: string }> => {
      try {
        const reply = await this.#calls.call(name, path, context);
        const from = reply.headers[SELF_HEADER];
        if (typeof from === 'string') reached.push(`${name}=${from}`);
        if (reply.status === 200) return { ok: true, text: reply.text };
        const reason = refusalOf(reply.headers) ?? reply.text.trim().slice(0, 300);
        return { ok: false, why: `${name} answered ${reply.status}: ${reason}` };
      } catch (error) {
        return { ok: false, why: error instanceof Error ? error.message : String(error) };
      }
    };
    const picked = await step('word', '/');
    if (!picked.ok) return failed(picked.why);
    const written = await step('gen', `/?text=${encodeURIComponent(picked.text)}`);
    if (!written.ok) return failed(written.why);
    return { status: 200, text: written.text, headers: { [PATH_HEADER]: reached.join(', ') } };
  }

  #send(response: ServerResponse, { status, text, headers }: Answer): void {
    if (response.headersSent || response.destroyed) return;
    const body = Buffer.from(`${text}\n`);
    response.writeHead(status, {
      'content-type': 'text/plain; charset=utf-8',
      'content-length': body.length,
      [SELF_HEADER]: `${this.#config.app}:${this.#self()}`,
      ...headers,
      // While it goes, it asks its callers to come back on another connection: to another instance.
      ...(this.#draining ? { connection: 'close' } : {}),
    });
    response.end(body);
  }
}
