/** io.l5d.marathon as configured: its connections, its login, its polls. */
import {
  type Authorization,
  basicAuthorization,
  NO_AUTHORIZATION,
} from '../../framework/mesos-http-client/auth/authorization.ts';
import { parseServiceAccount } from '../../framework/mesos-http-client/auth/credential.ts';
import { DcosLogin, type LoginRequest } from '../../framework/mesos-http-client/auth/dcos-login.ts';
import type { ClientTlsParams } from '../config/layered.ts';
import { ClientTls, type TlsOptions } from '../endpoint/tls-options.ts';
import { type Path, showPath } from '../routing/path.ts';
import type { InetAddresses } from './inet.ts';
import { MarathonNamer } from './marathon.ts';
import { MarathonApi } from './marathon-api.ts';
import { MarathonHttp } from './marathon-http.ts';
import { PollReports } from './poll-reports.ts';

export interface MarathonConfig {
  readonly prefix: Path;
  readonly host: string;
  readonly port: number;
  readonly uriPrefix: string;
  readonly ttlMs: number;
  readonly jitterMs: number;
  readonly useHealthCheck: boolean;
  readonly shortestPrefix: boolean;
  readonly tls: ClientTlsParams | null;
}

/** As the environment has them; the first that is there is used. */
export interface MarathonCredentials {
  /** `DCOS_SERVICE_ACCOUNT_CREDENTIAL` */
  readonly serviceAccount: string | null;
  /** `MARATHON_HTTP_AUTH_CREDENTIAL`: `user:password` in base64. */
  readonly basic: string | null;
}

export interface MarathonNeeds {
  readonly inet: InetAddresses;
  readonly random: () => number;
  /** Unix time, milliseconds. */
  readonly now: () => number;
  readonly warn: (message: string) => void;
}

export interface MadeMarathonNamer {
  readonly namer: MarathonNamer;
  describe(): Readonly<Record<string, unknown>>;
  /** Ends its polls and closes its connections. */
  close(): void;
}

/** @throws {CredentialError} for a service account that cannot be used. */
export function makeMarathonNamer(
  config: MarathonConfig,
  credentials: MarathonCredentials,
  needs: MarathonNeeds,
): MadeMarathonNamer {
  const { host, port, uriPrefix, tls } = config;
  const http = new MarathonHttp(tlsFor(config, needs));
  const base = `${tls === null ? 'http' : 'https'}://${host.includes(':') ? `[${host}]` : host}:${port}${uriPrefix}`;
  const api = new MarathonApi({
    base,
    http,
    authorization: authorizationOf(credentials, http, needs),
  });
  const namer = new MarathonNamer({
    prefix: config.prefix,
    api,
    inet: needs.inet,
    interval: { ttlMs: config.ttlMs, jitterMs: config.jitterMs, random: needs.random },
    useHealthCheck: config.useHealthCheck,
    match: config.shortestPrefix ? 'shortest' : 'longest',
    reports: new PollReports({ name: `namer ${showPath(['#', ...config.prefix])}`, now: needs.now, warn: needs.warn }),
  });
  const close = (): void => {
    namer.close();
    http.close();
  };
  return { namer, describe: () => ({ marathon: base, ...namer.describe() }), close };
}

/** The login's host has a certificate of its own, of the same authority; on Marathon's host it is the configured one. */
function tlsFor({ host, tls }: MarathonConfig, { now, warn }: MarathonNeeds): (hostname: string) => TlsOptions {
  if (tls === null) return () => ({ kind: 'ok', options: {} });
  const files = new ClientTls(tls, now(), warn);
  return (hostname) => files.options(hostname === host ? tls.commonName : hostname, now());
}

function authorizationOf(
  { serviceAccount, basic }: MarathonCredentials,
  http: MarathonHttp,
  { now }: MarathonNeeds,
): Authorization {
  if (serviceAccount !== null) {
    const send = async ({ url, headers, body }: LoginRequest) => {
      const chunks: Buffer[] = [];
      const take = (chunk: Buffer): void => void chunks.push(chunk);
      const status = await http.call({ method: 'POST', url, headers, body, take });
      return { status, body: Buffer.concat(chunks).toString('utf8') };
    };
    return new DcosLogin({ account: parseServiceAccount(serviceAccount), send, now });
  }
  return basic === null ? NO_AUTHORIZATION : basicAuthorization(basic);
}
