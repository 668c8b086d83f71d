/** How labels write times, shares, kinds and places, and what becomes of them. Each fault is the end of a sentence about the label. */
import { z } from 'zod';
import { faultsOf } from '../../../agent-proxy/config/faults.ts';
import { client } from '../../../agent-proxy/config/schema/client.ts';
import { service } from '../../../agent-proxy/config/schema/service.ts';
import { branchesOf, kindOf, propertiesOf, type SchemaNode } from '../../../agent-proxy/config/schema-tree.ts';

/** A part of linkerd's client or service configuration. */
export type Fragment = Readonly<Record<string, unknown>>;

/** What an app says about its part of the mesh with one label. */
export type Effect =
  | { readonly kind: 'off'; readonly off: boolean }
  | { readonly kind: 'weight'; readonly weight: number }
  | { readonly kind: 'slow-start'; readonly ms: number }
  | { readonly kind: 'exposed'; readonly places: readonly ExposedPlace[] }
  | { readonly kind: 'client'; readonly fragment: Fragment }
  | { readonly kind: 'service'; readonly fragment: Fragment }
  /** It says what holds anyway. */
  | { readonly kind: 'nothing' };

export interface ExposedPlace {
  readonly host: string;
  /** A prefix; `/` for all. */
  readonly path: string;
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };
const DAY_MS = 86_400_000;
/** RFC 1035, 2.3.4. */
const MAX_HOST = 253;
const MAX_PATH = 1_024;

/** Values that a schema remembers: a thousand apps have a handful of them, and each costs a run of the proxy's schema. */
const MAX_REMEMBERED = 256;

type Read<T> = { readonly value: T } | { readonly fault: string };

/** A schema of text, from a function whose error is the fault. The function sees the same text once. */
export function textual<T>(read: (text: string) => T): z.ZodType<T, string> {
  const remembered = new Map<string, Read<T>>();
  return z.string().transform((written, context) => {
    const text = written.trim();
    const known = remembered.get(text) ?? readOnce(read, text);
    if (remembered.size < MAX_REMEMBERED) remembered.set(text, known);
    if ('value' in known) return known.value;
    context.addIssue({ code: 'custom', message: known.fault });
    return z.NEVER;
  });
}

function readOnce<T>(read: (text: string) => T, text: string): Read<T> {
  try {
    return { value: read(text) };
  } catch (error) {
    return { fault: error instanceof Error ? error.message : String(error) };
  }
}

/** `500ms`, `2s`, `5m`, `1h`: milliseconds, at least 1. */
export function timeMs(text: string): number {
  const [, digits, unit = ''] = /^(\d{1,9}(?:\.\d{1,9})?)(ms|s|m|h)$/.exec(text) ?? [];
  const ms = Math.round(Number(digits) * (UNITS[unit] ?? Number.NaN));
  if (Number.isNaN(ms) || ms < 1 || ms > DAY_MS) throw new Error(`'${text}' is no time like 500ms, 2s or 5m`);
  return ms;
}

/** The same, or `none`: null. */
export function limitMs(text: string): number | null {
  return text === 'none' ? null : timeMs(text);
}

export function flag(text: string): boolean {
  if (text === 'true' || text === 'false') return text === 'true';
  throw new Error(`'${text}' is neither true nor false`);
}

export function amount(text: string, least: number, most: number, whole: boolean): number {
  const value = /^\d{1,9}(\.\d{1,9})?$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most && (!whole || Number.isInteger(value))) return value;
  throw new Error(`'${text}' is no ${whole ? 'whole number' : 'number'} from ${least} to ${most}`);
}

/** `20%`, and behind it in any order `10/s` (always allowed) and `10s` (how long a request counts). */
export function budgetOf(text: string): Fragment {
  const budget: Record<string, number> = {};
  for (const word of words(text)) {
    const [, share] = /^(\d{1,6}(?:\.\d{1,6})?)%$/.exec(word) ?? [];
    const [, rate] = /^(\d{1,7})\/s$/.exec(word) ?? [];
    const [, seconds] = /^(\d{1,5})s$/.exec(word) ?? [];
    if (share !== undefined) budget['percentCanRetry'] = percent(share);
    else if (rate !== undefined) budget['minRetriesPerSec'] = Number(rate);
    else if (seconds !== undefined) budget['ttlSecs'] = Number(seconds);
    else throw new Error(`'${word}' is no part of a budget like 20% 10/s 10s`);
  }
  if (Object.keys(budget).length === 0) throw new Error('is empty; a budget is like 20% or 20% 10/s');
  return budget;
}

/**
 * A kind, by linkerd's name or the last part of it, in any case; behind it its keys: `successRate successRate=90%
 * requests=100`.
 */
export function kindWithKeys(text: string, kinds: readonly string[]): Fragment {
  const [kind = '', ...rest] = words(text);
  const keys = rest.map((word): [string, unknown] => {
    const [, key, value] = /^([A-Za-z]+)=(\S+)$/.exec(word) ?? [];
    if (key === undefined || value === undefined) throw new Error(`'${word}' is not of the form key=value`);
    return [key, keyValue(key, value)];
  });
  return { kind: fullKind(kind, kinds), ...Object.fromEntries(keys) };
}

/** Hosts with or without a path, between commas or spaces. */
export function placesOf(text: string): ExposedPlace[] {
  const places = words(text).map((word) => {
    const slash = word.indexOf('/');
    return slash === -1
      ? { host: hostOf(word), path: '/' }
      : { host: hostOf(word.slice(0, slash)), path: pathOf(word.slice(slash)) };
  });
  if (places.length === 0) throw new Error('names no host; write it like www.example.com/shop');
  return places;
}

export function hostOf(text: string): string {
  const host = text.toLowerCase().replace(/\.$/, '');
  const isHost = /^(?!-)[a-z0-9_-]+(\.[a-z0-9_-]+)*$/.test(host) && host.length <= MAX_HOST;
  if (!isHost) throw new Error(`'${text}' is no host name like www.example.com`);
  return host;
}

export function pathOf(text: string): string {
  if (/^\/[!-~]*$/.test(text) && !/[?#]/.test(text) && text.length <= MAX_PATH) return text;
  throw new Error(`'${text}' is no path like /shop`);
}

export function words(text: string): string[] {
  return text.split(/[\s,]+/).filter((word) => word !== '');
}

/** A fragment of a client's configuration that the proxy's own schema accepts. @throws with its fault. */
export function clientFragment(fragment: Fragment): Fragment {
  return accepted(client, CLIENT, fragment);
}

/** The same of a service's. */
export function serviceFragment(fragment: Fragment): Fragment {
  return accepted(service, SERVICE, fragment);
}

const CLIENT = treeOf(client);
const SERVICE = treeOf(service);

/** The kinds of linkerd that a key of a client's or service's configuration may have. */
export const KINDS = {
  balancer: kindsAt(CLIENT, 'loadBalancer'),
  accrual: kindsAt(CLIENT, 'failureAccrual'),
  classifier: kindsAt(SERVICE, 'responseClassifier'),
} as const;

function accepted(schema: z.ZodType, tree: SchemaNode, fragment: Fragment): Fragment {
  const { error } = schema.safeParse(fragment);
  if (error === undefined) return fragment;
  // The place of a fault begins with the key that the label stands for, which the label says already.
  throw new Error(
    faultsOf(error, fragment, tree)
      .map((line) => line.replace(/^[A-Za-z]+(\.kind)?(: |\.)/, ''))
      .join('; '),
  );
}

function treeOf(schema: z.ZodType): SchemaNode {
  return z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
}

function kindsAt(tree: SchemaNode, key: string): readonly string[] {
  const [branch] = branchesOf(tree);
  const node = propertiesOf(branch ?? tree).find(([name]) => name === key)?.[1];
  return node === undefined ? [] : branchesOf(node).flatMap((each) => kindOf(each) ?? []);
}

function fullKind(kind: string, kinds: readonly string[]): string {
  const lower = kind.toLowerCase();
  return kinds.find((known) => known.toLowerCase() === lower || known.toLowerCase().endsWith(`.${lower}`)) ?? kind;
}

/** A share for what is one, and a time in the unit of its key: seconds for `window`, milliseconds for `decayTimeMs`. */
function keyValue(key: string, value: string): unknown {
  const [, share] = /^(\d{1,6}(?:\.\d{1,6})?)%$/.exec(value) ?? [];
  if (share !== undefined) return percent(share);
  if (!/^[\d.]+(ms|s|m|h)$/.test(value)) return value;
  return key.endsWith('Ms') ? timeMs(value) : timeMs(value) / 1_000;
}

/** 0.2 of 20, without the noise of a division. */
function percent(digits: string): number {
  return Number((Number(digits) / 100).toPrecision(12));
}
