/** The login of a DC/OS service account over the client's own HTTP: what `auth/` leaves to whoever brings the sockets. */
import type { Authorization } from './auth/authorization.ts';
import type { ServiceAccount } from './auth/credential.ts';
import { DcosLogin, type SendLogin } from './auth/dcos-login.ts';
import { boundedBody, connectTo, type TlsTrust } from './http.ts';

/** A stream waits ten seconds for its first record, the login before it included. */
const TIMEOUT_MS = 4_000;
/** A token has some hundred bytes. */
const MAX_ANSWER_BYTES = 64 * 1024;

/** Requests in the name of a service account; its credential is read by `parseServiceAccount`. */
export function serviceAccountAuthorization(account: ServiceAccount, tls?: TlsTrust): Authorization {
  return new DcosLogin({ account, send: sendLogin(tls), now: () => Date.now() });
}

function sendLogin(tls: TlsTrust | undefined): SendLogin {
  return async ({ url, headers, body }) => {
    const client = connectTo(url, tls, TIMEOUT_MS, TIMEOUT_MS);
    try {
      const path = url.pathname + url.search;
      const signal = AbortSignal.timeout(2 * TIMEOUT_MS);
      const response = await client.request({ method: 'POST', path, headers, body, signal });
      const { date } = response.headers;
      const read = await boundedBody(response, MAX_ANSWER_BYTES);
      return { status: response.statusCode, body: read, date: typeof date === 'string' ? date : undefined };
    } finally {
      await client.destroy();
    }
  };
}
