/** Where the blocks of a moved document came from, so that what is said of them names the place that a person wrote. */
export class Origins {
  readonly #places = new WeakMap<object, string>();

  note<Block extends object>(block: Block, place: string): Block {
    this.#places.set(block, place);
    return block;
  }

  placeOf(block: object): string | undefined {
    return this.#places.get(block);
  }
}
