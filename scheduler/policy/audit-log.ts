/**
 * Who wrote what over the API: a ring in the state store, in chunks. An entry is known at once and is in the store a moment
 * later; while the store does not answer, entries wait in memory and go there together.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import type { StateStore } from '../../framework/index.ts';

const PREFIX = 'audit';
const CHUNK = 100;
/** One more than what is shown: the last one is being filled. */
const CHUNKS = 11;
/** How many entries are kept at least. */
export const MAX_AUDIT_ENTRIES = CHUNK * (CHUNKS - 1);
const MAX_TEXT = 200;
const RETRY_MS = 1_000;

const entrySchema = z.object({
  /** Counts all entries since the first start. */
  seq: z.int().min(1),
  /** Milliseconds since the epoch. */
  at: z.number(),
  /** The address that it came from, and how it proved itself. */
  who: z.string(),
  /** `PUT /api/1/dtabs/default`. */
  what: z.string(),
  /** What was written: `dtab default`. Null where only `what` says it. */
  target: z.string().nullable(),
  /** Versions, where what was written has such. */
  from: z.union([z.int(), z.string()]).nullable(),
  to: z.union([z.int(), z.string()]).nullable(),
  status: z.int().nullable(),
});
export type AuditEntry = Readonly<z.infer<typeof entrySchema>>;

const chunkSchema = z.object({ chunk: z.int().min(0), entries: z.array(entrySchema) });

export interface AuditLogOptions {
  readonly store: StateStore;
  now(): number;
  readonly logger: { warn(fields: object, message: string): void };
}

export class AuditLog {
  readonly #options: AuditLogOptions;
  /** The oldest first. */
  #entries: AuditEntry[] = [];
  /** Versions in the store, by slot. */
  readonly #versions = new Map<number, number>();
  /** Up to here they are in the store. */
  #written = 0;
  #writing: Promise<void> | null = null;
  readonly #closed = new AbortController();

  private constructor(options: AuditLogOptions) {
    this.#options = options;
  }

  /** @throws {StateStoreError} */
  static async open(options: AuditLogOptions): Promise<AuditLog> {
    const log = new AuditLog(options);
    await log.#load();
    return log;
  }

  /** The newest first, at most so many. */
  newest(limit = MAX_AUDIT_ENTRIES): AuditEntry[] {
    return this.#entries.slice(-Math.min(limit, MAX_AUDIT_ENTRIES)).reverse();
  }

  record(entry: Omit<AuditEntry, 'seq' | 'at'>): void {
    const { who, what, target, from, to, status } = entry;
    this.#entries.push({
      seq: (this.#entries.at(-1)?.seq ?? 0) + 1,
      at: this.#options.now(),
      who: short(who),
      what: short(what),
      target: target === null ? null : short(target),
      ...{ from, to, status },
    });
    if (this.#entries.length > MAX_AUDIT_ENTRIES) this.#entries.shift();
    this.#writing ??= this.#writeAll().finally(() => {
      this.#writing = null;
    });
  }

  /** Waits until all is in the store, or (once) has failed to be. */
  async close(): Promise<void> {
    this.#closed.abort();
    await this.#writing;
  }

  async #load(): Promise<void> {
    const { store } = this.#options;
    const entries: AuditEntry[] = [];
    for (const key of await store.list(PREFIX)) {
      const slot = Number(key.slice(PREFIX.length + 1));
      const found = await store.get(key);
      if (found === null) continue;
      this.#versions.set(slot, found.version);
      const parsed = chunkSchema.safeParse(found.value);
      if (parsed.success) entries.push(...parsed.data.entries);
      else this.#options.logger.warn({ key }, 'a part of the audit log cannot be read, and is left out');
    }
    this.#entries = entries.sort((a, b) => a.seq - b.seq).slice(-MAX_AUDIT_ENTRIES);
    this.#written = this.#entries.at(-1)?.seq ?? 0;
  }

  async #writeAll(): Promise<void> {
    // What is told within one turn goes out together.
    await Promise.resolve();
    for (;;) {
      const next = this.#entries.find(({ seq }) => seq > this.#written);
      if (next === undefined) return;
      try {
        await this.#writeChunk(Math.floor((next.seq - 1) / CHUNK));
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        this.#options.logger.warn({ why }, 'the audit log cannot be written; it is tried again');
        if (this.#closed.signal.aborted) return;
        this.#versions.clear();
        await delay(RETRY_MS, undefined, { signal: this.#closed.signal, ref: false }).catch(() => undefined);
        await this.#readVersions();
      }
    }
  }

  async #writeChunk(chunk: number): Promise<void> {
    const entries = this.#entries.filter(({ seq }) => Math.floor((seq - 1) / CHUNK) === chunk);
    const slot = chunk % CHUNKS;
    const last = entries.at(-1)?.seq ?? this.#written;
    const expected = this.#versions.get(slot) ?? null;
    this.#versions.set(slot, await this.#options.store.put(`${PREFIX}/${slot}`, { chunk, entries }, expected));
    this.#written = last;
  }

  /** A write whose answer was lost may have been carried out. */
  async #readVersions(): Promise<void> {
    try {
      for (const key of await this.#options.store.list(PREFIX)) {
        const found = await this.#options.store.get(key);
        if (found !== null) this.#versions.set(Number(key.slice(PREFIX.length + 1)), found.version);
      }
    } catch {
      // The write that follows says what is wrong.
    }
  }
}

/** One line, and not a long one: it may be what a client sent. */
function short(text: string): string {
  const line = text.replace(/\p{C}/gu, ' ');
  return line.length > MAX_TEXT ? `${line.slice(0, MAX_TEXT - 1)}…` : line;
}
