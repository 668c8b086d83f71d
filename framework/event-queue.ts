/**
 * Events one after the other: the next is begun when the last is done with, writes to the disk included. Between events all
 * others of the process get their turn, however many wait here.
 */
import { setImmediate } from 'node:timers/promises';

/** Beyond this the source has to wait: its stream is not read on. */
const ROOM = 1_000;
/** Milliseconds of events on end; then sockets and timers have their turn. */
const STRETCH_MS = 10;

export class EventQueue<E> {
  readonly #process: (event: E) => Promise<void>;
  #waiting: E[] = [];
  #work: Promise<void> | null = null;
  #wanted: (() => void)[] = [];
  #closed = false;

  /** `process` must not reject, and is never called from within `push`. */
  constructor(process: (event: E) => Promise<void>) {
    this.#process = process;
  }

  push(event: E): void {
    if (this.#closed) return;
    this.#waiting.push(event);
    this.#work ??= Promise.resolve().then(() => this.#drain());
  }

  /** Rewrites what waits. */
  replace(change: (event: E) => E): void {
    this.#waiting = this.#waiting.map(change);
  }

  /** Resolves at once, or when enough of what waits has been worked off. */
  room(): Promise<void> {
    if (this.#closed || this.#waiting.length < ROOM) return Promise.resolve();
    return new Promise((resolve) => this.#wanted.push(resolve));
  }

  /** What waits is dropped; resolves when nothing is being worked on. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#waiting = [];
    this.#giveRoom();
    await this.#work;
  }

  async #drain(): Promise<void> {
    let since = performance.now();
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      await this.#process(next);
      if (this.#waiting.length < ROOM) this.#giveRoom();
      if (performance.now() - since < STRETCH_MS) continue;
      await setImmediate();
      since = performance.now();
    }
    this.#work = null;
  }

  #giveRoom(): void {
    for (const resolve of this.#wanted.splice(0)) resolve();
  }
}
