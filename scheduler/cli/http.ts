/** Requests to the scheduler, and what to say to a person when one fails. */
import * as z from 'zod/mini';
import { readAnswer, UnexpectedAnswerError } from '../dashboard/src/model/answers.ts';
import { UnknownName } from './outcome.ts';
import { Explained, type Reply, wayToScheduler } from './way.ts';

export interface AskOptions {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** What writes need, where the scheduler does not listen on loopback. */
  readonly token?: string | null;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Sent as it is, in place of `body`. */
  readonly text?: { readonly type: string; readonly content: string };
  readonly ifMatch?: string | null;
  readonly signal?: AbortSignal;
  /** 10 s unless said otherwise. */
  readonly timeoutMs?: number;
}

/** The answer, whatever its status. @throws {Error} for people, when there is none. */
export async function ask(scheduler: URL, path: string, options: AskOptions = {}): Promise<Reply> {
  const base = new URL(scheduler);
  if (!base.pathname.endsWith('/')) base.pathname += '/';
  const { method = 'GET', token = null, body, text, ifMatch = null, signal, timeoutMs } = options;
  const headers: Record<string, string> = { accept: 'application/json' };
  if (token !== null) headers['authorization'] = `Bearer ${token}`;
  if (ifMatch !== null) headers['if-match'] = ifMatch;
  if (body !== undefined) headers['content-type'] = 'application/json';
  if (text !== undefined) headers['content-type'] = text.type;
  const sent = text?.content ?? (body === undefined ? undefined : JSON.stringify(body));
  const way = wayToScheduler();
  try {
    return await way.send({ url: new URL(path, base), method, headers, body: sent, signal, timeoutMs });
  } catch (error) {
    if (error instanceof Explained) throw error;
    throw new Error(`cannot reach the scheduler at ${shown(scheduler)}: ${reasonOf(error)}. ${way.advice}`);
  }
}

/** What was not expected, for people. */
export function refusal(scheduler: URL, path: string, { status, body }: Pick<Reply, 'status' | 'body'>): Error {
  const said = isPage(body) ? whoseSignIn(status) : sentenceIn(body);
  return new Error(
    `the scheduler at ${shown(scheduler)} answered ${status} to ${path}${said === '' ? '' : `: ${said}`}`,
  );
}

/** What stands between answers with pages: DC/OS' Admin Router above all. */
function isPage(body: string): boolean {
  return /^\s*</.test(body);
}

function whoseSignIn(status: number): string {
  return status === 401
    ? 'it is something before the scheduler that wants a login. Is that DC/OS? Then: dcos nodemesh …'
    : '';
}

interface Answer<T> {
  readonly value: T;
  readonly raw: unknown;
}

/** `statuses`: those that are answers, besides 200. @throws {UnknownName} for 404 where a person gave the name. */
export async function getJson<T>(
  scheduler: URL,
  path: string,
  schema: z.ZodMiniType<T>,
  options: AskOptions & { readonly statuses?: readonly number[]; readonly named?: true } = {},
): Promise<Answer<T>> {
  const reply = await ask(scheduler, path, options);
  if (reply.status === 404 && options.named) throw new UnknownName(sentenceIn(reply.body));
  if (reply.status !== 200 && options.statuses?.includes(reply.status) !== true) throw refusal(scheduler, path, reply);
  const raw = parseJson(reply.body, scheduler, path);
  try {
    return { value: readAnswer(schema, path, raw), raw };
  } catch (error) {
    if (!(error instanceof UnexpectedAnswerError)) throw error;
    throw new Error(`${error.message}. Is ${shown(scheduler)} a nodemesh scheduler, of this version?`);
  }
}

function parseJson(body: string, scheduler: URL, path: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    throw new Error(
      `the answer to ${path} is not JSON. Is ${shown(scheduler)} a nodemesh scheduler? Use --scheduler URL.`,
    );
  }
}

/** A URL as it was given: without the slash that the parser adds, and without a password. */
export function shown(url: URL): string {
  return `${url.protocol}//${url.host}${url.pathname}`.replace(/\/$/, '');
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'the connection was reset',
  UND_ERR_SOCKET: 'the connection ended before the answer was complete',
  ENOTFOUND: 'no such host',
  EAI_AGAIN: 'its name cannot be looked up now',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'no route to the network',
  ETIMEDOUT: 'the connection timed out',
  UND_ERR_CONNECT_TIMEOUT: 'the connection timed out',
};

/** `fetch` says no more than "fetch failed"; the reason is in its cause, and with several addresses in theirs. */
export function reasonOf(error: unknown): string {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    const inner: unknown = cause instanceof AggregateError ? cause.errors[0] : cause;
    if (inner instanceof Error && 'code' in inner && typeof inner.code === 'string') {
      return REASONS[inner.code] ?? inner.message;
    }
    if (cause.cause === undefined) return cause.message;
  }
  return String(error);
}

const saidSchema = z.union([z.object({ error: z.string() }), z.object({ message: z.string() })]);

/** The scheduler says it as JSON; who stands between may say anything. */
export function sentenceIn(body: string): string {
  let said: unknown;
  try {
    said = JSON.parse(body);
  } catch {
    said = null;
  }
  const parsed = saidSchema.safeParse(said);
  if (!parsed.success) return body.trim().split('\n', 1)[0]?.slice(0, 200) ?? '';
  return 'error' in parsed.data ? parsed.data.error : parsed.data.message;
}
