/**
 * The dtab of the first version: prefixes that are rewritten until a name lies under `/$/inet/<ip>/<port>`. Everything
 * else of the dtab language is refused by name rather than ignored. Pure.
 */
import { isIP } from 'node:net';
import { parsePath, showPath } from './path.ts';

export interface PrefixRule {
  readonly prefix: readonly string[];
  readonly destination: readonly string[];
}

/** An address that a name was bound to, with the bound name (`/$/inet/…`) for headers and metrics. */
export interface InetAddress {
  readonly bound: string;
  readonly address: string;
  readonly port: number;
}

export type Resolved =
  | { readonly kind: 'bound'; readonly inet: InetAddress }
  | { readonly kind: 'none'; readonly reason: string };

/** Deeper rewriting is a loop; Finagle's limit. */
const MAX_DEPTH = 100;
const INET = ['$', 'inet'] as const;

/** The rules of a dtab, `/prefix => /destination` separated by `;`. Throws an Error that names what is wrong. */
export function parsePrefixRules(dtab: string): PrefixRule[] {
  const rules: PrefixRule[] = [];
  for (const line of withoutComments(dtab).split(';')) {
    const text = line.trim();
    if (text === '') continue;
    const [left, right, ...more] = text.split('=>');
    if (left === undefined || right === undefined || more.length > 0) {
      throw new Error(`dtab entry '${text}' is not of the form /prefix => /destination`);
    }
    rules.push({ prefix: prefixOf(left.trim(), text), destination: destinationOf(right.trim(), text) });
  }
  return rules;
}

function withoutComments(dtab: string): string {
  return dtab.replace(/(^|\s)#(?!\/).*$/gm, '$1').replace(/(^|\s)#\s.*$/gm, '$1');
}

function prefixOf(text: string, entry: string): string[] {
  if (text.includes('*')) throw new Error(`dtab entry '${entry}': wildcards are not supported yet`);
  const path = parsePath(text);
  if (path === null) throw new Error(`dtab entry '${entry}': '${text}' is not a path`);
  return path;
}

function destinationOf(text: string, entry: string): string[] {
  const operator = /[|&*]/.exec(text)?.[0];
  if (operator !== undefined) throw new Error(`dtab entry '${entry}': '${operator}' is not supported yet`);
  if (text === '~' || text === '!' || text === '$')
    throw new Error(`dtab entry '${entry}': '${text}' is not supported yet`);
  const path = parsePath(text);
  if (path === null) throw new Error(`dtab entry '${entry}': '${text}' is not a path`);
  if (path[0] === '#') throw new Error(`dtab entry '${entry}': namers (/#/…) need a scheduler`);
  if (path[0] !== '$') return path;
  const [, kind, address, port] = path;
  if (kind !== INET[1]) throw new Error(`dtab entry '${entry}': only /$/inet/<ip>/<port> is supported yet`);
  if (address !== undefined && isIP(address) === 0) {
    throw new Error(`dtab entry '${entry}': '${address}' is not an IP address, and names are not resolved yet`);
  }
  if (port !== undefined && !isPort(port)) throw new Error(`dtab entry '${entry}': '${port}' is not a port`);
  return path;
}

function isPort(text: string): boolean {
  return /^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 65_535;
}

/** What a name is bound to. Later rules come first, and an earlier one is tried where a later one leads nowhere. */
export function resolvePrefixes(rules: readonly PrefixRule[], name: readonly string[], depth = 0): Resolved {
  if (name[0] === INET[0] && name[1] === INET[1]) return inetOf(name);
  if (depth > MAX_DEPTH) return { kind: 'none', reason: `the dtab rewrites more than ${MAX_DEPTH} times (a loop?)` };
  let reason = `no dtab entry has a prefix of ${showPath(name)}`;
  for (let index = rules.length - 1; index >= 0; index -= 1) {
    const rule = rules[index];
    if (rule === undefined || !rule.prefix.every((segment, at) => segment === name[at])) continue;
    const next = [...rule.destination, ...name.slice(rule.prefix.length)];
    const resolved = resolvePrefixes(rules, next, depth + 1);
    // A loop would be walked once for each rule at each depth: the first that is found is the answer.
    if (resolved.kind === 'bound' || depth > 10) return resolved;
    reason = resolved.reason;
  }
  return { kind: 'none', reason };
}

function inetOf(name: readonly string[]): Resolved {
  const [, , address, port] = name;
  if (address === undefined || port === undefined || isIP(address) === 0 || !isPort(port)) {
    return { kind: 'none', reason: `${showPath(name)} is not /$/inet/<ip>/<port>` };
  }
  return { kind: 'bound', inet: { bound: `/$/inet/${address}/${port}`, address, port: Number(port) } };
}
