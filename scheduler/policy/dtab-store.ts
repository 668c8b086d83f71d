/**
 * The namespaces of dtabs: kept in the state store, and in memory as they are there. A write is taken when the store has
 * it, and told to everybody then; one that the store does not take changes nothing.
 *
 * Where the store cannot say whether it took a write, the namespace is read again until that is known, and what is there
 * counts. Writes come one after the other: there are few, and each may look at what the one before it left.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { MAX_DOCUMENT_BYTES } from '../../agent-proxy/control/contract.ts';
import type { Activity } from '../../agent-proxy/routing/activity.ts';
import { type Dtab, EMPTY_DTAB, readDtab, showDtab } from '../../agent-proxy/routing/dtab.ts';
import { Listeners } from '../../agent-proxy/routing/listeners.ts';
import { DEFAULT_NAMESPACE } from '../../agent-proxy/routing/table-names/namespace.ts';
import { type StateStore, StateStoreError, VersionConflict, type Versioned } from '../../framework/index.ts';
import {
  type NamespaceRecord,
  type NamespaceVersion,
  namespaceRecordSchema,
  nextRecord,
  versionsOf,
} from './namespace-record.ts';

const BUILT_IN = readDtab(DEFAULT_NAMESPACE.dtab);

const PREFIX = 'dtabs';
const NAME = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}$/;
/** Each is told to every proxy. Those that were deleted count too, until their place is needed. */
const MAX_NAMESPACES = 1_000;
const MAX_WAITING = 100;
/** Before a namespace of which the store does not say what it has is read again. */
const RELOAD_MS = 1_000;

/** A namespace as it is now. */
export interface Namespace {
  readonly name: string;
  readonly version: number;
  /** As it was written. */
  readonly text: string;
  readonly dtab: Dtab;
}

/**
 * - `absent`: the namespace must not be there; `present`: it must be.
 * - `version`: it must be there in this version; null stands for one that it cannot have.
 */
export type WriteCondition =
  | { readonly kind: 'absent' | 'present' | 'any' }
  | { readonly kind: 'version'; readonly version: number | null };

export interface DtabWrite {
  /** What can be read as a dtab; null deletes the namespace. */
  readonly text: string | null;
  readonly condition: WriteCondition;
  readonly by: string;
  /** In a few words. */
  readonly what: string;
  /** Names that the change would take away; where there are any it is not made. */
  check?(before: Dtab, after: Dtab): Promise<readonly string[]>;
}

export type WriteOutcome =
  | { readonly kind: 'written'; readonly from: number | null; readonly version: number }
  | { readonly kind: 'exists' | 'missing' | 'full' | 'busy' }
  /** It has this version, and another one was expected. */
  | { readonly kind: 'stale'; readonly version: number }
  | { readonly kind: 'unbinds'; readonly names: readonly string[] };

export interface DtabStoreOptions {
  readonly store: StateStore;
  /** What `default` says where it never was. */
  readonly firstDtab?: string;
  /** Milliseconds since the epoch. */
  now(): number;
  /** Somebody else writes to the store: another scheduler may lead. */
  conflict(error: VersionConflict): void;
  readonly logger: { warn(fields: object, message: string): void };
}

interface Kept {
  readonly record: NamespaceRecord;
  /** The state store's, which the next write names. */
  readonly stored: number;
  readonly dtab: Dtab;
}

export function isNamespaceName(name: string): boolean {
  return NAME.test(name);
}

/** The dtab as proxies get it: what comments say is not for them. */
export function distributedText(text: string): string {
  return showDtab(readDtab(text));
}

/** Whether a dtab is too large, as it was written or as proxies get it. @throws DtabError where it is none */
export function isTooLarge(name: string, text: string): boolean {
  const document = { kind: 'dtab', name, version: 'AAAAAAAAAAA=', dtab: distributedText(text) };
  return Math.max(Buffer.byteLength(text), Buffer.byteLength(JSON.stringify(document))) > MAX_DOCUMENT_BYTES;
}

export class DtabStore {
  readonly #options: DtabStoreOptions;
  readonly #kept = new Map<string, Kept>();
  readonly #listeners = new Listeners<string>();
  /** What the store has of these is not known. */
  readonly #doubtful = new Set<string>();
  readonly #closed = new AbortController();
  #tail: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  private constructor(options: DtabStoreOptions) {
    this.#options = options;
  }

  /** Reads all. The namespace `default` is made where it never was. @throws {StateStoreError} */
  static async open(options: DtabStoreOptions): Promise<DtabStore> {
    const dtabs = new DtabStore(options);
    for (const key of await options.store.list(PREFIX)) await dtabs.#reload(key.slice(PREFIX.length + 1));
    if (!dtabs.#kept.has(DEFAULT_NAMESPACE.name)) {
      const text = options.firstDtab ?? DEFAULT_NAMESPACE.dtab;
      await dtabs.#put(DEFAULT_NAMESPACE.name, { text, by: 'nodemesh', what: 'first start' });
    }
    return dtabs;
  }

  /** Tells nobody anything any more. What is being written is written to its end. */
  async close(): Promise<void> {
    this.#closed.abort();
    await this.#tail;
  }

  /** Names, sorted. */
  names(): string[] {
    return [...this.#kept].flatMap(([name, { record }]) => (record.dtab === null ? [] : [name])).sort();
  }

  get(name: string): Namespace | null {
    const kept = this.#kept.get(name);
    if (kept === undefined || kept.record.dtab === null) return null;
    return { name, version: kept.record.version, text: kept.record.dtab, dtab: kept.dtab };
  }

  /** Every version that is known, the newest first; also of a namespace that was deleted. Empty where there never was one. */
  history(name: string): NamespaceVersion[] {
    const kept = this.#kept.get(name);
    return kept === undefined ? [] : versionsOf(kept.record);
  }

  /** The listener is called with the name of each namespace that changed. Returns how to stop. */
  onChange(listener: (name: string) => void): () => void {
    return this.#listeners.add(listener);
  }

  /** The dtab of a namespace, for as long as it is observed; while there is none of the name, what proxies do without. */
  dtabOf(name: string): Activity<Dtab> {
    let last: { readonly kind: 'ok'; readonly value: Dtab } | null = null;
    const now = (): { readonly kind: 'ok'; readonly value: Dtab } => {
      const value = this.#kept.get(name)?.dtab ?? absentDtab(name);
      if (last === null || last.value !== value) last = { kind: 'ok', value };
      return last;
    };
    return {
      get state() {
        return now();
      },
      observe: (listener) => {
        const stop = this.onChange((changed) => {
          if (changed === name) listener();
        });
        return () => void stop();
      },
    };
  }

  /**
   * Writes a namespace; durable when it resolves to `written`.
   * @throws DtabError where the text is no dtab
   * @throws {StateStoreError | VersionConflict} where the store does not take it, or does not say whether it did
   */
  async write(name: string, write: DtabWrite): Promise<WriteOutcome> {
    const after = write.text === null ? absentDtab(name) : readDtab(write.text);
    if (this.#waiting >= MAX_WAITING) return { kind: 'busy' };
    this.#waiting += 1;
    const turn = async (): Promise<WriteOutcome> => {
      try {
        return await this.#write(name, write, after);
      } finally {
        this.#waiting -= 1;
      }
    };
    const outcome = this.#tail.then(turn);
    // Whether it failed is the business of its own caller.
    this.#tail = outcome.catch(() => undefined);
    return await outcome;
  }

  async #write(name: string, write: DtabWrite, after: Dtab): Promise<WriteOutcome> {
    if (this.#doubtful.has(name)) await this.#reload(name);
    const before = this.get(name);
    const refused = refusalOf(write.condition, before);
    if (refused !== null) return refused;
    if (write.check !== undefined) {
      const names = await write.check(before?.dtab ?? absentDtab(name), after);
      if (names.length > 0) return { kind: 'unbinds', names };
    }
    if (!this.#kept.has(name) && !(await this.#makeRoom())) return { kind: 'full' };
    const version = await this.#put(name, write);
    return { kind: 'written', from: before?.version ?? null, version };
  }

  async #put(name: string, { text, by, what }: { text: string | null; by: string; what: string }): Promise<number> {
    const kept = this.#kept.get(name);
    const record = nextRecord(kept?.record ?? null, { dtab: text, at: this.#options.now(), by, what });
    let stored: number;
    try {
      stored = await this.#options.store.put(keyOf(name), record, kept?.stored ?? null);
    } catch (error) {
      this.#doubt(name, error);
      throw error;
    }
    this.#take(name, { value: record, version: stored });
    return record.version;
  }

  /** Forgets the namespace that was deleted longest ago, where all places are taken. False: none was deleted. */
  async #makeRoom(): Promise<boolean> {
    if (this.#kept.size < MAX_NAMESPACES) return true;
    const deleted = [...this.#kept].filter(([, { record }]) => record.dtab === null);
    const [oldest] = deleted.sort(([, a], [, b]) => a.record.at - b.record.at);
    if (oldest === undefined) return false;
    const [name, { stored }] = oldest;
    try {
      await this.#options.store.delete(keyOf(name), stored);
    } catch (error) {
      this.#doubt(name, error);
      throw error;
    }
    this.#kept.delete(name);
    return true;
  }

  #doubt(name: string, error: unknown): void {
    if (error instanceof VersionConflict) this.#options.conflict(error);
    if (this.#doubtful.has(name)) return;
    this.#doubtful.add(name);
    void this.#settle(name);
  }

  /** Reads what the store has, as soon as it answers. */
  async #settle(name: string): Promise<void> {
    const { signal } = this.#closed;
    while (this.#doubtful.has(name)) {
      await delay(RELOAD_MS, undefined, { signal, ref: false }).catch(() => undefined);
      if (signal.aborted) return;
      try {
        await this.#reload(name);
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        this.#options.logger.warn({ namespace: name, why }, 'it is not known what the state store has of a namespace');
      }
    }
  }

  async #reload(name: string): Promise<void> {
    const found = await this.#options.store.get(keyOf(name));
    this.#doubtful.delete(name);
    if (found !== null) this.#take(name, found);
    else if (this.#kept.delete(name)) this.#tell(name);
  }

  /** What the store has. */
  #take(name: string, { value, version: stored }: Versioned): void {
    const parsed = namespaceRecordSchema.safeParse(value);
    if (!parsed.success) throw damaged(name);
    const record = parsed.data;
    const before = this.#kept.get(name);
    this.#kept.set(name, { record, stored, dtab: dtabIn(name, record) });
    if (before?.record.version !== record.version) this.#tell(name);
  }

  #tell(name: string): void {
    if (!this.#closed.signal.aborted) this.#listeners.tell(name);
  }
}

function refusalOf(condition: WriteCondition, before: Namespace | null): WriteOutcome | null {
  switch (condition.kind) {
    case 'any':
      return null;
    case 'absent':
      return before === null ? null : { kind: 'exists' };
    case 'present':
      return before === null ? { kind: 'missing' } : null;
    case 'version':
      if (before === null) return { kind: 'missing' };
      return before.version === condition.version ? null : { kind: 'stale', version: before.version };
  }
}

/** What counts where there is no namespace of a name: its built-in text for `default`, nothing for any other. */
function absentDtab(name: string): Dtab {
  return name === DEFAULT_NAMESPACE.name ? BUILT_IN : EMPTY_DTAB;
}

function dtabIn(name: string, { dtab }: NamespaceRecord): Dtab {
  if (dtab === null) return absentDtab(name);
  try {
    return readDtab(dtab);
  } catch {
    // Only what can be read is ever written.
    throw damaged(name);
  }
}

function damaged(name: string): StateStoreError {
  return new StateStoreError(
    `state key ${keyOf(name)} does not hold what this version writes; restore it from a backup, or delete it to forget the namespace`,
  );
}

const keyOf = (name: string): string => `${PREFIX}/${name}`;
