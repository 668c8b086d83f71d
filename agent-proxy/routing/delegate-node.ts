/** The answer of `/delegator.json` and namerd's `/api/1/delegate`, as JSON. */
import type { DentryJson } from './dtab.ts';

/** Where a node stands: the path that was looked up, and the dentry that led there, if one did. */
export interface DelegatePlace {
  readonly path?: string;
  readonly dentry?: DentryJson;
}

export type DelegateNode = DelegatePlace &
  (
    | { readonly type: 'delegate'; readonly delegate: DelegateNode }
    | { readonly type: 'alt'; readonly alt: readonly DelegateNode[] }
    | { readonly type: 'union'; readonly union: readonly DelegateBranch[] }
    | { readonly type: 'leaf'; readonly bound: DelegateBound }
    | { readonly type: 'neg' | 'fail' | 'empty' }
    | { readonly type: 'exception'; readonly message: string }
    | {
        readonly type: 'transformation';
        readonly name: string;
        /** What was bound before the transformer. */
        readonly bound: DelegateBound;
        readonly tree: DelegateNode;
      }
  );

export interface DelegateBranch {
  readonly weight: number;
  readonly tree: DelegateNode;
}

export interface DelegateBound {
  readonly addr: DelegateAddresses;
  readonly id: string;
  /** What is left of the path, `/` if nothing is. */
  readonly path: string;
}

export type DelegateAddresses =
  | { readonly type: 'neg' | 'pending' }
  | { readonly type: 'failed'; readonly cause: string }
  | {
      readonly type: 'bound';
      readonly addrs: readonly DelegateAddress[];
      readonly meta: Readonly<Record<string, never>>;
    };

export interface DelegateAddress {
  readonly ip: string;
  readonly port: number;
  readonly meta: Readonly<Record<string, string | number>>;
}
