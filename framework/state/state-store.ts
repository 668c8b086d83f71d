/**
 * Where the scheduler keeps what it must not forget. Keys are paths of `[A-Za-z0-9._-]` segments (`agents/<id>`), values
 * JSON. Every write is conditional on the version that was read, so that of two leaders only one can win.
 */
export interface Versioned {
  readonly value: unknown;
  /** Grows with each write of the key; what `put` and `delete` compare. */
  readonly version: number;
}

export interface StateStore {
  get(key: string): Promise<Versioned | null>;
  /** Durable when it resolves. `expected` null: the key must not exist. Returns the new version. @throws {VersionConflict} */
  put(key: string, value: unknown, expected: number | null): Promise<number>;
  /** @throws {VersionConflict} */
  delete(key: string, expected: number): Promise<void>;
  /** Keys directly below a prefix, e.g. `agents` → `['agents/a', 'agents/b']`. */
  list(prefix: string): Promise<string[]>;
  /** Deletes every key, whatever its version: nothing that was stored matters any more. */
  clear(): Promise<void>;
  close(): Promise<void>;
}

/** Somebody else wrote the key since it was read: this process must not go on as leader. */
export class VersionConflict extends Error {
  readonly key: string;

  constructor(key: string, expected: number | null, found: number | null) {
    super(
      `state key ${key} has version ${found ?? 'none'}, not ${expected ?? 'none'}: another scheduler wrote it. ` +
        'Only one scheduler may use a state store; stop the other one.',
    );
    this.name = 'VersionConflict';
    this.key = key;
  }
}

/** The store cannot be read or written: says which path and what to do. */
export class StateStoreError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'StateStoreError';
  }
}
