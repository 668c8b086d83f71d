/**
 * `addForwardedHeader`: the value of a `Forwarded` header (RFC 7239) that tells upstream by whom and for whom the request
 * came. Each side is named by a labeler; linkerd's default are random names that tell nothing.
 */
import { isIPv6 } from 'node:net';

export type Labeler =
  | { readonly kind: 'ip' }
  | { readonly kind: 'ip:port' }
  /** A new name for each connection. */
  | { readonly kind: 'connectionRandom' }
  /** A new name for each request. */
  | { readonly kind: 'requestRandom' }
  /** The router's label. */
  | { readonly kind: 'router' }
  | { readonly kind: 'static'; readonly label: string };

export interface ForwardedConfig {
  /** Names this proxy. */
  readonly by: Labeler;
  /** Names the caller. */
  readonly for: Labeler;
}

export interface Side {
  readonly address: string;
  readonly port: number;
}

/** 0 ≤ x < 1. */
type Random = () => number;

/** The header of one connection: what does not change from request to request is made once. */
export class ConnectionForwarded {
  private readonly by: string | null;
  private readonly for: string | null;
  private readonly random: Random;

  /** `local` is where the connection was accepted, `remote` where it came from. */
  constructor(config: ForwardedConfig, router: string, local: Side, remote: Side, random: Random) {
    this.by = nodeOf(config.by, router, local, random);
    this.for = nodeOf(config.for, router, remote, random);
    this.random = random;
  }

  /** `by=…;for=…;host=…;proto=…`; without `host` where the request has none. */
  value(host: string | null, proto: 'http' | 'https'): string {
    const sides = `by=${this.by ?? randomName(this.random)};for=${this.for ?? randomName(this.random)}`;
    return host === null || host === '' ? `${sides};proto=${proto}` : `${sides};host=${value(host)};proto=${proto}`;
  }
}

/** The node of a side, or null where each request has another one. */
function nodeOf(labeler: Labeler, router: string, side: Side, random: Random): string | null {
  switch (labeler.kind) {
    case 'ip':
      return value(nodeName(side.address));
    case 'ip:port':
      return value(`${nodeName(side.address)}:${side.port}`);
    case 'connectionRandom':
      return randomName(random);
    case 'requestRandom':
      return null;
    case 'router':
      return obfuscated(router);
    case 'static':
      return obfuscated(labeler.label);
  }
}

/** IPv6 in brackets (section 6), without its zone. */
function nodeName(address: string): string {
  const [plain = ''] = address.split('%');
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(plain)?.[1];
  if (mapped !== undefined) return mapped;
  return isIPv6(plain) ? `[${plain}]` : plain;
}

/** A name of our own begins with an underscore and has letters, digits, `.`, `_` and `-` (section 6.3). */
function obfuscated(label: string): string {
  const name = label.replace(/[^A-Za-z0-9._-]/g, '_');
  return name.startsWith('_') ? name : `_${name}`;
}

const ALPHANUMERIC = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const RANDOM_LENGTH = 6;

function randomName(random: Random): string {
  let name = '_';
  for (let index = 0; index < RANDOM_LENGTH; index += 1) {
    name += ALPHANUMERIC.charAt(Math.floor(random() * ALPHANUMERIC.length));
  }
  return name;
}

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** A token as it is, anything else as a quoted string (section 4): a colon or a bracket is no token's. */
function value(text: string): string {
  return TOKEN.test(text) ? text : `"${text.replace(/["\\]/g, '\\$&')}"`;
}
