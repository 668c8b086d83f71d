/** Layers of parameters: all whose prefix matches a name, in the order written; later ones win, key by key. */

import type { Path } from '../routing/path.ts';
import { type Captures, PathMatcher } from '../routing/path-matcher.ts';

export interface MatchedLayer<Layer> {
  readonly layer: Layer;
  /** What the layer's prefix captured of the name. */
  readonly captures: Captures;
}

export class Layers<Layer extends { readonly prefix: string }> {
  private readonly layers: readonly { readonly layer: Layer; readonly matcher: PathMatcher }[];

  constructor(configs: readonly Layer[]) {
    this.layers = configs.map((layer) => ({ layer, matcher: new PathMatcher(layer.prefix) }));
  }

  matching(name: Path): MatchedLayer<Layer>[] {
    return this.layers.flatMap(({ layer, matcher }) => {
      const match = matcher.match(name);
      return match === null ? [] : [{ layer, captures: match.captures }];
    });
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
