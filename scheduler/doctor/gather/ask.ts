/** One question over HTTP, with a login and in bounded time; what its answer says of the clock at the other end. */
import { Agent, type Dispatcher, request } from 'undici';
import type { z } from 'zod';
import { type Authorization, NO_AUTHORIZATION } from '../../../framework/mesos-http-client/auth/authorization.ts';
import type { Asked, ClockReading } from '../facts.ts';
import { reasonOf, within } from './bounded.ts';

const MAX_REDIRECTS = 3;
/** Ten thousand agents are about 30 MB of `/slaves`. */
const MAX_BODY_BYTES = 64 * 1024 * 1024;

export interface AskerOptions {
  readonly authorization?: Authorization | undefined;
  readonly tls?: { readonly ca: string } | undefined;
  readonly timeoutMs: number;
}

export class Asker {
  readonly #options: AskerOptions;
  readonly #agent: Agent;

  constructor(options: AskerOptions) {
    this.#options = options;
    const { timeoutMs, tls } = options;
    this.#agent = new Agent({ connect: { timeout: timeoutMs, ...(tls === undefined ? {} : { ca: tls.ca }) } });
  }

  /** What is answered with 200, read by a schema. Never rejects. */
  async json<T>(url: string, schema: z.ZodType<T>): Promise<Asked<T>> {
    // A login, which comes before the question, has times of its own.
    const late = { kind: 'failed', url, reason: 'no answer in time, or no login' } as const;
    return await within<Asked<T>>(2 * this.#options.timeoutMs, this.#json(url, schema), late);
  }

  async #json<T>(url: string, schema: z.ZodType<T>): Promise<Asked<T>> {
    try {
      const signal = AbortSignal.timeout(this.#options.timeoutMs);
      const { response, clock } = await this.#get(url, signal);
      if (response.statusCode !== 200) {
        await response.body.dump({ limit: MAX_BODY_BYTES, signal });
        return { kind: 'refused', url, status: response.statusCode, clock };
      }
      const parsed = schema.safeParse(JSON.parse(await textOf(response.body)));
      if (!parsed.success)
        return {
          kind: 'failed',
          url,
          reason: `the answer is not what was expected: ${parsed.error.issues[0]?.path.join('.')}`,
        };
      return { kind: 'answered', url, value: parsed.data, clock };
    } catch (error) {
      return { kind: 'failed', url, reason: reasonOf(error) };
    }
  }

  /** What the answer, whatever it is, says of the clock; null where there is none. Never rejects. */
  async clock(url: string): Promise<ClockReading | null> {
    try {
      const signal = AbortSignal.timeout(this.#options.timeoutMs);
      const { response, clock } = await this.#get(url, signal);
      await response.body.dump({ limit: MAX_BODY_BYTES, signal });
      return clock;
    } catch {
      // Whether it answers at all is another check's business.
      return null;
    }
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  async #get(url: string, signal: AbortSignal): Promise<Read> {
    const { authorization = NO_AUTHORIZATION } = this.#options;
    const header = await authorization.header();
    const read = await this.#walk(url, header, signal);
    if (read.response.statusCode !== 401) return read;
    const other = await authorization.renewed(header);
    if (other === null) return read;
    await read.response.body.dump();
    return await this.#walk(url, other, signal);
  }

  /** Along redirects, as to the leader. A login never goes on without TLS where it began with it. */
  async #walk(from: string, header: string | null, signal: AbortSignal): Promise<Read> {
    let url = from;
    for (let hop = 0; ; hop += 1) {
      const isSafe = url.startsWith('https:') || from.startsWith('http:');
      const begun = Date.now();
      const response = await request(url, {
        dispatcher: this.#agent,
        signal,
        headers: { accept: 'application/json', ...(header !== null && isSafe ? { authorization: header } : {}) },
      });
      const { location } = response.headers;
      const isRedirect = [301, 302, 307, 308].includes(response.statusCode) && typeof location === 'string';
      if (!isRedirect || hop >= MAX_REDIRECTS)
        return { response, clock: clockOf(response.headers['date'], begun, Date.now()) };
      await response.body.dump();
      url = new URL(location, url).href;
    }
  }
}

interface Read {
  readonly response: Dispatcher.ResponseData;
  readonly clock: ClockReading | null;
}

/** `Date` is cut to whole seconds, so what it says is half a second more on average. */
export function clockOf(date: unknown, begunAt: number, endedAt: number): ClockReading | null {
  const theirs = typeof date === 'string' ? Date.parse(date) : Number.NaN;
  if (Number.isNaN(theirs)) return null;
  const ours = (begunAt + endedAt) / 2;
  return { aheadMs: Math.round(theirs + 500 - ours), plusMinusMs: Math.ceil(500 + (endedAt - begunAt) / 2) };
}

async function textOf(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) throw new Error(`the answer is above ${MAX_BODY_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
