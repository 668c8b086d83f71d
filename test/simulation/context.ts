/** What all parts of the model share: time, dice, the tally, and the trace by which two runs are compared. */
import { Clock } from './clock.ts';
import { Rng } from './rng.ts';
import { Tally } from './tally.ts';

/** What the model or a check found: the run ends with it. */
export class Violation extends Error {}

const KEPT_LINES = 80;

export class Context {
  readonly clock = new Clock();
  readonly rng: Rng;
  readonly tally = new Tally();
  readonly seed: number;
  /** Things go wrong while it is true. */
  faulty = true;
  #hash = 0x811c9dc5;
  readonly #lines: string[] = [];
  #number = 0;

  constructor(seed: number) {
    this.seed = seed;
    this.rng = new Rng(seed);
  }

  get now(): number {
    return this.clock.now;
  }

  /** How long a message is on its way: mostly some milliseconds, in bad times now and then seconds. */
  latency(): number {
    const { rng } = this;
    return this.faulty && rng.chance(0.03) ? rng.between(500, 8_000) : rng.between(1, 40);
  }

  /** One of the things that go wrong. */
  fault(name: string, about: string): void {
    this.tally.count('fault', name);
    this.note(`FAULT ${name} ${about}`);
  }

  /** Part of the run's identity, and of what a failure shows. */
  note(line: string): void {
    const stamped = `${((this.now - 1_700_000_000_000) / 1000).toFixed(3)} ${line}`;
    let hash = this.#hash;
    for (let at = 0; at < stamped.length; at += 1) hash = Math.imul(hash ^ stamped.charCodeAt(at), 0x01000193);
    this.#hash = hash;
    this.#lines.push(stamped);
    if (this.#lines.length > 2 * KEPT_LINES) this.#lines.splice(0, KEPT_LINES);
  }

  get hash(): string {
    return (this.#hash >>> 0).toString(16);
  }

  lastLines(): string[] {
    return this.#lines.slice(-KEPT_LINES);
  }

  /** Numbers for names, never twice. */
  number(): number {
    this.#number += 1;
    return this.#number;
  }
}
