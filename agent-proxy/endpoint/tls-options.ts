/**
 * linkerd's `tls` block of a client as options of `node:tls`. Its files are read at the start and again when they change;
 * one that is missing stops neither the start nor the proxy: connections fail, and say why, until it is there.
 */
import { readFileSync, type Stats, statSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { isIP } from 'node:net';
import { type ConnectionOptions, checkServerIdentity, createSecureContext, type SecureContext } from 'node:tls';
import type { ClientTlsParams } from '../config/layered.ts';

/** The common name comes with each connection. */
export type TlsFiles = Omit<ClientTlsParams, 'commonName'>;

export type TlsOptions =
  | { readonly kind: 'ok'; readonly options: ConnectionOptions }
  /** Why there can be no connection, in one sentence. */
  | { readonly kind: 'failed'; readonly reason: string };

/** How often files are looked at, at most, and only when there are connections to make. */
const CHECK_MS = 1_000;
const VERSIONS = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'] as const;
type Version = (typeof VERSIONS)[number];

type Context =
  | { readonly kind: 'ok'; readonly context: SecureContext }
  | { readonly kind: 'failed'; readonly reason: string };

export class ClientTls {
  private readonly params: TlsFiles;
  private readonly warn: (message: string) => void;
  private readonly files: readonly string[];
  private current: Context;
  /** What the files were like just before they were read last. */
  private seen: string;
  private checkedAt: number;
  private checking = false;

  /** `now` is in milliseconds, as every `now` later. `warn` hears of a change that cannot be used. */
  constructor(params: TlsFiles, now: number, warn: (message: string) => void) {
    this.params = params;
    this.warn = warn;
    this.files = filesOf(params);
    this.checkedAt = now;
    this.seen = fingerprint(this.files.map((file) => statSync(file, { throwIfNoEntry: false })));
    this.current = contextOf(params);
  }

  /**
   * Options for a connection to a server whose certificate is for `commonName`, which is also what the server is asked
   * for (SNI, RFC 6066, section 3). Null only where nothing is validated.
   */
  options(commonName: string | null, now: number): TlsOptions {
    if (now - this.checkedAt >= CHECK_MS && !this.checking && this.files.length > 0) this.check(now);
    if (this.current.kind === 'failed') return this.current;
    const { context } = this.current;
    const servername = commonName === null || isIP(commonName) !== 0 ? '' : commonName;
    if (this.params.disableValidation) {
      return { kind: 'ok', options: { secureContext: context, servername, rejectUnauthorized: false } };
    }
    if (commonName === null)
      return { kind: 'failed', reason: 'tls: commonName is needed unless disableValidation is true' };
    const options: ConnectionOptions = {
      secureContext: context,
      servername,
      rejectUnauthorized: true,
      checkServerIdentity: (_host, certificate) => checkServerIdentity(commonName, certificate),
    };
    return { kind: 'ok', options };
  }

  /** Looks at the files beside the connections: nobody waits for it. */
  private check(now: number): void {
    this.checkedAt = now;
    this.checking = true;
    // A file that cannot be looked at is as good as missing; reading it says why.
    const looks = this.files.map((file) => stat(file).catch((): undefined => undefined));
    void Promise.all(looks).then((stats) => {
      this.checking = false;
      const found = fingerprint(stats);
      if (found === this.seen) return;
      this.seen = found;
      this.reload();
    });
  }

  private reload(): void {
    const next = contextOf(this.params);
    if (next.kind === 'failed' && this.current.kind === 'ok') {
      // Files are often replaced one after the other: a certificate without its key is no reason to stop.
      this.warn(`${next.reason}; what was read before is used until that is mended`);
      return;
    }
    this.current = next;
  }
}

function filesOf({ trustFiles, clientAuth }: TlsFiles): string[] {
  const files = [...(trustFiles ?? [])];
  if (clientAuth === null) return files;
  const { certPath, keyPath, intermediateCertsPath } = clientAuth;
  files.push(certPath, keyPath);
  if (intermediateCertsPath !== null) files.push(intermediateCertsPath);
  return files;
}

function contextOf({ trustFiles, clientAuth, protocols }: TlsFiles): Context {
  try {
    const versions = (protocols ?? []).map(versionOf).sort((a, b) => VERSIONS.indexOf(a) - VERSIONS.indexOf(b));
    const [minVersion] = versions;
    const maxVersion = versions.at(-1);
    const context = createSecureContext({
      ...(trustFiles !== null && { ca: trustFiles.map(certificatesIn) }),
      ...(clientAuth !== null && { cert: chainOf(clientAuth), key: read(clientAuth.keyPath) }),
      ...(minVersion !== undefined && { minVersion }),
      ...(maxVersion !== undefined && { maxVersion }),
    });
    return { kind: 'ok', context };
  } catch (error) {
    return { kind: 'failed', reason: `tls: ${error instanceof Error ? error.message : String(error)}` };
  }
}

/** The certificate, then those between it and its authority. */
function chainOf({ certPath, intermediateCertsPath }: NonNullable<TlsFiles['clientAuth']>): string {
  const certificate = certificatesIn(certPath);
  if (intermediateCertsPath === null) return certificate;
  return `${certificate.trimEnd()}\n${certificatesIn(intermediateCertsPath)}`;
}

/** OpenSSL takes a file without any for one that trusts nobody, and says nothing. */
function certificatesIn(path: string): string {
  const text = read(path);
  if (!/-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----/.test(text))
    throw new Error(`${path} holds no certificate (PEM)`);
  return text;
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new Error(`${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function versionOf(text: string): Version {
  const version = VERSIONS.find((each) => each.toLowerCase() === text.toLowerCase());
  if (version === undefined) throw new Error(`protocol '${text}' is none of ${VERSIONS.join(', ')}`);
  return version;
}

/** Another text when one of the files is another. */
function fingerprint(files: readonly (Stats | undefined)[]): string {
  return files.map((file) => (file === undefined ? 'missing' : `${file.ino}:${file.size}:${file.mtimeMs}`)).join(' ');
}
