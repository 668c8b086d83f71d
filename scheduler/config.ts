/**
 * The scheduler's options: the command line first, then the environment, then a file, then the default. All faults are
 * told at once, each with its place. This is the only file of the scheduler that reads the environment.
 */

import { userInfo } from 'node:os';
import type { z } from 'zod';
import type { Constraint, RolloutSettings } from '../framework/index.ts';
import type { ServiceAccount } from '../framework/mesos-http-client/auth/credential.ts';
import type { MarathonConfig } from './config/marathons.ts';
import type { MeshConfigSource } from './config/mesh-config.ts';
import {
  flagOf,
  isOptionName,
  type OptionName,
  optionNames,
  optionsSchema,
  specOf,
  variableOf,
} from './config/options.ts';
import { readSources } from './config/sources.ts';
import type {
  BINDS,
  CONTAINERIZERS,
  LOG_LEVELS,
  MasterLocation,
  ProxyPorts,
  PUBLIC_LISTENERS,
  StateLocation,
} from './config/values.ts';

export type { MasterLocation, ProxyPorts } from './config/values.ts';

/** How to prove to Mesos (and, with a service account, to Marathon) who we are. */
export type Credential =
  | { readonly kind: 'none' }
  | { readonly kind: 'basic'; readonly principal: string; readonly secret: string }
  | { readonly kind: 'service-account'; readonly account: ServiceAccount };

export interface SchedulerConfig {
  readonly master: MasterLocation;
  /** The first one's apps have bare names. */
  readonly marathons: readonly [MarathonConfig, ...MarathonConfig[]];
  /** `user:password` in base64, for those without a login of their own. */
  readonly marathonCredential: string | null;
  /** Whether Mesos' operator stream is a source of services. */
  readonly mesosDiscovery: boolean;
  readonly state: StateLocation;
  readonly listen: { readonly host: string; readonly port: number };
  /** Base URL under which proxies and agents reach this scheduler; null: that of the listener. */
  readonly advertise: string | null;
  readonly name: string;
  readonly role: string;
  /** Null: agents that are reserved to a public role are left alone. */
  readonly publicRole: string | null;
  /** The user that tasks run as. */
  readonly user: string;
  readonly principal: string | null;
  readonly credential: Credential;
  /** Certificates in PEM form; they alone are trusted then. */
  readonly mesosCa: string | null;
  readonly constraints: readonly Constraint[];
  readonly ports: ProxyPorts;
  readonly bind: (typeof BINDS)[number];
  readonly publicListeners: (typeof PUBLIC_LISTENERS)[number];
  /** Groups of marathon-lb whose apps the edge serves; `-`: apps that name none, `*`: all. */
  readonly edgeGroups: readonly string[];
  readonly reserve: boolean;
  readonly proxy: ProxyOptions;
  readonly rollout: RolloutSettings;
  /** By what a rollout of a version is judged, besides the health of its nodes. */
  readonly versionGate: {
    /** Milliseconds. */
    readonly windowMs: number;
    readonly minRequests: number;
  };
  /** Which endpoints each proxy gets; `bound`: of the services that it uses. */
  readonly discoveryScope: 'all' | 'bound';
  /** Whether a change of a dtab is refused that would take names away which clients ask for. */
  readonly dtabCheck: boolean;
  readonly uninstall: boolean;
  /** Null: writes are possible only when the listener is on loopback. */
  readonly apiToken: string | null;
  /** Base URL; null: this is no DC/OS. */
  readonly adminRouter: string | null;
  /** The configuration of the proxies that the options give; null: none. */
  readonly meshConfig: MeshConfigSource | null;
  readonly logLevel: (typeof LOG_LEVELS)[number];
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

/** A mistake in the options: exit code 2. */
export class UsageError extends Error {
  readonly exitCode = 2;
  /** One for each fault. */
  readonly lines: readonly string[];

  constructor(lines: readonly string[]) {
    super(lines.join('\n'));
    this.name = 'UsageError';
    this.lines = lines.map((line) => `nodemesh: ${line}`);
  }
}

/**
 * Reads the options. @throws {UsageError} with every fault in it; commander's error for an unknown option or `--help`.
 */
export function readConfig(args: readonly string[]): SchedulerConfig {
  const { given, faults: unread } = readSources(args, process.env);
  const missing = optionNames().filter((name) => specOf(name).needed && (given.get(name)?.value ?? '') === '');
  const faults = [...unread, ...missing.map((name) => `${flagOf(name)} is missing (or set ${variableOf(name)})`)];
  const parsed = optionsSchema.safeParse(
    Object.fromEntries(optionNames().map((name) => [name, given.get(name)?.value ?? null])),
  );
  for (const issue of parsed.error?.issues ?? []) {
    const [name, ...inner] = issue.path.map(String);
    if (name === undefined || !isOptionName(name) || missing.includes(name)) continue;
    faults.push(`${[given.get(name)?.place ?? flagOf(name), ...inner].join('.')}: ${issue.message}`);
  }
  if (parsed.success) {
    faults.push(...contradictions(parsed.data, (name) => given.get(name)?.place ?? flagOf(name)));
    if (faults.length === 0) return configOf(parsed.data);
  }
  throw new UsageError(faults);
}

type Options = z.infer<typeof optionsSchema>;

/** Options that are right alone and not together. */
function contradictions(options: Options, placeOf: (name: OptionName) => string): string[] {
  const faults: string[] = [];
  if (options.secretFile !== null && options.principal === null) {
    faults.push(`${placeOf('secretFile')}: is the secret of a principal; name it with --principal`);
  }
  if (options.secretFile !== null && options.serviceAccountFile !== null) {
    faults.push(
      `${placeOf('secretFile')}: there is a service account too (${placeOf('serviceAccountFile')}); keep one`,
    );
  }
  // RFC 7617, section 2: the first colon ends the name.
  if (options.secretFile !== null && options.principal?.includes(':')) {
    faults.push(`${placeOf('principal')}: must not have a colon in it where it has a secret`);
  }
  if (options.meshConfig !== null && options.meshConfigUrl !== null) {
    faults.push(`${placeOf('meshConfig')}: there is a URL too (${placeOf('meshConfigUrl')}); keep one`);
  }
  if (options.publicRole === options.role) {
    faults.push(`${placeOf('role')}: is the public role as well; choose another, or set --public-role none`);
  }
  return faults;
}

function configOf(options: Options): SchedulerConfig {
  const { master, state, listen, advertise, name, role, publicRole } = options;
  const { ports, bind, publicListeners, edgeGroups, reserve, uninstall, logLevel } = options;
  const credential = credentialOf(options);
  return {
    ...{ master, state, listen, advertise, name, role, publicRole },
    ...{ ports, bind, publicListeners, edgeGroups, reserve, uninstall, logLevel },
    mesosDiscovery: options.mesosDiscovery === 'on',
    marathons: options.marathon,
    marathonCredential: options.marathonCredentialFile,
    discoveryScope: options.discoveryScope,
    dtabCheck: options.dtabCheck === 'on',
    user: options.user ?? currentUser(),
    principal: options.principal ?? (credential.kind === 'service-account' ? credential.account.uid : null),
    credential,
    mesosCa: options.mesosCaFile,
    constraints: options.constraint ?? [],
    proxy: proxyOf(options),
    rollout: {
      strategy: options.strategy,
      maxUnavailable: options.maxUnavailable,
      gateMs: options.rolloutGate,
      stepTimeoutMs: options.rolloutStepTimeout,
    },
    versionGate: { windowMs: options.rolloutWindow, minRequests: options.rolloutMinRequests },
    apiToken: options.apiTokenFile,
    adminRouter: options.adminRouter,
    meshConfig: options.meshConfig ?? options.meshConfigUrl,
  };
}

function proxyOf(options: Options): ProxyOptions {
  const { proxyWorkers, proxyCpus, proxyCpusLimit, proxyMem, proxyDisk, proxyImage, containerizer } = options;
  return {
    archives: options.proxyArchive ?? [],
    ...{ workers: proxyWorkers, cpus: proxyCpus ?? proxyWorkers, cpusLimit: proxyCpusLimit },
    ...{ mem: proxyMem, disk: proxyDisk },
    image: proxyImage === null ? null : { name: proxyImage, containerizer },
  };
}

function credentialOf({ principal, secretFile, serviceAccountFile }: Options): Credential {
  if (serviceAccountFile !== null) return { kind: 'service-account', account: serviceAccountFile };
  if (secretFile !== null && principal !== null) return { kind: 'basic', principal, secret: secretFile };
  return { kind: 'none' };
}

/** A container may run as a user id without a name. */
function currentUser(): string {
  try {
    return userInfo().username;
  } catch {
    return 'root';
  }
}
