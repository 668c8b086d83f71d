/**
 * How requests to Mesos, Marathon and DC/OS are authorized: not at all, by a fixed Basic credential, or by a login whose
 * token ends now and then. All three are used in the same way, through {@link withAuthorization}.
 */

export interface Authorization {
  /** Who the requests are made for, as far as it is known: Mesos wants a framework's principal to be the same. */
  readonly principal: string | null;
  /** The value of the `Authorization` header for the next request, null for none. @throws when logging in fails. */
  header(): Promise<string | null>;
  /**
   * A request with this header was answered 401. The header to try once more, or null when there is no other.
   * @throws when logging in fails.
   */
  renewed(refused: string | null): Promise<string | null>;
}

/** The server does not take the credential, in one sentence. */
export class UnauthorizedError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'UnauthorizedError';
  }
}

export const NO_AUTHORIZATION: Authorization = {
  principal: null,
  header: () => Promise.resolve(null),
  renewed: () => Promise.resolve(null),
};

/** `credential` is `user:password` in base64 already, as linkerd takes it. */
export function basicAuthorization(credential: string): Authorization {
  return fixed(`Basic ${credential.trim()}`, null);
}

/** A principal and its secret, as Mesos' own HTTP authenticator wants them. @throws {Error} for a principal with a colon. */
export function principalAuthorization(principal: string, secret: string): Authorization {
  // RFC 7617, section 2: the first colon ends the name.
  if (principal.includes(':')) throw new Error(`the principal '${principal}' must not have a colon in it`);
  return fixed(`Basic ${Buffer.from(`${principal}:${secret}`).toString('base64')}`, principal);
}

function fixed(header: string, principal: string | null): Authorization {
  return { principal, header: () => Promise.resolve(header), renewed: () => Promise.resolve(null) };
}

/**
 * Makes a request with the header that it needs, and once more with a new one when the answer is 401. `what` names it in
 * errors: `GET http://…`.
 * @throws {UnauthorizedError} when the answer is 401 in the end; whatever `attempt` throws.
 */
export async function withAuthorization<Answer extends { readonly status: number }>(
  authorization: Authorization,
  what: string,
  attempt: (header: string | null) => Promise<Answer>,
): Promise<Answer> {
  const header = await authorization.header();
  const answer = await attempt(header);
  if (answer.status !== 401) return answer;
  const other = await authorization.renewed(header);
  if (other === null) {
    throw new UnauthorizedError(
      header === null
        ? `${what}: answered 401; it asks for a credential, and none is configured`
        : `${what}: answered 401; it does not take the configured credential`,
    );
  }
  const second = await attempt(other);
  if (second.status === 401) {
    throw new UnauthorizedError(`${what}: answered 401 again after a new login; the account has no access to it`);
  }
  return second;
}
