/**
 * The deltas of late, encoded once for all: a session is a place in this log, and not a queue of its own. Who is behind by
 * less than the log holds gets what it lacks; who is further behind, or has another table, gets a snapshot. Pure.
 */

export interface DeltaLogLimits {
  /** Of all deltas that are kept together. */
  readonly bytes: number;
  readonly deltas: number;
}

export const DELTA_LOG_LIMITS: DeltaLogLimits = { bytes: 8 * 1024 * 1024, deltas: 4_096 };

export class DeltaLog {
  readonly #limits: DeltaLogLimits;
  /** By the revision that it leads to. */
  readonly #records = new Map<number, Buffer>();
  /** Where a table stands, by its digest, for those revisions that the log goes on from. */
  readonly #revisions = new Map<string, number>();
  readonly #digests = new Map<number, string>();
  #bytes = 0;
  #oldest: number;
  #newest: number;

  constructor(revision: number, digest: string, limits: DeltaLogLimits) {
    this.#limits = limits;
    this.#oldest = revision;
    this.#newest = revision;
    this.#know(revision, digest);
  }

  get newest(): number {
    return this.#newest;
  }

  /** The delta to the next revision; `digest` is that of the table there. */
  append(record: Buffer, digest: string): void {
    this.#newest += 1;
    this.#records.set(this.#newest, record);
    this.#bytes += record.length;
    this.#know(this.#newest, digest);
    while (this.#bytes > this.#limits.bytes || this.#records.size > this.#limits.deltas) this.#forgetOldest();
  }

  /** Whether all deltas after this revision are here. */
  covers(revision: number): boolean {
    return revision >= this.#oldest && revision <= this.#newest;
  }

  /** The delta that follows on this revision; undefined where there is none (any more, or yet). */
  after(revision: number): Buffer | undefined {
    return this.#records.get(revision + 1);
  }

  /** The latest revision at which the table had this digest; undefined where the log does not go on from any. */
  revisionOf(digest: string): number | undefined {
    return this.#revisions.get(digest);
  }

  #know(revision: number, digest: string): void {
    this.#revisions.set(digest, revision);
    this.#digests.set(revision, digest);
  }

  #forgetOldest(): void {
    const digest = this.#digests.get(this.#oldest);
    this.#digests.delete(this.#oldest);
    if (digest !== undefined && this.#revisions.get(digest) === this.#oldest) this.#revisions.delete(digest);
    this.#oldest += 1;
    this.#bytes -= this.#records.get(this.#oldest)?.length ?? 0;
    this.#records.delete(this.#oldest);
  }
}
