/**
 * One POST to a Mesos master, redirects and login included. A master that does not lead answers 307 with a Location that
 * has no scheme and, often, another path; the body has to go there again unchanged, and two masters may well redirect to
 * each other for a while (or one to itself).
 */
import { Client, type Dispatcher } from 'undici';
import { type Authorization, UnauthorizedError, withAuthorization } from './auth/authorization.ts';
import { MesosError, sentenceOf } from './errors.ts';

const MAX_REDIRECTS = 5;

/** How an https master is trusted. */
export interface TlsTrust {
  /** Certificates in PEM form; they alone are trusted then, not those of the system. */
  readonly ca: string;
}

/** What every request to a master needs, whichever it goes to. */
export interface Credentials {
  readonly authorization: Authorization;
  readonly tls: TlsTrust | undefined;
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
  readonly credentials: Credentials;
  readonly body: string;
  /** For connecting, and again for the head of the answer. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** Media types are compared letter by letter by the master: no `; charset`. */
export const JSON_HEADERS = { 'content-type': 'application/json', accept: 'application/json' };

/** A connection of its own to one master. */
export function connectTo(url: URL, tls: TlsTrust | undefined, timeoutMs: number, bodyTimeoutMs: number): Client {
  return new Client(url.origin, {
    connect: { timeout: timeoutMs, ...(tls === undefined ? {} : { ca: tls.ca }) },
    headersTimeout: timeoutMs,
    bodyTimeout: bodyTimeoutMs,
    keepAliveTimeout: 60_000,
    pipelining: 1,
  });
}

export function authorizationHeader(header: string | null): Record<string, string> {
  return header === null ? {} : { authorization: header };
}

/** Posts over a connection of its own, which stays open as long as the answer does. @throws {MesosError} */
export async function openPost(options: PostOptions): Promise<Opened> {
  let url = options.url;
  const visited = new Set<string>();
  for (let hop = 0; hop <= MAX_REDIRECTS; hop += 1) {
    if (visited.has(url.href)) {
      throw new MesosError('no-leader', `redirected in a circle at ${url.href}: there is no leading master yet`);
    }
    visited.add(url.href);
    const opened = await postAuthorized(url, options);
    if (opened.response.statusCode !== 307) return opened;
    opened.destroy();
    url = redirected(url, opened.response.headers['location']);
  }
  throw new MesosError('no-leader', `more than ${MAX_REDIRECTS} redirects from ${options.url.href}`);
}

function redirected(from: URL, location: unknown): URL {
  if (typeof location !== 'string' || !URL.canParse(location, from.href)) {
    throw new MesosError('no-leader', `${from.href} redirects, but not to an address (Location: ${String(location)})`);
  }
  // Without a scheme, as Mesos writes it, it takes over ours.
  const to = new URL(location, from);
  if (to.protocol !== from.protocol) {
    throw new MesosError(
      'refused',
      `${from.href} redirects from ${from.protocol}// to ${to.protocol}//, which is not followed: name the masters with ` +
        'the scheme that all of them speak',
    );
  }
  return to;
}

async function postAuthorized(url: URL, options: PostOptions): Promise<Opened> {
  let last: Opened | null = null;
  try {
    const answer = await withAuthorization(options.credentials.authorization, `POST ${url.href}`, async (header) => {
      last?.destroy();
      const opened = await postOnce(url, options, header);
      last = opened;
      return { status: opened.response.statusCode, opened };
    });
    return answer.opened;
  } catch (error) {
    destroyed(last);
    throw asMesosError(error);
  }
}

function destroyed(opened: Opened | null): void {
  opened?.destroy();
}

/** What to do about a 401. Neither the credential nor the header is ever quoted. */
export function unauthorizedText(error: UnauthorizedError): string {
  return `${error.message}; check the principal and its secret, or the service account, against the cluster's`;
}

/** A login that is refused is told apart from one that cannot be made just now. */
export function asMesosError(error: unknown): MesosError {
  if (error instanceof MesosError) return error;
  if (!(error instanceof UnauthorizedError)) return new MesosError('unreachable', sentenceOf(error), { cause: error });
  return new MesosError('unauthorized', unauthorizedText(error), { cause: error });
}

async function postOnce(url: URL, options: PostOptions, authorization: string | null): Promise<Opened> {
  const { timeoutMs, signal } = options;
  const client = connectTo(url, options.credentials.tls, timeoutMs, 0);
  const destroy = (): void => {
    client.destroy(null).catch(ignoreClosed);
  };
  try {
    const response = await client.request({
      method: 'POST',
      path: url.pathname + url.search,
      headers: { ...JSON_HEADERS, ...authorizationHeader(authorization) },
      body: options.body,
      signal,
    });
    // Destroying the client makes its body fail; without a listener that would be an uncaught error.
    response.body.on('error', ignoreClosed);
    return { url, response, destroy };
  } catch (error) {
    destroy();
    const why = sentenceOf(error);
    const advice = /certificate/i.test(why)
      ? '; where its authority is one of your own, give its certificate as the CA'
      : '';
    throw new MesosError('unreachable', `${url.origin} does not answer: ${why}${advice}`, { cause: error });
  }
}

/** The beginning of a body that is short by nature (an error's text), for a log or a person. */
export async function shortBody(response: Dispatcher.ResponseData<unknown>): Promise<string> {
  const LIMIT = 2_000;
  let text = '';
  for await (const chunk of response.body) {
    text += String(chunk);
    if (text.length > LIMIT) return `${text.slice(0, LIMIT)}…`;
  }
  return text.trim();
}

/** A whole body, unless it is longer than `limit` bytes. @throws {MesosError} */
export async function boundedBody(response: Dispatcher.ResponseData<unknown>, limit: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const chunk of response.body) {
      length += chunk.length;
      if (length > limit) throw new MesosError('unreadable', `the answer is longer than the limit of ${limit} bytes`);
      chunks.push(chunk);
    }
  } catch (error) {
    throw asMesosError(error);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function ignoreClosed(): void {
  // The connection is given up on purpose; how it ended interests nobody.
}
