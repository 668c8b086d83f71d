/**
 * The namers under `/$/`, which need no configuration: addresses (`inet`), ends (`nil`, `fail`) and rewrites of HTTP
 * names. Pure: who resolves hosts is passed in.
 */
import { normalizeHost } from './host-names.ts';
import { isLinkLocal, normalizeInetHost, portOf } from './inet-address.ts';
import { EMPTY, FAIL, leaf, type NameTree, NEG } from './name-tree.ts';
import type { AddressSet, NamerLeaf } from './names.ts';
import { type Path, showPath } from './path.ts';

/**
 * The addresses of `host:port`. `host` is a name or an address in its usual form; `refresh` is false for
 * `/$/fixedinet`, which is resolved once. The same set is returned for the same arguments while somebody observes it.
 * Who resolves a name refuses link-local addresses (`isLinkLocal`).
 */
export type Inet = (host: string, port: number, refresh: boolean) => AddressSet;

export type UtilityAnswer =
  | { readonly kind: 'ok'; readonly value: NameTree<NamerLeaf> }
  | { readonly kind: 'failed'; readonly reason: string };

const NOT_FOUND: UtilityAnswer = { kind: 'ok', value: NEG };
const HOST = /^[A-Za-z0-9.:_-]+$/;
/** RFC 9110, 9.1: a method is a token. */
const METHOD = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** A DNS label (RFC 1035) in lower case, or a number. */
const PORT_NAME = /^[a-z0-9][-a-z0-9]{0,62}$/;

/** Rewrites what follows the namer's name; null where it does not match. */
const REWRITES: ReadonlyMap<string, (rest: Path) => Path | null> = new Map([
  ['io.buoyant.rinet', ([port, host, ...residual]) => path('$', 'inet', host, port, residual)],
  ['io.buoyant.hostportPfx', ([prefix, pair, ...rest]) => hostAndPort(pair, (h, p) => path(prefix, h, p, rest))],
  ['io.buoyant.porthostPfx', ([prefix, pair, ...rest]) => hostAndPort(pair, (h, p) => path(prefix, p, h, rest))],
  ['io.buoyant.http.anyMethod', ([method, ...rest]) => (isMethod(method) ? rest : null)],
  ['io.buoyant.http.anyMethodPfx', ([prefix, method, ...rest]) => (isMethod(method) ? path(prefix, rest) : null)],
  ['io.buoyant.http.anyHost', ([host, ...rest]) => (isHost(host) ? rest : null)],
  ['io.buoyant.http.anyHostPfx', ([prefix, host, ...rest]) => (isHost(host) ? path(prefix, rest) : null)],
  ['io.buoyant.http.subdomainOf', ([domain, host, ...rest]) => path(subdomain(host, domain), rest)],
  ['io.buoyant.http.subdomainOfPfx', ([domain, prefix, host, ...rest]) => path(prefix, subdomain(host, domain), rest)],
  ['io.buoyant.http.domainToPath', ([host, ...rest]) => path(labelsReversed(host), rest)],
  ['io.buoyant.http.domainToPathPfx', ([prefix, host, ...rest]) => path(prefix, labelsReversed(host), rest)],
]);

/**
 * What `/$/<namer>/…` means. `trusted` is the number of leading segments that the caller lets name an address: those of
 * a per-request dtab do not, unless the configuration allows it.
 */
export function lookupUtility(name: Path, inet: Inet, trusted: number = Number.POSITIVE_INFINITY): UtilityAnswer {
  const [root, namer, ...rest] = name;
  if (root !== '$' || namer === undefined) return NOT_FOUND;
  if (namer === 'inet' || namer === 'fixedinet') return lookupInet(name, inet, trusted);
  if (namer === 'nil') return { kind: 'ok', value: EMPTY };
  if (namer === 'fail') return { kind: 'ok', value: FAIL };
  const rewrite = REWRITES.get(namer);
  if (rewrite === undefined) return unknown(name, namer);
  const rewritten = rewrite(rest);
  return rewritten === null ? NOT_FOUND : { kind: 'ok', value: leaf({ kind: 'path', path: rewritten }) };
}

function unknown(name: Path, namer: string): UtilityAnswer {
  const known = ['inet', 'fixedinet', 'nil', 'fail', ...REWRITES.keys()].join(', ');
  const reason = `${showPath(name)} names the unknown utility namer ${showPath(['$', namer])}; there are: ${known}`;
  return { kind: 'failed', reason };
}

/** `/$/inet/<host>/<port>`, or `/$/inet/<port>` for localhost. */
function lookupInet(name: Path, inet: Inet, trusted: number): UtilityAnswer {
  const [, namer, first = '', second = ''] = name;
  const hasHost = portOf(second) !== null;
  const port = portOf(hasHost ? second : first);
  if (port === null) return NOT_FOUND;
  const id = name.slice(0, hasHost ? 4 : 3);
  const refuse = (why: string): UtilityAnswer => ({ kind: 'failed', reason: `${showPath(id)} is refused: ${why}` });
  if (Number.isNaN(port)) return refuse('a port is 1 to 65535');
  if (trusted < id.length) {
    return refuse("a per-request dtab may not name addresses; bind a name of the router's own dtab instead");
  }
  const host = normalizeInetHost(hasHost ? first : 'localhost');
  if (isLinkLocal(host)) return refuse('link-local addresses are never routed to');
  const addresses = inet(host, port, namer === 'inet');
  return { kind: 'ok', value: leaf({ kind: 'bound', bound: { id, residual: name.slice(id.length), addresses } }) };
}

/** The parts as one path; null when one of them is missing or empty. */
function path(...parts: readonly (string | Path | null | undefined)[]): Path | null {
  const whole: string[] = [];
  for (const part of parts) {
    if (part === undefined || part === null || part === '') return null;
    if (typeof part === 'string') whole.push(part);
    else whole.push(...part);
  }
  return whole;
}

function hostAndPort(pair: string | undefined, combine: (host: string, port: string) => Path | null): Path | null {
  const [host, port, ...more] = pair?.split(':') ?? [];
  if (host === undefined || port === undefined || more.length > 0 || !PORT_NAME.test(port)) return null;
  return combine(host, port);
}

function isMethod(text: string | undefined): boolean {
  return text !== undefined && METHOD.test(text);
}

function isHost(text: string | undefined): text is string {
  return text !== undefined && HOST.test(text);
}

/** `a.b` for `a.b.<domain>`, with or without a port. Hosts are the same in any case (RFC 9110, 4.2.3). */
function subdomain(host: string | undefined, domain: string | undefined): string | null {
  if (!isHost(host) || domain === undefined) return null;
  const name = host.replace(/:[^:]*$/, '');
  const end = `.${domain.toLowerCase()}`;
  return name.toLowerCase().endsWith(end) && name.length > end.length ? name.slice(0, -end.length) : null;
}

/** `c/b/a` for `a.b.c`, in lower case and without port: they are the same host (RFC 9110, 4.2.3). */
function labelsReversed(host: string | undefined): Path | null {
  if (!isHost(host)) return null;
  const labels = normalizeHost(host)
    .split('.')
    .filter((label) => label !== '');
  return labels.length === 0 ? null : labels.reverse();
}
