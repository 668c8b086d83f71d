/** Files that options name: secrets, certificates, tokens. A fault names the file and never what is in it. */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { parseServiceAccount, type ServiceAccount } from '../../framework/mesos-http-client/auth/credential.ts';
import { textual } from './values.ts';

export function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw new Error(`the file ${path} cannot be read (${reason})`);
  }
}

export const apiTokenFile = textual((path) => {
  const token = readText(path).trim();
  if (token.length >= 16 && !/\s/.test(token)) return token;
  throw new Error(`the file ${path} must hold one token of at least 16 characters`);
});

/** Mesos takes a secret as it stands in the file; a line end is an editor's. */
export const secretFile = textual((path) => {
  const secret = readText(path).replace(/\r?\n$/, '');
  if (secret !== '' && !/[\r\n]/.test(secret)) return secret;
  throw new Error(`the file ${path} must hold one line, the secret`);
});

/** `user:password`, as Basic authentication wants it: in base64. */
export const basicCredentialFile = textual((path) => {
  const credential = readText(path).replace(/\r?\n$/, '');
  // RFC 7617, section 2: the first colon ends the name, and there are no control characters.
  if (/^[^:\p{Cc}]+:\P{Cc}*$/u.test(credential)) return Buffer.from(credential).toString('base64');
  throw new Error(`the file ${path} must hold one line, user:password`);
});

export const serviceAccountFile = textual((path): ServiceAccount => {
  const text = readText(path);
  try {
    return parseServiceAccount(text);
  } catch (error) {
    throw new Error(`the file ${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
});

/** Certificates in PEM form, as text. */
export const certificatesFile = textual((path) => {
  const text = readText(path);
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0) throw new Error(`the file ${path} holds no certificate in PEM form`);
  for (const [index, block] of blocks.entries()) {
    try {
      new X509Certificate(block);
    } catch {
      throw new Error(`the file ${path}: certificate ${index + 1} of ${blocks.length} cannot be read`);
    }
  }
  return text;
});
