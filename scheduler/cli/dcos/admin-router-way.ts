/**
 * The way through Admin Router: with the user's token, in patience while it learns where the scheduler is after a restart, and
 * with a sentence for what it says itself.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, request } from 'undici';
import { Explained, type Reply, type Sent, TIMEOUT_MS, type Way } from '../way.ts';
import type { Cluster, Trust } from './cluster.ts';

export interface AdminRouterWayOptions {
  readonly cluster: Cluster;
  /** The name of the service. */
  readonly service: string;
  /** Tells the user that he has to wait, once. */
  waiting(text: string): void;
  /** Milliseconds that only go forward. */
  readonly now: () => number;
  /** Waits. */
  readonly pause?: (ms: number) => Promise<unknown>;
}

/** Admin Router looks at Marathon every 25 s, and an answer of Marathon may be as old. */
const PATIENCE_MS = 60_000;
const FIRST_PAUSE_MS = 500;
const MAX_PAUSE_MS = 5_000;
const MAX_BODY_BYTES = 64 * 1024 * 1024;

interface Answer extends Reply {
  readonly location: string | null;
  /** It is not the scheduler's: what Admin Router says itself is a page. */
  readonly isPage: boolean;
}

export class AdminRouterWay implements Way {
  readonly scheduler: URL;
  readonly before = 'dcos ';
  readonly advice: string;
  readonly #options: AdminRouterWayOptions;
  readonly #agent: Agent;
  #reached = false;
  #told = false;

  /** @throws {Explained} when the CA's file cannot be read. */
  constructor(options: AdminRouterWayOptions) {
    const { cluster, service } = options;
    this.#options = options;
    const base = cluster.url.href.replace(/\/+$/, '');
    this.scheduler = new URL(`${base}/service/${service}/`);
    this.advice = `Is this the cluster (dcos cluster list), and is it up?${noteOf(cluster.trust)}`;
    const connect = { timeout: TIMEOUT_MS, ...trustOptions(cluster.trust) };
    this.#agent = new Agent({ connect, keepAliveTimeout: 4_000 });
  }

  async send(sent: Sent): Promise<Reply> {
    // Something that is not to be done twice is sent when the scheduler is known to be there.
    const isRead = sent.method === 'GET';
    if (!isRead && !this.#reached) {
      await this.#patiently({
        url: new URL('v1/health', this.scheduler),
        method: 'GET',
        headers: {},
        signal: sent.signal,
      });
    }
    const answer = isRead ? await this.#patiently(sent) : await this.#once(sent);
    this.#reached = true;
    if (isBusy(answer)) {
      throw new Explained(
        `Admin Router answered ${answer.status}: whether it was done is not known; look, and try again if it was not`,
      );
    }
    return answer;
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  async #patiently(sent: Sent): Promise<Answer> {
    const { now, pause = sleep, waiting, service } = this.#options;
    const startedAt = now();
    for (let ms = FIRST_PAUSE_MS; ; ms = Math.min(MAX_PAUSE_MS, 2 * ms)) {
      const answer = await this.#once(sent);
      if (!isBusy(answer)) return answer;
      if (now() - startedAt + ms > PATIENCE_MS) {
        throw new Explained(
          `Admin Router has answered ${answer.status} for a minute: it does not reach the service '${service}'. Does it run ` +
            `(dcos marathon app list)? dcos task log ${service} has its log`,
        );
      }
      if (!this.#told)
        waiting(`Admin Router does not reach '${service}' yet (${answer.status}); trying for a minute …\n`);
      this.#told = true;
      await pause(ms);
      sent.signal?.throwIfAborted();
    }
  }

  async #once(sent: Sent): Promise<Answer> {
    const { token } = this.#options.cluster;
    const timeout = AbortSignal.timeout(sent.timeoutMs ?? TIMEOUT_MS);
    const response = await request(sent.url, {
      dispatcher: this.#agent,
      method: sent.method as 'GET',
      // A token of the scheduler's own, where the user gives one, is for clusters without a login.
      headers: { ...(token === null ? {} : { authorization: `token=${token}` }), ...sent.headers },
      body: sent.body ?? null,
      signal: sent.signal === undefined ? timeout : AbortSignal.any([timeout, sent.signal]),
    });
    const chunks: Buffer[] = [];
    let length = 0;
    for await (const chunk of response.body as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > MAX_BODY_BYTES)
        throw new Explained(`the answer to ${sent.url.pathname} is above ${MAX_BODY_BYTES} bytes`);
      chunks.push(chunk);
    }
    const { location, date } = response.headers;
    const type = String(response.headers['content-type'] ?? '');
    const answer: Answer = {
      status: response.statusCode,
      body: Buffer.concat(chunks).toString('utf8'),
      location: typeof location === 'string' ? location : null,
      date: typeof date === 'string' ? date : null,
      isPage: /^text\/html/i.test(type) || (type === '' && response.statusCode >= 400),
    };
    this.#explain(answer);
    return answer;
  }

  /** What Admin Router says itself. @throws {Explained} */
  #explain({ status, isPage, location, body }: Answer): void {
    const { cluster, service } = this.#options;
    const where = cluster.url.origin;
    if (status === 401) {
      const notes = cluster.notes.length === 0 ? '' : ` (${cluster.notes.join('; ')})`;
      // The scheduler says more about writes, if it is he.
      if (!isPage && cluster.token !== null) throw new Explained(`${sentenceOf(body)}`);
      throw new Explained(
        cluster.token === null
          ? `${where} needs a login, and there is no token${notes}: dcos auth login (or set DCOS_ACS_TOKEN)`
          : `${where} does not take the token (any more): dcos auth login`,
      );
    }
    if (status === 403 && isPage) {
      throw new Explained(
        `the user of this token may not use '${service}' of ${where}; who administers the cluster can allow it: ` +
          `dcos security org users grant USER dcos:adminrouter:service:${service} full`,
      );
    }
    if (status === 404 && isPage) {
      throw new Explained(
        `${where} knows no service '${service}': is it installed (dcos package list), and is this its name? Say it with ` +
          '--name NAME, or once and for all: dcos config set nodemesh.service_name NAME',
      );
    }
    if (status >= 300 && status < 400 && location !== null) {
      throw new Explained(
        `${where} answers ${status} and leads to ${location}; the token is not sent there. Set the cluster's address: ` +
          'dcos config set core.dcos_url URL',
      );
    }
  }
}

/** Nobody behind Admin Router answers, or not in time. The scheduler's own 503 is JSON. */
function isBusy({ status, isPage }: Answer): boolean {
  return isPage && (status === 502 || status === 503 || status === 504);
}

function sentenceOf(body: string): string {
  try {
    const said: unknown = JSON.parse(body);
    const error: unknown = typeof said === 'object' && said !== null ? Reflect.get(said, 'error') : null;
    if (typeof error === 'string') return error;
  } catch {
    // Not the scheduler's: the first line has to do.
  }
  return body.split('\n', 1)[0]?.slice(0, 200) || 'the answer is 401, without a reason';
}

function noteOf(trust: Trust): string {
  switch (trust.kind) {
    case 'system':
      return ' A cluster with an authority of its own needs its certificate: dcos cluster setup URL, or core.ssl_verify.';
    case 'ca':
      return ` It was trusted by ${trust.path}.`;
    case 'anybody':
      return '';
  }
}

/** @throws {Explained} */
function trustOptions(trust: Trust): { ca?: string; rejectUnauthorized?: false } {
  switch (trust.kind) {
    case 'system':
      return {};
    case 'anybody':
      return { rejectUnauthorized: false };
    case 'ca':
      try {
        return { ca: readFileSync(trust.path, 'utf8') };
      } catch (error) {
        const reason = error instanceof Error && 'code' in error ? String(error.code) : String(error);
        throw new Explained(
          `the certificates of the cluster, ${trust.path}, cannot be read (${reason}); core.ssl_verify (or DCOS_TLS_CA_PATH) names them`,
        );
      }
  }
}
