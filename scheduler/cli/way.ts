/**
 * How the commands reach the scheduler: straight, or, as a plugin of the DC/OS CLI, through Admin Router. A process has one
 * way for all that it asks; who starts it as a plugin sets it.
 */

/** One request, whole. */
export interface Sent {
  readonly url: URL;
  readonly method: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** {@link TIMEOUT_MS} unless said otherwise. */
  readonly timeoutMs?: number | undefined;
}

export interface Reply {
  readonly status: number;
  readonly body: string;
  /** The header `Date`; absent where there is none. */
  readonly date?: string | null;
}

export interface Way {
  /** Where the scheduler is when nobody says. Null: where it listens by default. */
  readonly scheduler: URL | null;
  /** What stands before the name of a command: `dcos ` for a plugin. */
  readonly before: string;
  /** What to do when there is no answer, as a sentence. */
  readonly advice: string;
  /** @throws when there is no answer. */
  send(sent: Sent): Promise<Reply>;
}

/** For one answer. */
export const TIMEOUT_MS = 10_000;

const STRAIGHT: Way = {
  scheduler: null,
  before: '',
  advice: 'Is it running? Use --scheduler URL.',
  async send({ url, method, headers, body, signal, timeoutMs = TIMEOUT_MS }) {
    const timeout = AbortSignal.timeout(timeoutMs);
    try {
      const response = await fetch(url, {
        method,
        headers,
        ...(body === undefined ? {} : { body }),
        signal: signal === undefined ? timeout : AbortSignal.any([timeout, signal]),
      });
      return { status: response.status, body: await response.text(), date: response.headers.get('date') };
    } catch (error) {
      if (!timeout.aborted) throw error;
      throw new Error(`no answer within ${timeoutMs / 1_000} s`);
    }
  },
};

let current = STRAIGHT;

export const wayToScheduler = (): Way => current;

/** While `work` is done, this is the way. */
export async function alongWay<T>(way: Way, work: () => Promise<T>): Promise<T> {
  const before = current;
  current = way;
  try {
    return await work();
  } finally {
    current = before;
  }
}

/** All is said in its message, for people; nothing is to be put around it. */
export class Explained extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'Explained';
  }
}
