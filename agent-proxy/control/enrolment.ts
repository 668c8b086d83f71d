/**
 * How a proxy and its scheduler come to know each other. The task's environment has a token that is good for one enrolment.
 * The supervisor makes a key at its start and keeps it in memory; the scheduler is told the key's hash once, with the token,
 * and from then on knows the proxy by the key, and is known to it by the hash.
 */
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

export interface Enrolment {
  /** From the environment; worth nothing once it was used. */
  readonly token: string;
  /** Shown to the scheduler with every request, and to nobody else. Never on a disk. */
  readonly key: string;
}

const KEY_BYTES = 32;

/** With a new key. */
export function newEnrolment(token: string): Enrolment {
  return { token, key: randomBytes(KEY_BYTES).toString('base64url') };
}

/** In hexadecimal. */
export function sha256Of(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/**
 * What a scheduler sends with an announcement, as its `Authorization`. It goes to a port that may be anybody's, so it has no
 * secret in it. `hash` is {@link sha256Of} the proxy's key, or of its token before it has enrolled.
 */
export function announceProof(hash: string, body: string): string {
  return `Nodemesh ${createHmac('sha256', Buffer.from(hash, 'hex')).update(body).digest('hex')}`;
}

/** Whether whoever announces himself knows the key's hash or, as long as no scheduler has ever greeted the proxy, its token. */
export function isAnnouncedBy(
  { token, key }: Enrolment,
  isGreeted: boolean,
  authorization: string | undefined,
  body: string,
): boolean {
  const given = authorization ?? '';
  if (isSame(given, announceProof(sha256Of(key), body))) return true;
  return !isGreeted && isSame(given, announceProof(sha256Of(token), body));
}

/** In constant time. */
function isSame(given: string, wanted: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(wanted)];
  return a.length === b.length && timingSafeEqual(a, b);
}
