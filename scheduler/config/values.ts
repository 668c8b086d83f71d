/** What the values of the options look like as text, and what becomes of them. Each fault is one sentence. */
import { isIP } from 'node:net';
import { z } from 'zod';
import { type ConnectString, parseConnectString, type Strategy } from '../../framework/index.ts';

/** `node`: a proxy listens on its agent's address. `config`: as the proxy's configuration says. */
export const BINDS = ['node', 'config'] as const;
export const PUBLIC_LISTENERS = ['edge', 'all'] as const;
export const CONTAINERIZERS = ['mesos', 'docker'] as const;
/** `bound`: names go to each proxy on first use. */
export const SCOPES = ['all', 'bound'] as const;
export const SWITCH = ['on', 'off'] as const;

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const;

/** Any of these masters redirects to the leader; or ZooKeeper says who leads. */
export type MasterLocation =
  | { readonly kind: 'urls'; readonly urls: readonly [string, ...string[]] }
  | { readonly kind: 'zookeeper'; readonly ensemble: ConnectString };

export type StateLocation =
  | { readonly kind: 'file'; readonly directory: string }
  | { readonly kind: 'zookeeper'; readonly ensemble: ConnectString };

export interface ProxyPorts {
  readonly out: number;
  readonly in: number;
  readonly admin: number;
  /** Of the edge router, which public agents have; null for none. */
  readonly edge: number | null;
}

/** Flags and variables are text always; a file may hold anything. */
export const text = z.string('must be one value, and is a list or a block');

/** A schema of text, from a function whose error is the fault. */
export function textual<T>(read: (text: string) => T): z.ZodType<T, string> {
  return text.transform((given, context) => {
    try {
      return read(given);
    } catch (error) {
      context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : String(error) });
      return z.NEVER;
    }
  });
}

/**
 * @throws for what is none; `examples` tell what one is, `instead` where a login goes. Addresses show in logs and to whoever asks the
 * API, so that one with a password in it is refused, and not quoted.
 */
export const httpUrl = (
  text: string,
  examples: string,
  instead = 'give them in a file (--marathon-credential-file, --secret-file)',
): string => {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null ? text.includes('@') : /^([a-z][a-z0-9+.-]*:\/\/)?[^/]*@/i.test(text)) {
    throw new Error(`must not hold a name or a password: ${instead}`);
  }
  if (url === null || !['http:', 'https:'].includes(url.protocol) || url.search !== '' || url.hash !== '') {
    throw new Error(`'${text}' is not a URL like ${examples}`);
  }
  return url.href.replace(/\/+$/, '');
};

export const baseUrl = textual((text) => httpUrl(text, 'http://10.0.0.1:8080'));

export const master = textual((text): MasterLocation => {
  if (text.startsWith('zk://')) {
    const ensemble = parseConnectString(text);
    if (ensemble.path === null)
      throw new Error('the ZooKeeper URL of the masters has no path, as in zk://h1:2181/mesos');
    return { kind: 'zookeeper', ensemble };
  }
  const [first = '', ...others] = text.split(',').map((part) => part.trim());
  const scheme = first.startsWith('https:') ? 'https' : 'http';
  const read = (part: string): string =>
    httpUrl(part, 'http://10.0.0.1:5050 (or zk://10.0.0.1:2181/mesos)', 'give them with --principal and --secret-file');
  // As Mesos' own tools: what follows the first may be host:port alone.
  const full = others.map((part) => (part.includes('://') ? part : `${scheme}://${part}`));
  return { kind: 'urls', urls: [read(first), ...full.map(read)] };
});

export const state = textual((text): StateLocation => {
  if (text.startsWith('zk://')) return { kind: 'zookeeper', ensemble: parseConnectString(text) };
  const directory = /^file:(.+)$/.exec(text)?.[1];
  if (directory === undefined) {
    throw new Error(`'${text}' is not a store like file:/var/lib/nodemesh or zk://10.0.0.1:2181/nodemesh`);
  }
  return { kind: 'file', directory };
});

export const listen = textual((text) => {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text);
  const host = match?.[1] ?? match?.[2] ?? '';
  const port = Number(match?.[3]);
  if (isIP(host) === 0 || port > 65_535) throw new Error(`'${text}' is not an address and a port like 127.0.0.1:4180`);
  return { host, port };
});

export const name = text.regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, 'must be 1 to 63 of A-Z a-z 0-9 . _ -');

// Mesos' rules for a role name: include/mesos/roles.hpp.
const roleName = text.regex(/^(?![-.]$)(?!\.\.$)[^\s/\\-][^\s\\]*$/, 'is not a role name that Mesos accepts');

export const role = roleName.refine((given) => given !== '*', 'must not be *: reservations need a role of their own');

export const publicRole = role.transform((given) => (given === 'none' ? null : given));

const PORT_NAMES = ['out', 'in', 'admin', 'edge'] as const;
const PORTS_HINT = 'write out=4140,in=4141,admin=9990,edge=4143';

/** Null for none, which only the edge router's may be. */
function portOf(name: unknown, part: string, number: unknown): number | null {
  if (name === 'edge' && (number === 'none' || number === null)) return null;
  const port = /^\d{1,5}$/.test(String(number)) ? Number(number) : 0;
  if (port < 1 || port > 65_535) throw new Error(`'${part}' is not a port from 1 to 65535`);
  return port;
}

/** Text, or in a file also a block with the ports by name. */
export const ports = z
  .union([z.string(), z.record(z.string(), z.unknown())])
  .transform((given, context): ProxyPorts => {
    const found = new Map<string, number | null>();
    const isText = typeof given === 'string';
    const pairs = isText
      ? given.split(',').map((part) => ({ part, entry: part.split('=', 2) }))
      : Object.entries(given).map((entry) => ({ part: String(entry[1]), entry }));
    let bad = false;
    const fault = (key: unknown, message: string): void => {
      bad = true;
      context.addIssue({ code: 'custom', message, path: isText ? [] : [String(key)] });
    };
    for (const { part, entry } of pairs) {
      const [key, number = ''] = entry;
      if (!PORT_NAMES.some((known) => known === key)) {
        fault(key, `'${isText ? part : key}' names no port of the proxy; ${PORTS_HINT}`);
        continue;
      }
      try {
        found.set(String(key), portOf(key, part, number));
      } catch (error) {
        fault(key, `${error instanceof Error ? error.message : error}; ${PORTS_HINT}`);
      }
    }
    const edge = found.get('edge');
    const all = {
      ...{ out: found.get('out') ?? 4140, in: found.get('in') ?? 4141, admin: found.get('admin') ?? 9990 },
      edge: edge === undefined ? 4143 : edge,
    };
    if (!bad && new Set(Object.values(all)).size < PORT_NAMES.length) {
      const shown = isText ? given : PORT_NAMES.map((port) => `${port}=${all[port] ?? 'none'}`).join(',');
      context.addIssue({ code: 'custom', message: `'${shown}' uses a port twice; ${PORTS_HINT}` });
    }
    return all;
  });

/** Of marathon-lb, between commas. */
export const groups = textual((text): readonly string[] => {
  const names = text.split(',').map((part) => part.trim());
  const bad = names.find((part) => !/^(\*|-|[A-Za-z0-9][A-Za-z0-9._-]*)$/.test(part));
  if (bad !== undefined) throw new Error(`'${bad}' is no group; write names between commas, like external,internal`);
  return names;
});

export const strategy = textual((text): Strategy => {
  const [kind, value, ...more] = text.split(':');
  const bad = `'${text}' is none of gate, gate:N, gate:N:10,50,100, serial, parallel, canary, canary:N and percentages:10,50,100`;
  if (kind === 'gate' && more.length <= 1 && (value === undefined || /^\d{1,6}$/.test(value))) {
    return { kind, canary: Number(value ?? 1), steps: sharesOf(text, more[0] ?? '10,50,100') };
  }
  if (more.length > 0) throw new Error(bad);
  if ((kind === 'serial' || kind === 'parallel') && value === undefined) return { kind };
  if (kind === 'canary' && (value === undefined || /^[1-9]\d{0,5}$/.test(value))) {
    return { kind, nodes: Number(value ?? 1) };
  }
  if (kind !== 'percentages' || value === undefined) throw new Error(bad);
  return { kind, steps: sharesOf(text, value) };
});

function sharesOf(text: string, list: string): number[] {
  const steps = list.split(',').map((step) => (/^\d{1,3}(\.\d+)?$/.test(step) ? Number(step) : Number.NaN));
  const rising = steps.every((step, index) => step > (steps[index - 1] ?? 0) && step <= 100);
  if (!rising) throw new Error(`'${text}': the percentages are numbers that grow, up to 100`);
  return steps;
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };
/** Timers of Node.js hold no more: 2³¹ − 1 ms. */
const MAX_DURATION_MS = 2_147_483_647;

/** `500ms`, `30s`, `10m`, `1h`; `0` is none. Milliseconds. */
export const duration = textual((text) => {
  if (text === '0') return 0;
  const [, digits, unit = ''] = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text) ?? [];
  const ms = Math.round(Number(digits) * (UNITS[unit] ?? Number.NaN));
  if (Number.isNaN(ms) || ms > MAX_DURATION_MS) {
    throw new Error(`'${text}' is not a time like 500ms, 30s, 10m or 1h (24 days at most)`);
  }
  return ms;
});

/** A number of something; `least` is allowed. */
export function amount(least: number, what: string, decimals = 0): z.ZodType<number, string> {
  return textual((text) => {
    const value = /^\d{1,9}(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
    // Mesos keeps three decimals of a scalar.
    if (Number.isNaN(value) || value < least || Number(value.toFixed(decimals)) !== value) {
      throw new Error(`'${text}' is not ${what}`);
    }
    return value;
  });
}

export const boolean = textual((text) => {
  if (text === 'true') return true;
  if (text === 'false') return false;
  throw new Error(`'${text}' is neither true nor false`);
});

export const cpus = amount(0.01, 'a number of CPUs from 0.01 on, with three decimals at most', 3);

export const cpusLimit: z.ZodType<number | 'unlimited', string> = z.literal('unlimited').or(cpus);

/** A file with its manifest beside it, or the word for the build's own code; both are looked at when they are loaded. */
export const archive = text.min(1, 'must not be empty');
