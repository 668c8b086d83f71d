/**
 * The login of a DC/OS service account: a signed statement of who we are goes to the login endpoint, a token comes back
 * that goes with every request. One login at a time serves all who wait; the token is renewed before it ends.
 */
import { type Authorization, UnauthorizedError } from './authorization.ts';
import type { ServiceAccount } from './credential.ts';
import { signToken, tokenExpiry } from './json-web-token.ts';

export interface LoginRequest {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface LoginAnswer {
  readonly status: number;
  readonly body: string;
  /** The `Date` header, where it has one: by it a token's end is read without trust in this machine's clock. */
  readonly date?: string | undefined;
}

/** A POST whose answer is read in full. @throws when there is no answer. */
export type SendLogin = (request: LoginRequest) => Promise<LoginAnswer>;

export interface DcosLoginOptions {
  readonly account: ServiceAccount;
  readonly send: SendLogin;
  /** Unix time, milliseconds. */
  readonly now: () => number;
}

/** A statement is good for two minutes: long enough for clocks that differ a little, too short to be worth stealing. */
const STATEMENT_SECONDS = 120;
/** A token that does not say when it ends is taken for an hour; DC/OS' own last five days. */
const DEFAULT_LIFE_MS = 3_600_000;
/** A new token is used at least so long where nobody says what time it is there: the clock of this machine may be ahead. */
const MIN_LIFE_MS = 60_000;
/** And so long in any case: a login for each request would be one too many. */
const LEAST_LIFE_MS = 1_000;
/** `Date` has whole seconds (RFC 9110, section 5.6.7). */
const DATE_STEP_MS = 1_000;
/** The last tenth of a token's life, but no more than this, is left to renew it in while it still works. */
const MAX_RENEWAL_MS = 600_000;
/** After a login that failed the next is not tried before this: many pollers must not become a storm of logins. */
const PAUSE_MS = 1_000;

/** A login that gave no token, in one sentence. */
export class LoginError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'LoginError';
  }
}

interface Token {
  readonly header: string;
  /** Unix time, milliseconds. */
  readonly renewAt: number;
  readonly endsAt: number;
}

export class DcosLogin implements Authorization {
  readonly principal: string;
  private readonly options: DcosLoginOptions;
  private token: Token | null = null;
  private login: Promise<Token> | null = null;
  private failure: { readonly error: Error; readonly until: number } | null = null;

  constructor(options: DcosLoginOptions) {
    this.options = options;
    this.principal = options.account.uid;
  }

  async header(): Promise<string> {
    const now = this.options.now();
    const { token } = this;
    if (token === null || now >= token.endsAt) return (await this.loggedIn()).header;
    if (now >= token.renewAt) {
      // The old one still works: who asks does not wait, and a failure shows when the token has ended.
      this.loggedIn().catch(() => undefined);
    }
    return token.header;
  }

  async renewed(refused: string | null): Promise<string> {
    // Of many requests with one stale token the first brings the new one, and the others find it here.
    if (this.token !== null && this.token.header !== refused) return this.token.header;
    this.token = null;
    return (await this.loggedIn()).header;
  }

  private async loggedIn(): Promise<Token> {
    if (this.login !== null) return await this.login;
    if (this.failure !== null && this.options.now() < this.failure.until) throw this.failure.error;
    this.login = this.logIn();
    try {
      this.token = await this.login;
      this.failure = null;
      return this.token;
    } catch (error) {
      const reason = error instanceof Error ? error : new LoginError(String(error));
      this.failure = { error: reason, until: this.options.now() + PAUSE_MS };
      throw reason;
    } finally {
      this.login = null;
    }
  }

  private async logIn(): Promise<Token> {
    const { account, send, now } = this.options;
    const { uid, loginEndpoint: url, privateKey } = account;
    const startedAt = now();
    const exp = Math.floor(startedAt / 1000) + STATEMENT_SECONDS;
    const body = JSON.stringify({ uid, token: signToken({ uid, exp }, privateKey) });
    const headers = { 'content-type': 'application/json', accept: 'application/json' };
    const what = `DC/OS login of '${uid}' at ${url.origin}${url.pathname}`;
    const answer = await send({ url, headers, body }).catch((error: unknown) => {
      const reason = error instanceof Error ? error.message : String(error);
      throw new LoginError(`${what} failed: ${reason}`, { cause: error });
    });
    if (answer.status === 401) {
      throw new UnauthorizedError(
        `${what}: answered 401; check the account, its key, and the clock of this machine${skewOf(answer.date, startedAt)}`,
      );
    }
    if (answer.status !== 200) throw new LoginError(`${what}: answered ${answer.status} instead of 200`);
    const token = tokenOf(answer.body, what);
    const endsAt = startedAt + lifeOf(token, answer.date, startedAt);
    const renewAt = endsAt - Math.min(MAX_RENEWAL_MS, (endsAt - startedAt) / 10);
    return { header: `token=${token}`, renewAt, endsAt };
  }
}

/** A statement that is over when it arrives is refused like a wrong one. */
function skewOf(date: string | undefined, now: number): string {
  const seconds = Math.round((Date.parse(date ?? '') - now) / 1000);
  if (Number.isNaN(seconds) || Math.abs(seconds) < STATEMENT_SECONDS / 2) return '';
  return `, which is ${Math.abs(seconds)} s ${seconds > 0 ? 'behind' : 'ahead of'} the server's`;
}

/** How long it is good for from `now` on, milliseconds. */
function lifeOf(token: string, date: string | undefined, now: number): number {
  const expiry = tokenExpiry(token);
  if (expiry === null) return DEFAULT_LIFE_MS;
  const there = Date.parse(date ?? '');
  if (Number.isNaN(there)) return Math.max(expiry - now, MIN_LIFE_MS);
  return Math.max(expiry - there - DATE_STEP_MS, LEAST_LIFE_MS);
}

function tokenOf(body: string, what: string): string {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch (error) {
    throw new LoginError(`${what}: answered 200 with a body that is not JSON`, { cause: error });
  }
  const token: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, 'token') : undefined;
  // It becomes a header: no line ends, no spaces.
  if (typeof token !== 'string' || !/^[\x21-\x7e]+$/.test(token)) {
    throw new LoginError(`${what}: answered 200 without a token`);
  }
  return token;
}
