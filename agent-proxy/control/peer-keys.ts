/** The key by which proxies know each other. The one before it is accepted for as long as peers may not have the new. */
import { timingSafeEqual } from 'node:crypto';

export class PeerKeys {
  private accepted: Buffer[] = [];
  private key: string | null = null;

  get current(): string | null {
    return this.key;
  }

  set(key: string): void {
    if (key === this.key) return;
    this.key = key;
    this.accepted = [Buffer.from(key), ...this.accepted.slice(0, 1)];
  }

  /** Takes the same time for every wrong key of the right length. */
  accepts(given: string): boolean {
    const bytes = Buffer.from(given);
    let found = false;
    for (const key of this.accepted) if (key.length === bytes.length && timingSafeEqual(key, bytes)) found = true;
    return found;
  }
}
