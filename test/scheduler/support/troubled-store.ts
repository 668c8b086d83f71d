/** A state store in memory that tests can take away: before a write is carried out, or between that and its answer. */
import {
  type StateStore,
  StateStoreError,
  VersionConflict,
  type Versioned,
} from '../../../framework/state/state-store.ts';

export class TroubledStore implements StateStore {
  /** What becomes of the next writes. */
  trouble: 'none' | 'unreachable' | 'answer-lost' = 'none';
  readonly values = new Map<string, Versioned>();
  writes = 0;
  /** So many writes more succeed; null: all. */
  failAfter: number | null = null;
  #clock = 100;

  async get(key: string): Promise<Versioned | null> {
    if (this.trouble === 'unreachable') throw new StateStoreError('no quorum');
    return this.values.get(key) ?? null;
  }

  async put(key: string, value: unknown, expected: number | null): Promise<number> {
    if (this.trouble === 'unreachable') throw new StateStoreError('no quorum');
    if (this.failAfter === 0) throw new StateStoreError('no quorum');
    if (this.failAfter !== null) this.failAfter -= 1;
    const found = this.values.get(key)?.version ?? null;
    if (found !== expected) throw new VersionConflict(key, expected, found);
    // As ZooKeeper's: they grow over all keys.
    this.#clock += 7;
    this.writes += 1;
    this.values.set(key, { value: structuredClone(value), version: this.#clock });
    if (this.trouble === 'answer-lost') throw new StateStoreError('whether it was carried out is not known');
    return this.#clock;
  }

  async delete(key: string, expected: number): Promise<void> {
    const found = this.values.get(key)?.version ?? null;
    if (found !== expected) throw new VersionConflict(key, expected, found);
    this.values.delete(key);
  }

  async list(prefix: string): Promise<string[]> {
    return [...this.values.keys()].filter((key) => key.startsWith(`${prefix}/`)).sort();
  }

  async clear(): Promise<void> {
    this.values.clear();
  }

  async close(): Promise<void> {}
}
