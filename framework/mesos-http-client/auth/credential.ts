/**
 * The credential of a DC/OS service account, as the secret store hands it out: the private key of an account, and where
 * to log in with it.
 */
import { createPrivateKey, type KeyObject } from 'node:crypto';

export interface ServiceAccount {
  readonly loginEndpoint: URL;
  readonly privateKey: KeyObject;
  readonly uid: string;
}

/** What is wrong with a credential, in one sentence that never quotes it. */
export class CredentialError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(`DC/OS service account credential: ${message}`, options);
    this.name = 'CredentialError';
  }
}

/** Reads `{login_endpoint, private_key, scheme, uid}`. @throws {CredentialError} */
export function parseServiceAccount(text: string): ServiceAccount {
  const fields = fieldsOf(text);
  const scheme = textOf(fields, 'scheme');
  if (scheme !== 'RS256') throw new CredentialError(`scheme '${scheme}' is not supported, only RS256 is`);
  return {
    loginEndpoint: endpointOf(textOf(fields, 'login_endpoint')),
    privateKey: keyOf(textOf(fields, 'private_key')),
    uid: textOf(fields, 'uid'),
  };
}

function fieldsOf(text: string): object {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's message quotes what it read, and that is a secret.
    throw new CredentialError('it is not JSON; expected an object with login_endpoint, private_key, scheme and uid');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new CredentialError('it is not an object; expected login_endpoint, private_key, scheme and uid');
  }
  return value;
}

function textOf(fields: object, key: string): string {
  const value: unknown = Reflect.get(fields, key);
  if (typeof value !== 'string' || value === '') throw new CredentialError(`${key} is missing or not text`);
  return value;
}

function endpointOf(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new CredentialError(`login_endpoint '${text}' is not an http or https URL`);
  }
  return url;
}

function keyOf(pem: string): KeyObject {
  let key: KeyObject;
  try {
    key = createPrivateKey({ key: pem, format: 'pem' });
  } catch (error) {
    throw new CredentialError('private_key is not a private key in PEM form (PKCS #8)', { cause: error });
  }
  if (key.asymmetricKeyType !== 'rsa') {
    throw new CredentialError(`private_key is of type ${key.asymmetricKeyType}, and RS256 needs an RSA key`);
  }
  return key;
}
