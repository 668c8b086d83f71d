/** Requests of a command to Marathon and namerd, with the login of whoever runs it, and what to say when one fails. */
import { readText } from './given.ts';
import { reasonOf, sentenceIn } from './http.ts';

const TIMEOUT_MS = 30_000;

export interface LoginOptions {
  readonly marathonCredentialFile?: string;
}

/** `user:password` of a file, else the token of the DC/OS CLI (DCOS_ACS_TOKEN); null where there is neither. */
export function loginOf({ marathonCredentialFile }: LoginOptions): string | null {
  if (marathonCredentialFile !== undefined && marathonCredentialFile !== '') {
    const credential = readText(marathonCredentialFile).trim();
    if (!credential.includes(':')) throw new Error(`the file ${marathonCredentialFile} must hold user:password`);
    return `Basic ${Buffer.from(credential).toString('base64')}`;
  }
  const token = process.env['DCOS_ACS_TOKEN'] ?? '';
  return token === '' ? null : `token=${token}`;
}

export interface RemoteAnswer {
  readonly status: number;
  /** Null where the body is no JSON. */
  readonly json: unknown;
  /** What it says, in one sentence. */
  readonly sentence: string;
}

/** A server of the cluster. `who` begins the sentences about it. */
export class Remote {
  readonly #who: string;
  readonly #base: URL;
  readonly #login: string | null;

  constructor(who: string, base: URL, login: string | null) {
    this.#who = who;
    this.#base = new URL(base);
    if (!this.#base.pathname.endsWith('/')) this.#base.pathname += '/';
    this.#login = login;
  }

  /** @throws {Error} for people, when there is no answer. */
  async ask(path: string, method: 'GET' | 'PUT' | 'DELETE' = 'GET', body?: unknown): Promise<RemoteAnswer> {
    const headers: Record<string, string> = { accept: 'application/json' };
    if (this.#login !== null) headers['authorization'] = this.#login;
    if (body !== undefined) headers['content-type'] = 'application/json';
    let text: string;
    let status: number;
    try {
      const response = await fetch(new URL(path, this.#base), {
        method,
        headers,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      status = response.status;
      text = await response.text();
    } catch (error) {
      const why =
        error instanceof Error && error.name === 'TimeoutError'
          ? `no answer within ${TIMEOUT_MS / 1_000} s`
          : reasonOf(error);
      throw new Error(`cannot reach ${this.#who} at ${this.#base.origin}: ${why}. Is the URL right?`);
    }
    return { status, json: parsed(text), sentence: sentenceIn(text) };
  }

  /** The JSON of an answer of 200. @throws {Error} for people. */
  async get(path: string): Promise<unknown> {
    const answer = await this.ask(path);
    if (answer.status !== 200 || answer.json === undefined) throw this.refusal(`GET ${path}`, answer);
    return answer.json;
  }

  refusal(what: string, { status, sentence }: RemoteAnswer): Error {
    const login = status === 401 || status === 403 ? '. Log in with DCOS_ACS_TOKEN or --marathon-credential-file' : '';
    return new Error(
      `${this.#who} at ${this.#base.origin} answered ${status} to ${what}${sentence === '' ? '' : `: ${sentence}`}${login}`,
    );
  }
}

/** A text from anywhere: a configuration that an app fetches. @throws {Error} for people. */
export async function fetchText(url: string): Promise<string> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    if (response.status === 200) return await response.text();
    throw new Error(`the answer was ${response.status}`);
  } catch (error) {
    throw new Error(`the configuration at ${url} cannot be fetched: ${reasonOf(error)}. Give it with --config FILE`);
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
