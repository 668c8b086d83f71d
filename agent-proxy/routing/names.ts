/**
 * What names are bound to: sets of addresses that change, and who knows them (namers). Everything here is synchronous and
 * observable; what does I/O stands behind these interfaces (`namers/`).
 */
import type { Endpoint } from '../control/contract.ts';
import type { Activity, Unsubscribe } from './activity.ts';
import type { NameTree } from './name-tree.ts';
import type { Path } from './path.ts';

/**
 * - `pending`: not known yet.
 * - `neg`: there is no such thing; `reason` says what exactly, where that is known.
 * - `failed`: it could not be found out; never after it was `bound` once.
 * - `bound`: these endpoints, perhaps none.
 */
export type AddressState =
  | { readonly kind: 'pending' }
  | { readonly kind: 'neg'; readonly reason?: string }
  | { readonly kind: 'failed'; readonly reason: string }
  | { readonly kind: 'bound'; readonly endpoints: readonly Endpoint[] };

/** `reset`: read `state` anew. `patch`: some endpoints are new or different, some instances are gone. */
export type AddressChange =
  | { readonly kind: 'reset' }
  | {
      readonly kind: 'patch';
      readonly set: readonly Endpoint[];
      readonly unset: readonly string[];
      readonly size: number;
    };

/** The addresses of one bound name. Observed, it is kept up to date. */
export interface AddressSet {
  readonly state: AddressState;
  observe(listener: (change: AddressChange) => void): Unsubscribe;
}

/** A concrete name: `/#/io.l5d.marathon/web`, what is left of the path behind it, and its addresses. */
export interface BoundName {
  /** With all transformers that it went through: `/%/io.l5d.port/4141/#/io.l5d.marathon/web`. */
  readonly id: Path;
  readonly residual: Path;
  readonly addresses: AddressSet;
}

/** What a namer answers at a leaf: another path to look up, or an end. */
export type NamerLeaf =
  | { readonly kind: 'path'; readonly path: Path }
  | { readonly kind: 'bound'; readonly bound: BoundName };

/** A configured namer: answers for paths `/#/<prefix>/…`. */
export interface Namer {
  /** Below `/#`: `['io.l5d.marathon']`. */
  readonly prefix: Path;
  /** `rest` is what follows the prefix. The same `rest` may be asked for many times; nothing is kept unobserved. */
  lookup(rest: Path): Activity<NameTree<NamerLeaf>>;
}
