/** A namer whose answers a test sets, and address sets to bind to. */
import type { Endpoint } from '../../../agent-proxy/control/contract.ts';
import { type Activity, Var } from '../../../agent-proxy/routing/activity.ts';
import { leaf, type NameTree, NEG } from '../../../agent-proxy/routing/name-tree.ts';
import type { AddressChange, AddressSet, AddressState, Namer, NamerLeaf } from '../../../agent-proxy/routing/names.ts';
import { type Path, readPath, showPath } from '../../../agent-proxy/routing/path.ts';

export function endpoint(instance: string, changes: Partial<Endpoint> = {}): Endpoint {
  const address = changes.address ?? '10.0.0.1';
  return {
    service: 'web',
    instance,
    address,
    port: 31_000,
    ports: [],
    agentId: 'agent-1',
    agentAddress: address,
    weight: 1,
    state: 'ready',
    startedAt: null,
    labels: {},
    ...changes,
  };
}

export class StandInAddresses implements AddressSet {
  state: AddressState;
  private readonly listeners = new Set<(change: AddressChange) => void>();

  constructor(...endpoints: readonly Endpoint[]) {
    this.state = { kind: 'bound', endpoints };
  }

  get observers(): number {
    return this.listeners.size;
  }

  observe(listener: (change: AddressChange) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  reset(state: AddressState): void {
    this.state = state;
    for (const listener of this.listeners) listener({ kind: 'reset' });
  }

  patch(set: readonly Endpoint[], unset: readonly string[]): void {
    const before = this.state.kind === 'bound' ? this.state.endpoints : [];
    const isTouched = (instance: string): boolean =>
      unset.includes(instance) || set.some((changed) => changed.instance === instance);
    const endpoints = [...before.filter(({ instance }) => !isTouched(instance)), ...set];
    this.state = { kind: 'bound', endpoints };
    for (const listener of this.listeners) listener({ kind: 'patch', set, unset, size: endpoints.length });
  }
}

/** The addresses of an inet name; they can be told by what they were made for. */
export function standInInet(host: string, port: number, refresh: boolean): AddressSet {
  const key = `${host} ${port}${refresh ? '' : ' fixed'}`;
  const known = INET.get(key) ?? new StandInAddresses(endpoint(`${host}:${port}`, { address: host, port }));
  INET.set(key, known);
  return known;
}
const INET = new Map<string, StandInAddresses>();

/** Answers Neg for what it was told nothing about. */
export class StandInNamer implements Namer {
  readonly prefix: Path;
  lookups = 0;
  private readonly answers = new Map<string, Var<NameTree<NamerLeaf>>>();

  constructor(prefix: string) {
    this.prefix = readPath(prefix);
  }

  lookup(rest: Path): Activity<NameTree<NamerLeaf>> {
    this.lookups += 1;
    return this.answer(showPath(rest));
  }

  /** `name` is what follows the prefix. */
  binds(name: string, addresses: AddressSet = new StandInAddresses(endpoint('one'))): AddressSet {
    const id = ['#', ...this.prefix, ...readPath(name)];
    this.answer(name).ok(leaf({ kind: 'bound', bound: { id, residual: [], addresses } }));
    return addresses;
  }

  says(name: string, tree: NameTree<NamerLeaf>): void {
    this.answer(name).ok(tree);
  }

  fails(name: string, reason: string): void {
    this.answer(name).failed(reason);
  }

  waits(name: string): void {
    this.answers.set(name, new Var());
  }

  isAsked(name: string): boolean {
    return this.answer(name).isObserved;
  }

  private answer(name: string): Var<NameTree<NamerLeaf>> {
    const known = this.answers.get(name) ?? new Var<NameTree<NamerLeaf>>({ kind: 'ok', value: NEG });
    this.answers.set(name, known);
    return known;
  }
}
