/**
 * One POST to a Mesos master, redirects included. A master that does not lead answers 307 with a Location that has no
 * scheme and, often, another path; the body has to go there again unchanged, and two masters may well redirect to each
 * other for a while (or one to itself).
 */
import { Client, type Dispatcher } from 'undici';

const MAX_REDIRECTS = 5;

/** A reason why there is no connection, in one sentence. */
export class UnreachableError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'UnreachableError';
  }
}

export interface Opened {
  /** Where the answer came from: the leading master, path included. */
  readonly url: URL;
  readonly response: Dispatcher.ResponseData<unknown>;
  /** Ends the connection, whatever is on its way. */
  destroy(): void;
}

export interface PostOptions {
  readonly url: URL;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** For connecting, and again for the head of the answer. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** Media types are compared letter by letter by the master: no `; charset`. */
const JSON_HEADERS = { 'content-type': 'application/json', accept: 'application/json' };

/** Posts over a connection of its own, which stays open as long as the answer does. @throws {UnreachableError} */
export async function openPost(options: PostOptions): Promise<Opened> {
  let url = options.url;
  const visited = new Set<string>();
  for (let hop = 0; hop <= MAX_REDIRECTS; hop += 1) {
    if (visited.has(url.href))
      throw new UnreachableError(`redirected in a circle at ${url.href}: there is no leading master yet`);
    visited.add(url.href);
    const opened = await postOnce(url, options);
    if (opened.response.statusCode !== 307) return opened;
    opened.destroy();
    const location = opened.response.headers['location'];
    if (typeof location !== 'string' || !URL.canParse(location, url.href)) {
      throw new UnreachableError(`${url.href} redirects, but not to an address (Location: ${String(location)})`);
    }
    url = new URL(location, url);
  }
  throw new UnreachableError(`more than ${MAX_REDIRECTS} redirects from ${options.url.href}`);
}

async function postOnce(url: URL, options: PostOptions): Promise<Opened> {
  const { timeoutMs, signal } = options;
  const client = new Client(url.origin, {
    connect: { timeout: timeoutMs },
    headersTimeout: timeoutMs,
    bodyTimeout: 0,
    pipelining: 1,
  });
  const destroy = (): void => {
    client.destroy(null).catch(ignoreClosed);
  };
  try {
    const response = await client.request({
      method: 'POST',
      path: url.pathname + url.search,
      headers: { ...JSON_HEADERS, ...options.headers },
      body: options.body,
      signal,
    });
    // Destroying the client makes its body fail; without a listener that would be an uncaught error.
    response.body.on('error', ignoreClosed);
    return { url, response, destroy };
  } catch (error) {
    destroy();
    throw new UnreachableError(`${url.origin} does not answer: ${sentenceOf(error)}`, { cause: error });
  }
}

/** The end of a body that is short by nature (an error's text), for a log or a person. */
export async function shortBody(response: Dispatcher.ResponseData<unknown>): Promise<string> {
  const LIMIT = 2_000;
  let text = '';
  for await (const chunk of response.body) {
    text += String(chunk);
    if (text.length > LIMIT) return `${text.slice(0, LIMIT)}…`;
  }
  return text.trim();
}

/** The deepest message of an error: undici wraps what the system said. */
export function sentenceOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof AggregateError && error.errors.length > 0) return sentenceOf(error.errors[0]);
  return error.message === '' ? error.name : error.message;
}

function ignoreClosed(): void {
  // The connection is given up on purpose; how it ended interests nobody.
}
