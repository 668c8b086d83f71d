/**
 * Who may write on DC/OS: whoever Admin Router lets through to this service. Admin Router hands the caller's token on, and
 * here it is asked the same again with that token. So its policy holds (`dcos:adminrouter:service:<name> full` in Enterprise
 * DC/OS, any valid token in open DC/OS) also for those who come to the scheduler's port directly. docs/decisions/0022.
 */
import { createHash } from 'node:crypto';
import { Agent, request } from 'undici';

/** What came of asking. `why` is one sentence, and says what to do. */
export type Verdict =
  | { readonly kind: 'admitted'; readonly uid: string }
  | { readonly kind: 'refused'; readonly status: 401 | 403 | 503; readonly why: string };

/** Asks about a caller's token. */
export interface TokenCheck {
  check(token: string): Promise<Verdict>;
}

export interface AdminRouterOptions {
  /** Base URL, without a slash at its end. */
  readonly url: string;
  /** The name under which it knows this scheduler: `/service/<name>/`. */
  readonly service: string;
  /** Certificates in PEM form that alone are trusted. Null: those of the system. */
  readonly ca: string | null;
  /** Milliseconds that only go forward. */
  readonly now: () => number;
}

const TIMEOUT_MS = 5_000;
/** Admin Router itself has a change of permissions after some seconds only. */
const ADMITTED_MS = 30_000;
const REFUSED_MS = 2_000;
const MAX_KNOWN = 1_000;
/** Who sends made-up tokens must not make Admin Router busy. */
const MAX_ASKING = 16;
/** Of an answer only the status counts. */
const MAX_BODY_BYTES = 64 * 1024;
const MAX_TOKEN_LENGTH = 8_192;

export class AdminRouterCheck implements TokenCheck {
  readonly #options: AdminRouterOptions;
  readonly #agent: Agent;
  /** By the hash of the token; the oldest first. */
  readonly #known = new Map<string, { readonly verdict: Verdict; readonly until: number }>();
  #asking = 0;

  constructor(options: AdminRouterOptions) {
    this.#options = options;
    const { ca } = options;
    this.#agent = new Agent({
      connect: { timeout: TIMEOUT_MS, ...(ca === null ? {} : { ca }) },
      keepAliveTimeout: 4_000,
    });
  }

  async check(token: string): Promise<Verdict> {
    const uid = uidIn(token);
    if (uid === null) return refused(401, 'this is not the token of a DC/OS user; log in again with dcos auth login');
    const key = createHash('sha256').update(token).digest('base64');
    const known = this.#known.get(key);
    if (known !== undefined && this.#options.now() < known.until) return known.verdict;
    if (this.#asking >= MAX_ASKING) return refused(503, 'too many tokens are being looked at; try again in a moment');
    this.#asking += 1;
    try {
      const verdict = await this.#ask(token, uid);
      this.#keep(key, verdict);
      return verdict;
    } finally {
      this.#asking -= 1;
    }
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  /** Two questions: one that it lets anybody through says nothing about who asks. */
  async #ask(token: string, uid: string): Promise<Verdict> {
    const { url, service } = this.#options;
    try {
      const [withToken, without] = await Promise.all([this.#status(`token=${token}`), this.#status(null)]);
      return judge({ withToken, without, uid, url, service });
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      return refused(
        503,
        `Admin Router at ${url} cannot be asked about the token (${why}); check --admin-router and --mesos-ca-file`,
      );
    }
  }

  async #status(authorization: string | null): Promise<number> {
    const { url, service } = this.#options;
    const answer = await request(`${url}/service/${service}/v1/health`, {
      dispatcher: this.#agent,
      headers: { accept: 'application/json', ...(authorization === null ? {} : { authorization }) },
      headersTimeout: TIMEOUT_MS,
      bodyTimeout: TIMEOUT_MS,
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    await answer.body.dump({ limit: MAX_BODY_BYTES });
    return answer.statusCode;
  }

  #keep(key: string, verdict: Verdict): void {
    // What may be over in a moment is asked anew.
    if (verdict.kind === 'refused' && verdict.status === 503) return;
    this.#known.delete(key);
    for (const oldest of this.#known.keys()) {
      if (this.#known.size < MAX_KNOWN) break;
      this.#known.delete(oldest);
    }
    const until = this.#options.now() + (verdict.kind === 'admitted' ? ADMITTED_MS : REFUSED_MS);
    this.#known.set(key, { verdict, until });
  }
}

interface Told {
  /** Admin Router's statuses for the same page. */
  readonly withToken: number;
  readonly without: number;
  readonly uid: string;
  readonly url: string;
  readonly service: string;
}

/** What Admin Router's two answers mean. */
export function judge({ withToken, without, uid, url, service }: Told): Verdict {
  if (withToken === 401) return refused(401, 'the token is not valid (any more); log in again with dcos auth login');
  if (withToken === 403) {
    return refused(
      403,
      `the user '${uid}' may not use this service; grant it: dcos security org users grant ${uid} dcos:adminrouter:service:${service} full`,
    );
  }
  if (withToken >= 300 && withToken < 400) {
    return refused(
      503,
      `Admin Router at ${url} answers ${withToken}, which leads elsewhere, and a token does not go along; name it with --admin-router as it ` +
        'is to be spoken to (https://…)',
    );
  }
  if (withToken !== 200) {
    return refused(
      503,
      `Admin Router at ${url} answers ${withToken} for /service/${service}/, so it cannot tell who may write; it learns of a ` +
        'new port within a minute; if that lasts, --name is not the name of the service',
    );
  }
  if (without === 200) {
    return refused(
      401,
      `Admin Router at ${url} lets anybody through, so a token proves nothing there; writes need the API token (--api-token-file)`,
    );
  }
  return { kind: 'admitted', uid };
}

function refused(status: 401 | 403 | 503, why: string): Verdict {
  return { kind: 'refused', status, why };
}

/** Whose token it says that it is; null for what is none. Nothing is verified: that is Admin Router's. */
function uidIn(token: string): string | null {
  if (token.length > MAX_TOKEN_LENGTH || !/^[\w-]+\.[\w-]+\.[\w-]+$/.test(token)) return null;
  try {
    const claims: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'));
    const uid: unknown = typeof claims === 'object' && claims !== null ? Reflect.get(claims, 'uid') : null;
    // It is written into commands and logs; the rule is the IAM's own.
    return typeof uid === 'string' && /^[\w.@+-]{1,128}$/.test(uid) ? uid : null;
  } catch {
    // Three words and no claims in the middle: no such token.
    return null;
  }
}
