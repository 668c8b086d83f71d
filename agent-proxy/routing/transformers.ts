/**
 * Transformers: what is done to names after they are bound. Those that change addresses put `/%/<kind>/...` in front of
 * the id, so that a client of transformed addresses is another client.
 */
import type { Endpoint } from '../control/contract.ts';
import type { Activity, ActivityState } from './activity.ts';
import type { BoundTree, Outcome } from './evaluation.ts';
import { GatewayAddresses } from './gateway-addresses.ts';
import { type EndpointMap, MappedAddresses } from './mapped-addresses.ts';
import { leaf, mapLeaves, type NameTree, simplify } from './name-tree.ts';
import type { AddressSet, BoundName, Namer, NamerLeaf } from './names.ts';
import type { Path } from './path.ts';
import { subnetOf } from './subnet.ts';

export type Transformer =
  | {
      readonly kind: 'addresses';
      /** What is put in front of ids: `['%', 'io.l5d.port', '4141']`. */
      readonly prefix: Path;
      /** The same result for the same set: it is told from others by its identity. */
      readonly adapt: (addresses: AddressSet) => AddressSet;
    }
  /** Each bound name becomes `path`; a name that is not bound stays so. */
  | { readonly kind: 'replace'; readonly prefix: Path; readonly path: Path }
  /** Whatever the name was bound to, or not, becomes `path`. */
  | { readonly kind: 'const'; readonly prefix: Path; readonly path: Path };

/**
 * `io.l5d.port`: the port of the proxy (or whatever listens there) on the endpoint's agent. Instances stay apart, also
 * those of one agent: linkerd would take five of them for one address, and give the agent a fifth of its share.
 */
export function portTransformer(port: number): Transformer {
  const toPort: EndpointMap = (endpoint) => ({ ...endpoint, address: endpoint.agentAddress, port });
  return addressTransformer(['io.l5d.port', String(port)], toPort);
}

/** `io.l5d.localhost`. Which endpoints are on this machine the caller knows: by agent in the mesh, by address elsewhere. */
export function localhostTransformer(isLocal: (endpoint: Endpoint) => boolean): Transformer {
  return addressTransformer(['io.l5d.localhost'], (endpoint) => (isLocal(endpoint) ? endpoint : null));
}

/** `io.l5d.specificHost`, given the addresses of that host. */
export function specificHostTransformer(hostAddresses: readonly string[]): Transformer {
  const isThere = ({ address, agentAddress }: Endpoint): boolean =>
    hostAddresses.includes(address) || hostAddresses.includes(agentAddress);
  return addressTransformer(['io.l5d.specificHost'], (endpoint) => (isThere(endpoint) ? endpoint : null));
}

export function replaceTransformer(path: Path): Transformer {
  return { kind: 'replace', prefix: ['%', 'io.l5d.replace'], path };
}

export function constTransformer(path: Path): Transformer {
  return { kind: 'const', prefix: ['%', 'io.l5d.const'], path };
}

/** Keeps the addresses in the subnet of `own`, such as `io.l5d.k8s.localnode`. `bits` is the length of the netmask. */
export function subnetLocalTransformer(name: Path, own: string, bits: number): Transformer {
  const here = subnetOf(own, bits);
  if (here === null) throw new Error(`${own} is not an IP address, so it has no subnet of ${bits} bits`);
  return addressTransformer(name, (endpoint) => (subnetOf(endpoint.address, bits) === here ? endpoint : null));
}

/** Sends to the gateway in the subnet of each address, such as `io.l5d.k8s.daemonset`. Without one it is dropped. */
export function subnetGatewayTransformer(name: Path, gateways: AddressSet, bits: number): Transformer {
  const adapt = remembered((addresses) => new GatewayAddresses(addresses, gateways, bits));
  return { kind: 'addresses', prefix: ['%', ...name], adapt };
}

function addressTransformer(name: Path, map: EndpointMap): Transformer {
  const adapt = remembered((addresses) => new MappedAddresses(addresses, map));
  return { kind: 'addresses', prefix: ['%', ...name], adapt };
}

function remembered(adapt: (addresses: AddressSet) => AddressSet): (addresses: AddressSet) => AddressSet {
  const adapted = new WeakMap<AddressSet, AddressSet>();
  return (addresses) => {
    const known = adapted.get(addresses) ?? adapt(addresses);
    adapted.set(addresses, known);
    return known;
  };
}

/** Applies transformers in their order. `bind` looks up the path of a transformer. */
export function transformOutcome(
  outcome: Outcome,
  transformers: readonly Transformer[],
  bind: (path: Path) => Outcome,
): Outcome {
  let transformed = outcome;
  for (const transformer of transformers) {
    if (transformer.kind === 'const') transformed = prefixed(bind(transformer.path), transformer.prefix);
    else if (transformed.kind === 'ok') transformed = transformTree(transformed.value, transformer, bind);
  }
  return transformed;
}

function transformTree(
  tree: BoundTree,
  transformer: Exclude<Transformer, { kind: 'const' }>,
  bind: (path: Path) => Outcome,
): Outcome {
  if (transformer.kind === 'addresses') {
    return { kind: 'ok', value: mapLeaves(tree, (bound) => leaf(transformBound(bound, transformer))) };
  }
  if (tree.kind === 'neg' || tree.kind === 'fail' || tree.kind === 'empty') return { kind: 'ok', value: tree };
  const replacement = prefixed(bind(transformer.path), transformer.prefix);
  if (replacement.kind !== 'ok') return replacement;
  return { kind: 'ok', value: simplify(mapLeaves(tree, () => replacement.value)) };
}

export function transformBound(bound: BoundName, transformer: Extract<Transformer, { kind: 'addresses' }>): BoundName {
  const { id, residual, addresses } = bound;
  return { id: [...transformer.prefix, ...id], residual, addresses: transformer.adapt(addresses) };
}

function prefixed(outcome: Outcome, prefix: Path): Outcome {
  if (outcome.kind !== 'ok') return outcome;
  const value = mapLeaves(outcome.value, (bound) => leaf({ ...bound, id: [...prefix, ...bound.id] }));
  return { kind: 'ok', value };
}

/**
 * A namer with the transformers that its configuration gives it. `replace` and `const` answer with their path, which is
 * looked up as any other, so that the ids of what it leads to say nothing of the transformer.
 */
export function transformNamer(namer: Namer, transformers: readonly Transformer[]): Namer {
  if (transformers.length === 0) return namer;
  const transform = (tree: NameTree<NamerLeaf>): NameTree<NamerLeaf> => transformers.reduce(transformAnswer, tree);
  return { prefix: namer.prefix, lookup: (rest) => mapActivity(namer.lookup(rest), transform) };
}

function transformAnswer(tree: NameTree<NamerLeaf>, transformer: Transformer): NameTree<NamerLeaf> {
  if (transformer.kind === 'const') return leaf({ kind: 'path', path: transformer.path });
  return mapLeaves(tree, (answer): NameTree<NamerLeaf> => {
    if (transformer.kind === 'replace') return leaf({ kind: 'path', path: transformer.path });
    return leaf(answer.kind === 'path' ? answer : { kind: 'bound', bound: transformBound(answer.bound, transformer) });
  });
}

function mapActivity<T, U>(activity: Activity<T>, map: (value: T) => U): Activity<U> {
  return {
    get state(): ActivityState<U> {
      const { state } = activity;
      return state.kind === 'ok' ? { kind: 'ok', value: map(state.value) } : state;
    },
    observe: (listener) => activity.observe(listener),
  };
}
