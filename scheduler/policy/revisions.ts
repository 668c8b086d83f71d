/** The revisions of the proxies' configuration: each in a key of its own, who wrote it, when and why, and what became of it. */
import { z } from 'zod';
import type { KeptState } from './kept-state.ts';

const PREFIX = 'config/revisions';
/** Older ones are forgotten, but for those that are in use. */
const MOST_KEPT = 200;

const revisionSchema = z.object({
  revision: z.int().min(1),
  /** Milliseconds since the epoch. */
  at: z.number(),
  author: z.string().nullable(),
  note: z.string().nullable(),
  /** The one that it was to take the place of. */
  from: z.int().nullable(),
  /** It brings back what this one said. */
  rollbackOf: z.int().nullable(),
  /** As it was written. */
  document: z.unknown(),
  /**
   * - `running`: its plan is under way.
   * - `completed`: all nodes got it, and every step held the gate.
   * - `unproven`: all nodes got it, and in some step there was too little traffic to judge by.
   * - `bad`: it did harm and was turned back; it is never applied again.
   * - `aborted`: an operator had it turned back.
   */
  status: z.enum(['running', 'completed', 'unproven', 'bad', 'aborted']),
  why: z.string().nullable(),
});
export type ConfigRevision = Readonly<z.infer<typeof revisionSchema>>;
export type RevisionStatus = ConfigRevision['status'];

/** Revision 1: what the proxies do by themselves. */
const FIRST: ConfigRevision = {
  ...{ revision: 1, at: 0, author: null, note: 'the defaults', from: null, rollbackOf: null, document: {} },
  ...{ status: 'completed', why: null },
};

export class ConfigRevisions {
  readonly #kept: KeptState;
  readonly #revisions = new Map<number, ConfigRevision>();
  /** Numbers are given once, also where the write failed. */
  #last = 1;

  constructor(kept: KeptState) {
    this.#kept = kept;
  }

  /** True where there was none, and what `first` gives, or what proxies do by themselves, is revision 1 now. @throws {StateStoreError} */
  async load(now: number, first?: () => Promise<unknown>): Promise<boolean> {
    for (const key of await this.#kept.list(PREFIX)) {
      const revision = await this.#kept.read(key, revisionSchema);
      if (revision !== undefined) this.#revisions.set(revision.revision, revision);
    }
    const isEmpty = this.#revisions.size === 0;
    if (isEmpty) {
      const document = await first?.();
      const given = document === undefined ? {} : { note: 'as the options say', document };
      await this.#put({ ...FIRST, at: now, ...given });
    }
    this.#last = Math.max(...this.#revisions.keys());
    return isEmpty;
  }

  get(revision: number): ConfigRevision | undefined {
    return this.#revisions.get(revision);
  }

  /** The newest first. */
  all(): ConfigRevision[] {
    return [...this.#revisions.values()].sort((a, b) => b.revision - a.revision);
  }

  /** Stored when it resolves. @throws {StateStoreError} and then nothing has changed. */
  async add(given: Omit<ConfigRevision, 'revision' | 'status' | 'why'>): Promise<ConfigRevision> {
    this.#last += 1;
    const revision: ConfigRevision = { revision: this.#last, ...given, status: 'running', why: null };
    await this.#put(revision);
    return revision;
  }

  /** @throws {StateStoreError} */
  async mark(revision: number, status: RevisionStatus, why: string | null): Promise<void> {
    const known = this.#revisions.get(revision);
    if (known === undefined || (known.status === status && known.why === why)) return;
    await this.#put({ ...known, status, why });
  }

  /** Forgets the oldest, but for those that are in use. @throws {StateStoreError} */
  async forgetOldest(inUse: ReadonlySet<number>): Promise<void> {
    const spare = [...this.#revisions.keys()].sort((a, b) => a - b).filter((revision) => !inUse.has(revision));
    for (const revision of spare.slice(0, Math.max(0, this.#revisions.size - MOST_KEPT))) {
      await this.#kept.remove(keyOf(revision));
      this.#revisions.delete(revision);
    }
  }

  async #put(revision: ConfigRevision): Promise<void> {
    await this.#kept.write(keyOf(revision.revision), revision);
    this.#revisions.set(revision.revision, revision);
  }
}

const keyOf = (revision: number): string => `${PREFIX}/${revision}`;
