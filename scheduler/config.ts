/**
 * The scheduler's options: the command line first, then the environment, then the default. All faults are told at once.
 * This is the only file of the scheduler that reads the environment.
 */
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { userInfo } from 'node:os';
import { Command, Option } from 'commander';
import { z } from 'zod';

export interface ProxyPorts {
  readonly out: number;
  readonly in: number;
  readonly admin: number;
}

export interface ProxyOptions {
  /** Archives, the wanted one first; `host-node` for the code of this build. */
  readonly archives: readonly string[];
  readonly workers: number;
  readonly cpus: number;
  readonly cpusLimit: number | 'unlimited' | null;
  /** Megabytes. */
  readonly mem: number;
  /** Megabytes. */
  readonly disk: number;
  readonly image: { readonly name: string; readonly containerizer: (typeof CONTAINERIZERS)[number] } | null;
}

export interface SchedulerConfig {
  readonly master: string;
  readonly marathon: string;
  readonly state: { readonly kind: 'file'; readonly directory: string };
  readonly listen: { readonly host: string; readonly port: number };
  /** Base URL under which proxies and agents reach this scheduler; null: that of the listener. */
  readonly advertise: string | null;
  readonly name: string;
  readonly role: string;
  /** The user that tasks run as. */
  readonly user: string;
  readonly ports: ProxyPorts;
  readonly proxy: ProxyOptions;
  /** Null: writes are possible only when the listener is on loopback. */
  readonly apiToken: string | null;
  readonly logLevel: (typeof LOG_LEVELS)[number];
}

/** A mistake in the options: exit code 2. */
export class UsageError extends Error {
  readonly exitCode = 2;

  constructor(message: string) {
    super(message);
    this.name = 'UsageError';
  }
}

const CONTAINERIZERS = ['mesos', 'docker'] as const;
const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const;

const baseUrl = z.string().transform((text, context) => {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !['http:', 'https:'].includes(url.protocol) || url.search !== '' || url.hash !== '') {
    context.addIssue({ code: 'custom', message: `'${text}' is not a URL like http://10.0.0.1:5050` });
    return z.NEVER;
  }
  return url.href.replace(/\/+$/, '');
});

const listen = z.string().transform((text, context) => {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text);
  const host = match?.[1] ?? match?.[2] ?? '';
  const port = Number(match?.[3]);
  if (isIP(host) === 0 || port > 65_535) {
    context.addIssue({ code: 'custom', message: `'${text}' is not an address and a port like 127.0.0.1:4180` });
    return z.NEVER;
  }
  return { host, port };
});

const state = z.string().transform((text, context) => {
  const directory = /^file:(.+)$/.exec(text)?.[1];
  if (directory === undefined) {
    context.addIssue({ code: 'custom', message: `'${text}' is not a store like file:/var/lib/nodemesh` });
    return z.NEVER;
  }
  return { kind: 'file' as const, directory };
});

const PORT_NAMES = ['out', 'in', 'admin'] as const;

const ports = z.string().transform((text, context): ProxyPorts => {
  const found = new Map<string, number>();
  const fault = (message: string): ProxyPorts => {
    context.addIssue({ code: 'custom', message: `${message}; write out=4140,in=4141,admin=9990` });
    return z.NEVER;
  };
  for (const part of text.split(',')) {
    const [name = '', number = ''] = part.split('=', 2);
    if (!PORT_NAMES.some((known) => known === name)) return fault(`'${part}' names no port of the proxy`);
    if (!/^\d{1,5}$/.test(number) || Number(number) < 1 || Number(number) > 65_535) {
      return fault(`'${part}' is not a port from 1 to 65535`);
    }
    found.set(name, Number(number));
  }
  const all = { out: found.get('out') ?? 4140, in: found.get('in') ?? 4141, admin: found.get('admin') ?? 9990 };
  if (new Set(Object.values(all)).size < PORT_NAMES.length) return fault(`'${text}' uses a port twice`);
  return all;
});

const apiTokenFile = z.string().transform((path, context) => {
  try {
    const token = readFileSync(path, 'utf8').trim();
    if (token.length >= 16 && !/\s/.test(token)) return token;
    context.addIssue({ code: 'custom', message: `the file ${path} must hold one token of at least 16 characters` });
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    context.addIssue({ code: 'custom', message: `the file ${path} cannot be read (${reason})` });
  }
  return z.NEVER;
});

/** Mesos has three decimals. */
const amount = (least: number) =>
  z
    .string()
    .regex(/^\d{1,9}(\.\d{1,3})?$/, 'must be a number like 1 or 0.25')
    .transform(Number)
    .refine((value) => value >= least, `must be at least ${least}`);

const workers = z
  .string()
  .regex(/^\d{1,2}$/, 'must be a whole number from 1 to 64')
  .transform(Number)
  .refine((value) => value >= 1 && value <= 64, 'must be a whole number from 1 to 64');

const optionsSchema = z.object({
  master: baseUrl,
  marathon: baseUrl,
  state,
  listen,
  advertise: baseUrl.nullable(),
  name: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, 'must be 1 to 63 of A-Z a-z 0-9 . _ -'),
  // Mesos' rules for a role name: include/mesos/roles.hpp.
  role: z
    .string()
    .regex(/^(?![-.]$)(?!\.\.$)[^\s/\\-][^\s\\]*$/, 'is not a role name that Mesos accepts')
    .refine((role) => role !== '*', 'must not be *: reservations need a role of their own'),
  user: z.string().min(1),
  ports,
  proxyArchive: z.array(z.string().min(1)),
  proxyWorkers: workers,
  proxyCpus: amount(0.01).nullable(),
  proxyCpusLimit: z.literal('unlimited').or(amount(0.01)).nullable(),
  proxyMem: amount(32),
  proxyDisk: amount(0),
  proxyImage: z.string().min(1).nullable(),
  containerizer: z.enum(CONTAINERIZERS, `must be one of ${CONTAINERIZERS.join(', ')}`),
  apiTokenFile: apiTokenFile.nullable(),
  logLevel: z.enum(LOG_LEVELS, `must be one of ${LOG_LEVELS.join(', ')}`),
});

function command(): Command {
  return (
    new Command('nodemesh scheduler')
      .description(
        'The control plane: a Mesos framework that keeps one proxy on every agent and tells it what runs where.',
      )
      .addOption(
        new Option('--master <url>', 'a Mesos master; redirects to the leader are followed').env('NODEMESH_MASTER'),
      )
      .addOption(new Option('--marathon <url>', 'Marathon').env('NODEMESH_MARATHON'))
      .addOption(new Option('--state <store>', 'where to keep state: file:DIR').env('NODEMESH_STATE'))
      .addOption(
        new Option('--listen <ip:port>', 'API, dashboard and control streams')
          .env('NODEMESH_LISTEN')
          .default('127.0.0.1:4180'),
      )
      .addOption(
        new Option(
          '--advertise <url>',
          'base URL under which agents and proxies reach this scheduler (default: the listener)',
        ).env('NODEMESH_ADVERTISE'),
      )
      .addOption(new Option('--name <name>', 'name of the framework').env('NODEMESH_NAME').default('nodemesh'))
      .addOption(
        new Option('--role <role>', 'Mesos role, besides slave_public').env('NODEMESH_ROLE').default('nodemesh'),
      )
      .addOption(
        new Option('--user <user>', 'the user that proxies run as (default: the one that runs this)').env(
          'NODEMESH_USER',
        ),
      )
      .addOption(
        new Option('--ports <list>', "the proxies' ports").env('NODEMESH_PORTS').default('out=4140,in=4141,admin=9990'),
      )
      .addOption(
        new Option(
          '--proxy-archive <file>',
          "an archive of the proxy, or host-node: this build, with the agents' Node.js (repeat it; the first is wanted)",
        )
          .env('NODEMESH_PROXY_ARCHIVE')
          .argParser((file: string, before?: string[]) => [...(before ?? []), file]),
      )
      .addOption(
        new Option('--proxy-workers <n>', 'processes of each proxy that serve')
          .env('NODEMESH_PROXY_WORKERS')
          .default('1'),
      )
      .addOption(new Option('--proxy-cpus <n>', 'cpus of each proxy (default: 1 a worker)').env('NODEMESH_PROXY_CPUS'))
      .addOption(
        new Option('--proxy-cpus-limit <n>', 'how many cpus it may use where they are free, or unlimited').env(
          'NODEMESH_PROXY_CPUS_LIMIT',
        ),
      )
      .addOption(new Option('--proxy-mem <mb>', 'memory of each proxy').env('NODEMESH_PROXY_MEM').default('256'))
      .addOption(new Option('--proxy-disk <mb>', 'disk of each proxy').env('NODEMESH_PROXY_DISK').default('256'))
      .addOption(
        new Option('--proxy-image <name>', 'run proxies in this image, and not from the archive').env(
          'NODEMESH_PROXY_IMAGE',
        ),
      )
      .addOption(
        new Option('--containerizer <name>', 'who runs the image: mesos (UCR) or docker')
          .env('NODEMESH_CONTAINERIZER')
          .default('mesos'),
      )
      .addOption(
        new Option('--api-token-file <path>', 'file with the token that writes need; not needed on loopback').env(
          'NODEMESH_API_TOKEN_FILE',
        ),
      )
      .addOption(new Option('--log-level <level>', LOG_LEVELS.join(', ')).env('NODEMESH_LOG_LEVEL').default('info'))
      .allowExcessArguments(false)
      .exitOverride()
      // The composition root writes the one line that an error gets.
      .configureOutput({ writeErr: () => undefined })
  );
}

/**
 * Reads the options. @throws {UsageError} with every fault in it; commander's error for an unknown option or `--help`.
 */
export function readConfig(args: readonly string[]): SchedulerConfig {
  const given = command()
    .parse([...args], { from: 'user' })
    .opts<Record<string, string | undefined> & { readonly proxyArchive?: string[] }>();
  const missing = ['master', 'marathon', 'state'].filter((name) => !given[name]);
  const faults = missing.map((name) => `--${name} is missing (or set NODEMESH_${name.toUpperCase()})`);
  const parsed = optionsSchema.safeParse({
    ...given,
    advertise: given.advertise ?? null,
    proxyArchive: given.proxyArchive ?? [],
    proxyCpus: given.proxyCpus ?? null,
    proxyCpusLimit: given.proxyCpusLimit ?? null,
    proxyImage: given.proxyImage ?? null,
    apiTokenFile: given.apiTokenFile ?? null,
    user: given.user ?? currentUser(),
  });
  if (!parsed.success) {
    for (const issue of parsed.error.issues) {
      const name = String(issue.path[0]);
      if (!missing.includes(name)) faults.push(`--${kebab(name)}: ${issue.message}`);
    }
  }
  const { data } = parsed;
  if (faults.length > 0 || data === undefined) throw new UsageError(faults.join('\n'));
  const { apiTokenFile: apiToken, proxyImage, containerizer, ...rest } = data;
  const { proxyArchive, proxyWorkers, proxyCpus, proxyCpusLimit, proxyMem, proxyDisk, ...others } = rest;
  return {
    ...others,
    apiToken,
    proxy: {
      ...{ archives: proxyArchive, workers: proxyWorkers, mem: proxyMem, disk: proxyDisk },
      ...{ cpus: proxyCpus ?? proxyWorkers, cpusLimit: proxyCpusLimit },
      image: proxyImage === null ? null : { name: proxyImage, containerizer },
    },
  };
}

function kebab(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** A container may run as a user id without a name. */
function currentUser(): string {
  try {
    return userInfo().username;
  } catch {
    return 'root';
  }
}
