/**
 * Session affinity at the edge: a cookie that names the instance which answered a client first, so that its next requests
 * go there as long as it takes any. The mark tells nobody which instances there are, and is the same on every node.
 */
import { createHash } from 'node:crypto';
import type { Instance } from '../balance/instance.ts';

const MARKS = new WeakMap<Instance, string>();

/** `name=value` in a Cookie header (RFC 6265, 4.2.1). */
const PAIR = /^\s*([^=\s]+)=([0-9a-f]{16})\s*$/;

export class Stickiness {
  /** Of this app, at this beginning of a path. */
  private readonly cookie: string;
  private readonly path: string;
  /** What the client has; null where it has none. */
  private readonly mark: string | null;

  constructor(service: string, path: string, cookies: string | null) {
    this.cookie = `nodemesh-${digestOf(service).slice(0, 8)}`;
    this.path = path;
    this.mark = this.markIn(cookies ?? '');
  }

  /** Whether it is the one that the client has been to. */
  prefers(instance: Instance): boolean {
    return this.mark !== null && markOf(instance) === this.mark;
  }

  /** The header line that has the client come back; empty where it does anyway. */
  line(answered: Instance): string {
    if (this.prefers(answered)) return '';
    return `Set-Cookie: ${this.cookie}=${markOf(answered)}; Path=${this.path}; HttpOnly; SameSite=Lax\r\n`;
  }

  private markIn(cookies: string): string | null {
    for (const pair of cookies.split(';')) {
      const [, name, value = null] = PAIR.exec(pair) ?? [];
      if (name === this.cookie) return value;
    }
    return null;
  }
}

function markOf(instance: Instance): string {
  const known = MARKS.get(instance);
  if (known !== undefined) return known;
  const mark = digestOf(instance.endpoint.instance);
  MARKS.set(instance, mark);
  return mark;
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
