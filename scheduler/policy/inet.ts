/**
 * Addresses for `/$/inet`, as namerd's API shows them: a literal is known at once; a name is resolved while somebody looks,
 * and now and then again. The scheduler connects to none of them.
 */
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { Endpoint } from '../../agent-proxy/control/contract.ts';
import { isLinkLocal } from '../../agent-proxy/routing/inet-address.ts';
import { Listeners } from '../../agent-proxy/routing/listeners.ts';
import type { AddressChange, AddressSet, AddressState } from '../../agent-proxy/routing/names.ts';
import type { Inet } from '../../agent-proxy/routing/utility-namers.ts';

const AGAIN_MS = 30_000;
const RESET: AddressChange = { kind: 'reset' };

/** All addresses of a host. @throws an error with a `code`, as `dns.lookup` does */
export type LookupHost = (host: string) => Promise<readonly string[]>;

export function inetOf(lookupHost: LookupHost = lookupAll): Inet {
  /** What somebody observes: whoever asks for it gets the same. */
  const observed = new Map<string, ResolvedHost>();
  return (host, port, refresh) => {
    if (isIP(host) !== 0) return { state: stateOf([host], port), observe: () => () => undefined };
    const key = `${host.toLowerCase()}:${port} ${refresh}`;
    const known = observed.get(key);
    if (known !== undefined) return known;
    const resolved: ResolvedHost = new ResolvedHost({
      ...{ host, port, refresh, lookupHost },
      inUse: () => observed.set(key, resolved),
      unused: () => observed.delete(key),
    });
    return resolved;
  };
}

interface ResolvedHostOptions {
  readonly host: string;
  readonly port: number;
  readonly refresh: boolean;
  readonly lookupHost: LookupHost;
  inUse(): void;
  unused(): void;
}

class ResolvedHost implements AddressSet {
  state: AddressState = { kind: 'pending' };
  readonly #options: ResolvedHostOptions;
  readonly #listeners = new Listeners<AddressChange>();
  #timer: NodeJS.Timeout | undefined;
  #isResolving = false;

  constructor(options: ResolvedHostOptions) {
    this.#options = options;
  }

  observe(listener: (change: AddressChange) => void): () => void {
    if (this.#listeners.isEmpty) this.#options.inUse();
    const remove = this.#listeners.add(listener);
    if (!this.#isResolving && this.#timer === undefined) void this.#resolve();
    return () => {
      if (!remove() || !this.#listeners.isEmpty) return;
      clearTimeout(this.#timer);
      this.#timer = undefined;
      this.#options.unused();
    };
  }

  async #resolve(): Promise<void> {
    const { host, port, refresh, lookupHost } = this.#options;
    this.#isResolving = true;
    const state = await lookupHost(host).then(
      (addresses) => stateOf(addresses, port),
      (error: unknown) => this.#failed(error),
    );
    this.#isResolving = false;
    if (this.#listeners.isEmpty) return;
    if (refresh) this.#timer = setTimeout(() => void this.#resolve(), AGAIN_MS).unref();
    if (JSON.stringify(state) === JSON.stringify(this.state)) return;
    this.state = state;
    this.#listeners.tell(RESET);
  }

  #failed(error: unknown): AddressState {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    if (code === 'ENOTFOUND' || code === 'ENODATA') return { kind: 'neg' };
    // The last good addresses count for longer than the resolver's troubles.
    if (this.state.kind === 'bound') return this.state;
    return { kind: 'failed', reason: `'${this.#options.host}' cannot be resolved (${code})` };
  }
}

function stateOf(addresses: readonly string[], port: number): AddressState {
  const endpoints = addresses.filter((address) => !isLinkLocal(address)).map((address) => endpointAt(address, port));
  if (endpoints.length > 0) return { kind: 'bound', endpoints };
  return { kind: 'failed', reason: 'link-local addresses are never routed to' };
}

function endpointAt(address: string, port: number): Endpoint {
  return {
    ...{ service: `${address}:${port}`, instance: `${address}:${port}`, address, port },
    ...{ ports: [], agentId: '-', agentAddress: address, weight: 1, state: 'ready', startedAt: null, labels: {} },
  };
}

async function lookupAll(host: string): Promise<readonly string[]> {
  return (await lookup(host, { all: true })).map(({ address }) => address);
}
