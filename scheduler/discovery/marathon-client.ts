/**
 * Marathon over HTTP: the list, one app, and the event stream's response. Each call has a deadline; redirects of a
 * standby to the leader are followed. Whatever goes wrong is a {@link MarathonError} with one sentence.
 */
import { Agent, type Dispatcher, request } from 'undici';
import { type Authorization, NO_AUTHORIZATION } from '../../framework/mesos-http-client/auth/authorization.ts';

const REQUEST_MS = 30_000;
const CONNECT_MS = 3_000;
/** 20,000 tasks are about 25 MB. */
const MAX_BODY_BYTES = 256 * 1024 * 1024;
const MAX_REDIRECTS = 3;

const LIST_PATH = '/v2/apps?embed=apps.tasks&embed=apps.readiness';

export class MarathonError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'MarathonError';
  }
}

/** How Marathon is spoken to, beyond its address. */
export interface MarathonAccess {
  /** Default: none. */
  readonly authorization?: Authorization | undefined;
  /** Certificates in PEM form that alone are trusted. Default: those of the system. */
  readonly tls?: { readonly ca: string } | undefined;
}

export class MarathonClient {
  readonly #base: string;
  readonly #authorization: Authorization;
  readonly #agent: Agent;

  constructor(base: string, { authorization = NO_AUTHORIZATION, tls }: MarathonAccess = {}) {
    this.#base = base;
    this.#authorization = authorization;
    const connect = { timeout: CONNECT_MS, ...(tls === undefined ? {} : { ca: tls.ca }) };
    // Keep-alive of undici ends before that of any server; the stream has a connection of its own.
    this.#agent = new Agent({ connect, keepAliveTimeout: 4_000 });
  }

  /** All apps with their tasks. @throws {MarathonError} */
  async apps(signal: AbortSignal): Promise<unknown[]> {
    const { status, json } = await this.#json(LIST_PATH, signal);
    if (status !== 200) throw new MarathonError(`Marathon answered ${status} to GET /v2/apps`);
    const apps = fieldOf(json, 'apps');
    if (!Array.isArray(apps)) throw new MarathonError('Marathon answered GET /v2/apps without a list of apps');
    return apps;
  }

  /** One app, or null when it does not exist. @throws {MarathonError} */
  async app(name: string, signal: AbortSignal): Promise<unknown> {
    const path = `/v2/apps/${name.split('/').map(encodeURIComponent).join('/')}`;
    const { status, json } = await this.#json(`${path}?embed=app.tasks&embed=app.readiness`, signal);
    if (status === 404) return null;
    if (status !== 200) throw new MarathonError(`Marathon answered ${status} to GET ${path}`);
    const app = fieldOf(json, 'app');
    if (app === undefined) throw new MarathonError(`Marathon answered GET ${path} without an app`);
    return app;
  }

  /** The body of the event stream, once Marathon has accepted it. @throws {MarathonError} */
  async events(types: readonly string[], signal: AbortSignal): Promise<Dispatcher.ResponseData['body']> {
    const path = `/v2/events?${types.map((type) => `event_type=${type}`).join('&')}`;
    const response = await this.#get(path, { accept: 'text/event-stream' }, signal, 0);
    const type = String(response.headers['content-type'] ?? '');
    if (response.statusCode === 200 && type.startsWith('text/event-stream')) return response.body;
    response.body.on('error', () => undefined).destroy();
    throw new MarathonError(`Marathon answered ${response.statusCode} (${type || 'no type'}) to GET /v2/events`);
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  async #json(path: string, signal: AbortSignal): Promise<{ status: number; json: unknown }> {
    // Not AbortSignal.any: on Node 20 what it makes stays reachable from a signal that lives as long as the process.
    const deadline = new AbortController();
    const abort = (): void => deadline.abort();
    const timer = setTimeout(() => deadline.abort(new Error(`no whole answer in ${REQUEST_MS} ms`)), REQUEST_MS);
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
    try {
      const response = await this.#get(path, { accept: 'application/json' }, deadline.signal, REQUEST_MS);
      const text = await read(response.body, path);
      // Only a success is parsed: the body of an error may be HTML from a gateway.
      return { status: response.statusCode, json: response.statusCode === 200 ? JSON.parse(text) : null };
    } catch (error) {
      throw wrapped(`GET ${path}`, error);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
    }
  }

  /** With a login once more when the answer is 401: a token may have been taken back before its time. */
  async #get(
    path: string,
    headers: Record<string, string>,
    signal: AbortSignal,
    bodyTimeout: number,
  ): Promise<Dispatcher.ResponseData> {
    try {
      const token = await this.#authorization.header();
      const response = await this.#walk(path, headers, token, signal, bodyTimeout);
      if (response.statusCode !== 401) return response;
      const other = await this.#authorization.renewed(token);
      if (other === null) return response;
      response.body.on('error', () => undefined).destroy();
      return await this.#walk(path, headers, other, signal, bodyTimeout);
    } catch (error) {
      throw wrapped(`GET ${path}`, error);
    }
  }

  /** Along redirects. A token never goes on without TLS where it began with it. */
  async #walk(
    path: string,
    headers: Record<string, string>,
    token: string | null,
    signal: AbortSignal,
    bodyTimeout: number,
  ): Promise<Dispatcher.ResponseData> {
    const isSafe = (to: string): boolean => to.startsWith('https:') || this.#base.startsWith('http:');
    let url = `${this.#base}${path}`;
    for (let hop = 0; ; hop++) {
      const response = await request(url, {
        headers: token !== null && isSafe(url) ? { ...headers, authorization: token } : headers,
        signal,
        dispatcher: this.#agent,
        headersTimeout: REQUEST_MS,
        bodyTimeout,
      });
      const location = response.headers.location;
      if (![301, 302, 307, 308].includes(response.statusCode) || typeof location !== 'string') return response;
      response.body.on('error', () => undefined).destroy();
      if (hop >= MAX_REDIRECTS || !URL.canParse(location, url)) {
        throw new MarathonError(`Marathon redirects GET ${path} too often, last to ${location}`);
      }
      url = new URL(location, url).href;
    }
  }
}

async function read(body: AsyncIterable<Buffer>, path: string): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES)
      throw new MarathonError(`Marathon's answer to GET ${path} is above ${MAX_BODY_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function fieldOf(json: unknown, key: string): unknown {
  return typeof json === 'object' && json !== null ? Reflect.get(json, key) : undefined;
}

function wrapped(what: string, error: unknown): MarathonError {
  if (error instanceof MarathonError) return error;
  const reason = error instanceof Error ? error.message || error.name : String(error);
  return new MarathonError(`${what} failed: ${reason}`, { cause: error });
}
