/**
 * How each session comes to the newest table and stays there: by the deltas after what its proxy has, where these are still
 * at hand, else by a snapshot that all who need one share, so many at a time. Nothing waits for a reader but its place.
 */
import { DELTA_LOG_LIMITS, DeltaLog, type DeltaLogLimits } from './delta-log.ts';
import type { Feed } from './feed.ts';
import { encodeFrame } from './records.ts';
import { Rounds } from './rounds.ts';
import { type Encoding, SharedSnapshot } from './shared-snapshot.ts';
import { Turns } from './turns.ts';

/** Snapshots on their way at a time. */
const MOST_SNAPSHOTS = 64;
/** Who has taken nothing of its snapshot for so long gives its turn to the next, and goes on when it can. */
const SLOW_MS = 1_000;
/** A snapshot is shared for so long, with the deltas that came meanwhile, while the table changes all the time. */
const SHARED_MS = 2_000;

/** Where records go. */
export interface Reader {
  /** Asks `next` for records as long as it takes them. */
  pump(): void;
  readonly blockedSince: number | null;
}

/** What a proxy said of the table that it has, and of what it understands. */
export interface Starting {
  /** Of its table; null where it has none, or did not say. */
  readonly digest: string | null;
  /** Its revision, where that is one of this leader's; else 0. */
  readonly revision: number;
  readonly resumes: boolean;
  readonly encoding: Encoding;
}

/**
 * - `closed`: there is nothing to distribute yet.
 * - `waiting`: for its turn to get a snapshot.
 * - `snapshot`: on its way.
 * - `following`: has all up to this revision.
 */
type Position =
  | { readonly kind: 'closed' | 'waiting' }
  | { readonly kind: 'snapshot'; readonly snapshot: SharedSnapshot; piece: number }
  | { readonly kind: 'following'; revision: number };

/** The course of one session. */
export class Course {
  readonly reader: Reader;
  readonly starting: Starting;
  position: Position = { kind: 'closed' };
  /** Goes out before anything else: how it resumes. */
  opening: Buffer | null = null;
  /** The revision that its proxy had for certain, and since when. Null: nothing yet, or a snapshot is due. */
  told: { readonly revision: number; readonly at: number } | null = null;
  /** No snapshot below it, or its proxy would go back in time. */
  least: number;

  constructor(reader: Reader, starting: Starting) {
    this.reader = reader;
    this.starting = starting;
    this.least = starting.revision;
  }
}

export interface DistributorFigures {
  readonly snapshots: number;
  readonly resumes: number;
  /** Sessions that wait for a snapshot. */
  readonly waiting: number;
}

export class Distributor {
  readonly #feed: Feed;
  readonly #now: () => number;
  readonly #courses = new Set<Course>();
  readonly #turns = new Turns<Course>(MOST_SNAPSHOTS);
  readonly #rounds = new Rounds<Course>((course) => course.reader.pump());
  readonly #log: DeltaLog;
  #shared: { readonly snapshot: SharedSnapshot; readonly madeAt: number } | null = null;
  #isOpen = false;
  #snapshots = 0;
  #resumes = 0;

  constructor(feed: Feed, now: () => number, limits: DeltaLogLimits = DELTA_LOG_LIMITS) {
    this.#feed = feed;
    this.#now = now;
    this.#log = new DeltaLog(feed.revision, feed.digest(), limits);
  }

  figures(): DistributorFigures {
    return { snapshots: this.#snapshots, resumes: this.#resumes, waiting: this.#turns.waiting };
  }

  /** From now on the feed holds the truth. */
  open(): void {
    if (this.#isOpen) return;
    this.#isOpen = true;
    for (const course of this.#courses) this.#begin(course);
    this.#grant();
    this.#rounds.run();
  }

  add(course: Course): void {
    this.#courses.add(course);
    if (!this.#isOpen) return;
    this.#begin(course);
    this.#grant();
    this.#rounds.run();
  }

  remove(course: Course): void {
    this.#courses.delete(course);
    this.#rounds.remove(course);
    this.#turns.leave(course);
    this.#grant();
  }

  /** The table has come further by these deltas. */
  committed(records: readonly Buffer[]): void {
    if (records.length === 0) return;
    const first = this.#feed.revision - records.length + 1;
    if (first !== this.#log.newest + 1) {
      throw new Error(`deltas to ${this.#feed.revision} do not follow on ${this.#log.newest}`);
    }
    for (const [index, record] of records.entries()) {
      this.#log.append(record, this.#feed.digestAt(first + index) ?? '');
    }
    for (const course of this.#courses) if (course.position.kind === 'following') this.#rounds.add(course);
    this.#rounds.run();
  }

  /** Its proxy has another table than it should: it gets a snapshot. */
  repair(course: Course): void {
    this.#askForSnapshot(course);
    this.#grant();
    this.#rounds.run();
  }

  /** To which revision everything has been handed to its connection; 0 while no table has been. */
  revisionOf({ opening, position }: Course): number {
    return position.kind === 'following' && opening === null ? position.revision : 0;
  }

  /** Whether all that there is has been handed to its connection. */
  isCaughtUp({ position }: Course): boolean {
    return position.kind === 'following' && position.revision === this.#feed.revision;
  }

  /** The next record for a session whose reader takes one, or null. */
  next(course: Course): Buffer | null {
    const { opening, position } = course;
    if (opening !== null) {
      course.opening = null;
      course.told = { revision: course.least, at: this.#now() };
      return opening;
    }
    switch (position.kind) {
      case 'closed':
      case 'waiting':
        return null;
      case 'snapshot': {
        const { snapshot } = position;
        const piece = snapshot.piece(position.piece, course.starting.encoding);
        if (piece !== undefined) {
          position.piece += 1;
          return piece;
        }
        course.position = { kind: 'following', revision: snapshot.revision };
        course.least = snapshot.revision;
        course.told = { revision: snapshot.revision, at: this.#now() };
        this.#turns.leave(course);
        this.#grant();
        return this.next(course);
      }
      case 'following': {
        const record = this.#log.after(position.revision);
        if (record !== undefined && this.#log.covers(position.revision)) {
          position.revision += 1;
          course.least = position.revision;
          return record;
        }
        if (position.revision === this.#feed.revision) return null;
        // It was so slow that what it lacks has been forgotten.
        this.#askForSnapshot(course);
        this.#grant();
        return null;
      }
    }
  }

  /** To be called a few times a second. */
  tick(): void {
    const now = this.#now();
    for (const course of this.#turns.having) {
      const { blockedSince } = course.reader;
      if (blockedSince !== null && now - blockedSince >= SLOW_MS) this.#turns.leave(course);
    }
    this.#grant();
  }

  stop(): void {
    this.#rounds.stop();
    this.#courses.clear();
  }

  #begin(course: Course): void {
    const { digest, resumes } = course.starting;
    const revision = resumes && digest !== null ? this.#log.revisionOf(digest) : undefined;
    if (revision === undefined) {
      this.#askForSnapshot(course);
      return;
    }
    this.#resumes += 1;
    course.opening = encodeFrame({ type: 'resume', epoch: this.#feed.epoch, revision });
    course.least = revision;
    course.position = { kind: 'following', revision };
    this.#rounds.add(course);
  }

  #askForSnapshot(course: Course): void {
    course.position = { kind: 'waiting' };
    course.opening = null;
    course.told = null;
    this.#turns.ask(course);
  }

  #grant(): void {
    for (let course = this.#turns.next(); course !== null; course = this.#turns.next()) {
      this.#snapshots += 1;
      course.position = { kind: 'snapshot', snapshot: this.#snapshotFrom(course.least), piece: 0 };
      this.#rounds.add(course);
    }
  }

  #snapshotFrom(least: number): SharedSnapshot {
    const shared = this.#shared;
    const now = this.#now();
    if (shared !== null) {
      const { revision } = shared.snapshot;
      const isNew = revision === this.#feed.revision;
      if (isNew || (revision >= least && now - shared.madeAt < SHARED_MS && this.#log.covers(revision))) {
        return shared.snapshot;
      }
    }
    const snapshot = new SharedSnapshot(this.#feed.revision, this.#feed.snapshot());
    this.#shared = { snapshot, madeAt: now };
    return snapshot;
  }
}
