/** Reads the scheduler's answers over HTTP, and says what to do when it cannot. */
import type { z } from 'zod/mini';
import {
  type NodeAnswer,
  nodesAnswerSchema,
  readAnswer,
  type ServiceAnswer,
  servicesAnswerSchema,
  type TrafficAnswer,
  trafficAnswerSchema,
  UnexpectedAnswerError,
} from '../dashboard/src/model/answers.ts';

const TIMEOUT_MS = 10_000;

/** What both tables are made of. */
export interface Tables {
  readonly nodes: readonly NodeAnswer[];
  readonly services: readonly ServiceAnswer[];
  /** Null where the scheduler has no figures (an older one). */
  readonly traffic: TrafficAnswer | null;
  /** The answers as they came, unknown keys and all. */
  readonly raw: { readonly 'v1/nodes': unknown; readonly 'v1/services': unknown };
}

/** One look at the scheduler. Throws an `Error` whose message is for people. */
export async function fetchTables(scheduler: URL, signal?: AbortSignal): Promise<Tables> {
  const [nodes, services, traffic] = await Promise.all([
    get(scheduler, 'v1/nodes', nodesAnswerSchema, signal),
    get(scheduler, 'v1/services', servicesAnswerSchema, signal),
    // The tables are useful without figures, and the other two answers say what is wrong with the scheduler.
    get(scheduler, 'v1/traffic', trafficAnswerSchema, signal).catch(() => null),
  ]);
  return {
    nodes: nodes.value,
    services: services.value,
    traffic: traffic?.value ?? null,
    raw: { 'v1/nodes': nodes.raw, 'v1/services': services.raw },
  };
}

interface Answer<T> {
  readonly value: T;
  readonly raw: unknown;
}

async function get<T>(
  scheduler: URL,
  path: string,
  schema: z.ZodMiniType<T>,
  signal?: AbortSignal,
): Promise<Answer<T>> {
  const base = new URL(scheduler);
  if (!base.pathname.endsWith('/')) base.pathname += '/';
  const url = new URL(path, base);
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  let status: number;
  let body: string;
  try {
    const response = await fetch(url, {
      headers: { accept: 'application/json' },
      signal: signal === undefined ? timeout : AbortSignal.any([timeout, signal]),
    });
    status = response.status;
    body = await response.text();
  } catch (error) {
    const why = timeout.aborted ? `no answer within ${TIMEOUT_MS / 1_000} s` : reasonOf(error);
    throw new Error(`cannot reach the scheduler at ${shown(scheduler)}: ${why}. Is it running? Use --scheduler URL.`);
  }
  if (status !== 200) {
    const said = firstLine(body);
    throw new Error(
      `the scheduler at ${shown(scheduler)} answered ${status} to ${path}${said === '' ? '' : `: ${said}`}`,
    );
  }
  const raw = parseJson(body, scheduler, path);
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
function shown(url: URL): string {
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
function reasonOf(error: unknown): string {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    const inner: unknown = cause instanceof AggregateError ? cause.errors[0] : cause;
    if (inner instanceof Error && 'code' in inner && typeof inner.code === 'string') {
      return REASONS[inner.code] ?? inner.message;
    }
    if (cause.cause === undefined) return cause.message;
  }
  return String(error);
}

function firstLine(text: string): string {
  return text.trim().split('\n', 1)[0]?.slice(0, 200) ?? '';
}
