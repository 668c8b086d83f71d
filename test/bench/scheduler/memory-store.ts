/** A state store without a disk: what is written is made into JSON, as for every real one, and its size is kept. */
import { type StateStore, VersionConflict, type Versioned } from '../../../framework/state/state-store.ts';

export class MemoryStore implements StateStore {
  readonly #records = new Map<string, { readonly text: string; readonly version: number }>();
  #largest = { key: '', bytes: 0 };

  /** The largest record that was ever written. */
  get largest(): { readonly key: string; readonly bytes: number } {
    return this.#largest;
  }

  /** What ZooKeeper answers when it is asked for the children: each name, and its length in four bytes. */
  bytesOfNamesBelow(prefix: string): number {
    const names = [...this.#records.keys()].filter((key) => key.startsWith(`${prefix}/`));
    return names.reduce((sum, key) => sum + 4 + key.length - prefix.length - 1, 0);
  }

  get(key: string): Promise<Versioned | null> {
    const found = this.#records.get(key);
    if (found === undefined) return Promise.resolve(null);
    const value: unknown = JSON.parse(found.text);
    return Promise.resolve({ value, version: found.version });
  }

  async put(key: string, value: unknown, expected: number | null): Promise<number> {
    const found = this.#records.get(key)?.version ?? null;
    if (found !== expected) throw new VersionConflict(key, expected, found);
    const text = JSON.stringify(value);
    const bytes = Buffer.byteLength(text);
    if (bytes > this.#largest.bytes) this.#largest = { key, bytes };
    const version = (found ?? 0) + 1;
    this.#records.set(key, { text, version });
    return version;
  }

  async delete(key: string, expected: number): Promise<void> {
    const found = this.#records.get(key)?.version ?? null;
    if (found !== expected) throw new VersionConflict(key, expected, found);
    this.#records.delete(key);
  }

  list(prefix: string): Promise<string[]> {
    return Promise.resolve([...this.#records.keys()].filter((key) => key.startsWith(`${prefix}/`)));
  }

  clear(): Promise<void> {
    this.#records.clear();
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
