/** Layers of parameters: all whose prefix matches a name, in the order written; later ones win, key by key. */

import type { Path } from '../routing/path.ts';
import { type Captures, PathMatcher } from '../routing/path-matcher.ts';

export interface MatchedLayer<Layer> {
  readonly layer: Layer;
  /** What the layer's prefix captured of the name. */
  readonly captures: Captures;
}

const NO_CAPTURES: Captures = new Map();

/** `Result` is what matching layers come to. Thousands of names with the same layers share one. */
export class Layers<Layer extends { readonly prefix: string }, Result extends object> {
  private readonly layers: readonly { readonly layer: Layer; readonly matcher: PathMatcher }[];
  /** By the positions of the layers. As many as there are combinations that a configuration's prefixes make. */
  private readonly results = new Map<string, Result>();

  constructor(configs: readonly Layer[]) {
    this.layers = configs.map((layer) => ({ layer, matcher: new PathMatcher(layer.prefix) }));
  }

  /**
   * What `put` makes of the layers that match, and of those `over` them, which match whatever the name is; made once where
   * the name itself has no say in it.
   */
  once(name: Path, put: (matching: readonly MatchedLayer<Layer>[]) => Result, over: readonly Layer[] = []): Result {
    const matching: MatchedLayer<Layer>[] = [];
    const positions: number[] = [];
    let isOwn = false;
    this.layers.forEach(({ layer, matcher }, position) => {
      const match = matcher.match(name);
      if (match === null) return;
      matching.push({ layer, captures: match.captures });
      positions.push(position);
      if (match.captures.size > 0) isOwn = true;
    });
    for (const layer of over) matching.push({ layer, captures: NO_CAPTURES });
    if (isOwn || over.length > 0) return put(matching);
    const key = positions.join();
    const known = this.results.get(key);
    if (known !== undefined) return known;
    const result = put(matching);
    this.results.set(key, result);
    return result;
  }
}

/** Some keys of a block: what is missing or undefined is not said. */
export type Some<Block> = { readonly [Key in keyof Block]?: Block[Key] | undefined };

/** The block with the keys that `over` has. */
export function override<Block extends object>(block: Block, over: Some<Block> | undefined): Block {
  const result = { ...block };
  if (over === undefined) return result;
  for (const key in block) {
    const value = over[key];
    if (value !== undefined) result[key] = value;
  }
  return result;
}
