/** Keys of the state store that one part of the scheduler alone writes: it knows their versions, unless a write failed. */
import type { z } from 'zod';
import { type StateStore, StateStoreError, VersionConflict } from '../../framework/index.ts';

export class KeptState {
  readonly #store: StateStore;
  readonly #versions = new Map<string, number>();
  /** Whether what was written last arrived, nobody knows. */
  readonly #doubtful = new Set<string>();

  constructor(store: StateStore) {
    this.#store = store;
  }

  /** Undefined where the key is not there. @throws {StateStoreError} where it does not hold what this version writes. */
  async read<T>(key: string, schema: z.ZodType<T>): Promise<T | undefined> {
    const stored = await this.#store.get(key);
    if (stored === null) return undefined;
    const parsed = schema.safeParse(stored.value);
    if (!parsed.success) {
      throw new StateStoreError(
        `state key ${key} does not hold what this version writes; restore it, or start with an empty store`,
      );
    }
    this.#versions.set(key, stored.version);
    return parsed.data;
  }

  list(prefix: string): Promise<string[]> {
    return this.#store.list(prefix);
  }

  /** @throws {StateStoreError} {@link VersionConflict} where another scheduler has written it. */
  async write(key: string, value: unknown): Promise<void> {
    if (this.#doubtful.has(key)) await this.#look(key);
    try {
      this.#versions.set(key, await this.#store.put(key, value, this.#versions.get(key) ?? null));
    } catch (error) {
      if (!(error instanceof VersionConflict)) this.#doubtful.add(key);
      throw error;
    }
  }

  async remove(key: string): Promise<void> {
    if (this.#doubtful.has(key)) await this.#look(key);
    const version = this.#versions.get(key);
    if (version === undefined) return;
    try {
      await this.#store.delete(key, version);
      this.#versions.delete(key);
    } catch (error) {
      if (!(error instanceof VersionConflict)) this.#doubtful.add(key);
      throw error;
    }
  }

  async #look(key: string): Promise<void> {
    const stored = await this.#store.get(key);
    if (stored === null) this.#versions.delete(key);
    else this.#versions.set(key, stored.version);
    this.#doubtful.delete(key);
  }
}
