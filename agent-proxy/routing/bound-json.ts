/**
 * Bound names as namerd and linkerd's delegator write them in JSON: a tree of them, what one leads to, and the addresses of
 * that.
 */
import type { DelegateAddresses, DelegateBound, DelegateNode } from './delegate-node.ts';
import type { BoundTree } from './evaluation.ts';
import type { AddressSet, AddressState, BoundName } from './names.ts';
import { showPath } from './path.ts';

/** What a set of addresses is now; whoever provides it may remember that it was asked. */
export type ReadAddresses = (addresses: AddressSet) => AddressState;

/** As the delegator's nodes, without the paths and dentries that led there. */
export function treeJson(tree: BoundTree, read: ReadAddresses): DelegateNode {
  switch (tree.kind) {
    case 'leaf':
      return { type: 'leaf', bound: boundJson(tree.value, read) };
    case 'alt':
      return { type: 'alt', alt: tree.trees.map((child) => treeJson(child, read)) };
    case 'union': {
      const union = tree.branches.map(({ weight, tree: child }) => ({ weight, tree: treeJson(child, read) }));
      return { type: 'union', union };
    }
    case 'neg':
    case 'fail':
    case 'empty':
      return { type: tree.kind };
  }
}

export function boundJson({ id, residual, addresses }: BoundName, read: ReadAddresses): DelegateBound {
  return { addr: addressesJson(read(addresses)), id: showPath(id), path: showPath(residual) };
}

export function addressesJson(state: AddressState): DelegateAddresses {
  if (state.kind === 'failed') return { type: 'failed', cause: state.reason };
  if (state.kind !== 'bound') return { type: state.kind };
  const addrs = state.endpoints.map(({ address, port, weight }) => {
    return { ip: address, port, meta: weight === 1 ? {} : { endpoint_addr_weight: weight } };
  });
  return { type: 'bound', addrs, meta: {} };
}
