/**
 * Marathon over HTTP: apps and pods, all or one, and the event stream's response. Each call has a deadline; redirects of
 * a standby to the leader are followed. Whatever goes wrong is a {@link MarathonError} with one sentence.
 */
import { Agent, type Dispatcher, request } from 'undici';
import { type Authorization, NO_AUTHORIZATION } from '../../framework/mesos-http-client/auth/authorization.ts';
import { JsonElements, parsedInSlices } from './json-elements.ts';
import { Slices } from './slices.ts';

export const REQUEST_MS = 30_000;
const CONNECT_MS = 3_000;
/** 20,000 tasks are about 25 MB. */
const MAX_BODY_BYTES = 256 * 1024 * 1024;
const MAX_REDIRECTS = 3;

const LIST_PATH = '/v2/apps?embed=apps.tasks&embed=apps.readiness';
const PODS_PATH = '/v2/pods/::status';

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
  /** Told the status of each answer; the path is without its query. */
  readonly answered?: ((path: string, status: number) => void) | undefined;
  /** How long one answer may take. */
  readonly requestMs?: number | undefined;
}

export class MarathonClient {
  readonly #base: string;
  readonly #authorization: Authorization;
  readonly #answered: (path: string, status: number) => void;
  readonly #agent: Agent;
  readonly #requestMs: number;

  constructor(base: string, access: MarathonAccess = {}) {
    const { authorization = NO_AUTHORIZATION, tls, requestMs = REQUEST_MS, answered = () => undefined } = access;
    this.#answered = answered;
    this.#base = base;
    this.#authorization = authorization;
    this.#requestMs = requestMs;
    const connect = { timeout: CONNECT_MS, ...(tls === undefined ? {} : { ca: tls.ca }) };
    // Keep-alive of undici ends before that of any server; the stream has a connection of its own.
    this.#agent = new Agent({ connect, keepAliveTimeout: 4_000 });
  }

  /** All apps with their tasks, each as soon as it has arrived. @throws {MarathonError} also after some of them */
  async *apps(signal: AbortSignal): AsyncGenerator<unknown> {
    const elements = new JsonElements('apps');
    const status = yield* this.#elements(LIST_PATH, elements, signal);
    if (status !== 200) throw new MarathonError(`Marathon answered ${status} to GET /v2/apps`);
    if (!elements.isComplete) throw new MarathonError('Marathon answered GET /v2/apps without a whole list of apps');
  }

  /** All pods; returns false when this Marathon has no pods at all, which is one before 1.4. @throws {MarathonError} */
  async *pods(signal: AbortSignal): AsyncGenerator<unknown, boolean> {
    const elements = new JsonElements(null);
    const status = yield* this.#elements(PODS_PATH, elements, signal);
    if (status === 404) return false;
    if (status !== 200) throw new MarathonError(`Marathon answered ${status} to GET ${PODS_PATH}`);
    if (!elements.isComplete)
      throw new MarathonError(`Marathon answered GET ${PODS_PATH} without a whole list of pods`);
    return true;
  }

  /** One app, or null when it does not exist. @throws {MarathonError} */
  async app(name: string, signal: AbortSignal): Promise<unknown> {
    const path = `/v2/apps/${encoded(name)}`;
    const { status, json } = await this.#json(`${path}?embed=app.tasks&embed=app.readiness`, signal);
    if (status === 404) return null;
    if (status !== 200) throw new MarathonError(`Marathon answered ${status} to GET ${path}`);
    const app = fieldOf(json, 'app');
    if (app === undefined) throw new MarathonError(`Marathon answered GET ${path} without an app`);
    return app;
  }

  /** The status of one pod, or null when it does not exist. @throws {MarathonError} */
  pod(name: string, signal: AbortSignal): Promise<unknown> {
    return this.#jsonOrNone(`/v2/pods/${encoded(name)}::status`, signal);
  }

  /** A pod's definition of old, by the path that its instances give; null when it is there no more. @throws {MarathonError} */
  podSpec(reference: string, signal: AbortSignal): Promise<unknown> {
    return this.#jsonOrNone(reference, signal);
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

  async #jsonOrNone(path: string, signal: AbortSignal): Promise<unknown> {
    const { status, json } = await this.#json(path, signal);
    if (status === 404) return null;
    if (status !== 200) throw new MarathonError(`Marathon answered ${status} to GET ${path}`);
    return json;
  }

  async #json(path: string, signal: AbortSignal): Promise<{ status: number; json: unknown }> {
    const deadline = new Deadline(this.#requestMs, signal);
    try {
      const response = await this.#get(path, JSON_ONLY, deadline.signal, this.#requestMs);
      const chunks: Buffer[] = [];
      for await (const chunk of bounded(response.body, path)) chunks.push(chunk);
      const text = Buffer.concat(chunks).toString('utf8');
      // Only a success is parsed: the body of an error may be HTML from a gateway.
      return { status: response.statusCode, json: response.statusCode === 200 ? JSON.parse(text) : null };
    } catch (error) {
      throw wrapped(`GET ${path}`, error);
    } finally {
      deadline.end();
    }
  }

  /** Each element of the list as it arrives, and in the end the status; there are none unless that is 200. */
  async *#elements(path: string, elements: JsonElements, signal: AbortSignal): AsyncGenerator<unknown, number> {
    const deadline = new Deadline(this.#requestMs, signal);
    const slices = new Slices();
    try {
      const response = await this.#get(path, JSON_ONLY, deadline.signal, this.#requestMs);
      for await (const chunk of bounded(response.body, path)) {
        if (response.statusCode !== 200) continue;
        for (const element of elements.write(chunk)) {
          yield await parsedInSlices(element, 'tasks', slices);
          await slices.pause();
        }
      }
      return response.statusCode;
    } catch (error) {
      throw wrapped(`GET ${path}`, error);
    } finally {
      deadline.end();
    }
  }

  async #get(
    path: string,
    headers: Record<string, string>,
    signal: AbortSignal,
    bodyTimeout: number,
  ): Promise<Dispatcher.ResponseData> {
    const response = await this.#authorized(path, headers, signal, bodyTimeout);
    this.#answered(path.split('?', 1)[0] ?? path, response.statusCode);
    return response;
  }

  /** With a login once more when the answer is 401: a token may have been taken back before its time. */
  async #authorized(
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
        headersTimeout: this.#requestMs,
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

const JSON_ONLY = { accept: 'application/json' };

/** @throws {MarathonError} for what a URL would take for the way up, to what is not an app at all */
function encoded(name: string): string {
  const segments = name.split('/');
  if (segments.some((segment) => segment === '.' || segment === '..')) {
    throw new MarathonError(`'${name}' is not the id of an app or a pod`);
  }
  return segments.map(encodeURIComponent).join('/');
}

/** @throws {MarathonError} for a body that no Marathon can have meant */
async function* bounded(body: AsyncIterable<Buffer>, path: string): AsyncGenerator<Buffer> {
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) {
      throw new MarathonError(`Marathon's answer to GET ${path} is above ${MAX_BODY_BYTES} bytes`);
    }
    yield chunk;
  }
}

/** Aborts after a time, or with a signal that lives longer. */
class Deadline {
  readonly #controller = new AbortController();
  readonly #outer: AbortSignal;
  readonly #timer: NodeJS.Timeout;
  readonly #abort = (): void => this.#controller.abort();

  // Not AbortSignal.any: on Node 20 what it makes stays reachable from a signal that lives as long as the process.
  constructor(ms: number, outer: AbortSignal) {
    this.#outer = outer;
    this.#timer = setTimeout(() => this.#controller.abort(new Error(`no whole answer in ${ms} ms`)), ms);
    outer.addEventListener('abort', this.#abort, { once: true });
    if (outer.aborted) this.#abort();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** It aborts no more. */
  end(): void {
    clearTimeout(this.#timer);
    this.#outer.removeEventListener('abort', this.#abort);
  }
}

function fieldOf(json: unknown, key: string): unknown {
  return typeof json === 'object' && json !== null ? Reflect.get(json, key) : undefined;
}

function wrapped(what: string, error: unknown): MarathonError {
  if (error instanceof MarathonError) return error;
  const reason = error instanceof Error ? error.message || error.name : String(error);
  return new MarathonError(`${what} failed: ${reason}`, { cause: error });
}
