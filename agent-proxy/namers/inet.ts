/**
 * Addresses by host and port, for `/$/inet` and for every list that names hosts. A literal is known at once. A name is
 * resolved when it is observed for the first time, and again in the background as long as somebody observes it: never for
 * a request.
 */
import { lookup } from 'node:dns/promises';
import { isIP, isIPv4 } from 'node:net';
import type { Unsubscribe } from '../routing/activity.ts';
import { isLinkLocal, normalizeInetHost } from '../routing/inet-address.ts';
import type { AddressSet, AddressState } from '../routing/names.ts';
import { AddressVar } from './address-var.ts';

import { plainEndpoint } from './plain-endpoint.ts';

/** All addresses of a name. @throws an error with a `code`, as `dns.lookup` does. */
export type LookupHost = (host: string) => Promise<readonly string[]>;

export interface InetOptions {
  readonly lookup?: LookupHost;
  /** How long an answer counts at least, and at most: longer each time that it stays the same. Milliseconds. */
  readonly minTtlMs?: number;
  readonly maxTtlMs?: number;
}

const MIN_TTL_MS = 5_000;
const MAX_TTL_MS = 60_000;
/** Resolving occupies a thread of Node's pool of four until it ends; files and logs need some too. */
const MAX_CONCURRENT = 2;
/** The authority says that there is no such name; whatever else goes wrong may be the network's fault. */
const NO_SUCH_NAME = new Set(['ENOTFOUND', 'ENODATA']);

export class InetAddresses {
  private readonly lookup: LookupHost;
  private readonly minTtlMs: number;
  private readonly maxTtlMs: number;
  /** What somebody observes, by host and port: whoever asks for it gets the same. */
  private readonly observed = new Map<string, AddressSet>();
  private readonly waiting: (() => void)[] = [];
  private running = 0;

  constructor(options: InetOptions = {}) {
    this.lookup = options.lookup ?? lookupAll;
    this.minTtlMs = options.minTtlMs ?? MIN_TTL_MS;
    this.maxTtlMs = Math.max(options.maxTtlMs ?? MAX_TTL_MS, this.minTtlMs);
  }

  /** How many names are kept. */
  get size(): number {
    return this.observed.size;
  }

  /** The addresses of a host: followed as long as they are observed, or (`/$/fixedinet`) resolved once. */
  of(host: string, port: number, refresh = true): AddressSet {
    const key = `${host.toLowerCase()}:${port}${refresh ? '' : ' once'}`;
    const known = this.observed.get(key);
    if (known !== undefined) return known;
    const literal = addressOf(host);
    if (literal !== null) {
      const fixed = new LiteralAddress(literal, port, () => this.keep(key, fixed));
      return fixed;
    }
    const name = new ResolvedName(host, port, {
      refresh,
      minTtlMs: this.minTtlMs,
      maxTtlMs: this.maxTtlMs,
      resolve: () => this.inTurn(host),
      whenObserved: () => this.keep(key, name.addresses),
    });
    return name.addresses;
  }

  private keep(key: string, addresses: AddressSet): Unsubscribe {
    this.observed.set(key, addresses);
    return () => {
      if (this.observed.get(key) === addresses) this.observed.delete(key);
    };
  }

  /** At most one look-up of a name is on its way, so what waits here is bounded by the names that are observed. */
  private async inTurn(host: string): Promise<readonly string[]> {
    if (this.running >= MAX_CONCURRENT) await new Promise<void>((resolve) => this.waiting.push(resolve));
    else this.running += 1;
    try {
      return await this.lookup(host);
    } finally {
      const next = this.waiting.shift();
      if (next === undefined) this.running -= 1;
      else next();
    }
  }
}

/** An address that needs no resolving, and never changes. */
class LiteralAddress implements AddressSet {
  readonly state: AddressState;
  private readonly whenObserved: () => Unsubscribe;
  private observers = 0;
  private stop: Unsubscribe | null = null;

  constructor(address: string, port: number, whenObserved: () => Unsubscribe) {
    this.whenObserved = whenObserved;
    this.state = isLinkLocal(address)
      ? { kind: 'failed', reason: `${address} is a link-local address, which is refused` }
      : { kind: 'bound', endpoints: [plainEndpoint(`${address}:${port}`, address, port)] };
  }

  observe(): Unsubscribe {
    this.observers += 1;
    if (this.observers === 1) this.stop = this.whenObserved();
    let observing = true;
    return () => {
      if (!observing) return;
      observing = false;
      this.observers -= 1;
      if (this.observers > 0) return;
      const { stop } = this;
      this.stop = null;
      stop?.();
    };
  }
}

interface ResolvedNameOptions {
  readonly refresh: boolean;
  readonly minTtlMs: number;
  readonly maxTtlMs: number;
  readonly resolve: () => Promise<readonly string[]>;
  /** Called for the first observer; what it returns is called when the last one is gone. */
  readonly whenObserved: () => Unsubscribe;
}

class ResolvedName {
  readonly addresses: AddressVar;
  private readonly host: string;
  private readonly port: number;
  private readonly options: ResolvedNameOptions;
  private timer: NodeJS.Timeout | null = null;
  private active = false;
  private resolving = false;
  private ttlMs: number;
  private last = '';

  constructor(host: string, port: number, options: ResolvedNameOptions) {
    this.host = host;
    this.port = port;
    this.options = options;
    this.ttlMs = options.minTtlMs;
    this.addresses = new AddressVar(() => this.start());
  }

  private start(): Unsubscribe {
    this.active = true;
    const stop = this.options.whenObserved();
    this.refresh();
    return () => {
      this.active = false;
      if (this.timer !== null) clearTimeout(this.timer);
      this.timer = null;
      stop();
    };
  }

  private refresh(): void {
    // One that began before the last observer left and the next came is as good as a new one.
    if (this.resolving) return;
    this.resolving = true;
    this.options.resolve().then(
      (found) => this.done(() => this.answered(found)),
      (error: unknown) => this.done(() => this.unanswered(error)),
    );
  }

  private done(take: () => boolean): void {
    this.resolving = false;
    if (!this.active) return;
    const settled = take();
    if (!this.active || (settled && !this.options.refresh)) return;
    this.timer = setTimeout(() => this.refresh(), this.ttlMs).unref();
  }

  /** Whether it is known now. */
  private answered(found: readonly string[]): boolean {
    const addresses = preferred(found).filter((address) => !isLinkLocal(address));
    if (addresses.length === 0) {
      this.ttlMs = this.options.minTtlMs;
      this.addresses.failed(`host '${this.host}' has no addresses other than link-local ones, which are refused`);
      return false;
    }
    this.settle(addresses.join(' '));
    const service = `${this.host}:${this.port}`;
    this.addresses.bound(addresses.map((address) => plainEndpoint(service, address, this.port)));
    return true;
  }

  private unanswered(error: unknown): boolean {
    const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined;
    if (typeof code === 'string' && NO_SUCH_NAME.has(code)) {
      this.settle('none');
      this.addresses.neg(`there is no host '${this.host}' (${code})`);
    } else {
      this.ttlMs = this.options.minTtlMs;
      const reason = error instanceof Error ? error.message : String(error);
      this.addresses.failed(`host '${this.host}' could not be resolved: ${reason}`);
    }
    return false;
  }

  /** What stays the same is asked for less and less often. */
  private settle(found: string): void {
    this.ttlMs = found === this.last ? Math.min(this.ttlMs * 2, this.options.maxTtlMs) : this.options.minTtlMs;
    this.last = found;
  }
}

/** The address that a host means without asking anybody, null where it is a name. */
export function addressOf(host: string): string | null {
  // As it mostly is, and once for each line of a thousand files.
  if (isIPv4(host)) return host;
  const normal = normalizeInetHost(host);
  return isIP(normal) === 0 ? null : normal;
}

/** IPv4 where there is any: a name with both is usually served on both, and IPv6 is not routed everywhere. */
function preferred(found: readonly string[]): string[] {
  const distinct = [...new Set(found)].sort();
  const v4 = distinct.filter((address) => !address.includes(':'));
  return v4.length > 0 ? v4 : distinct;
}

async function lookupAll(host: string): Promise<readonly string[]> {
  return (await lookup(host, { all: true })).map(({ address }) => address);
}
