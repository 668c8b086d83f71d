/**
 * A trace context as Finagle's `TraceId` has it: trace, parent and span id, and whether the trace is sampled. Ids are kept
 * as signed 32-bit words, the most significant first: V8 holds those without allocating, and a BigInt would cost more than
 * the rest of a request's tracing. One object can serve one request after the other.
 */

import { showWord } from './hex.ts';

/** Flags of `l5d-ctx-trace`, as in Finagle: a debug trace is sampled whatever the rate. */
const DEBUG = 1;
const SAMPLING_KNOWN = 2;
const SAMPLED = 4;

/** A whole random word, signed or not: an id takes its 32 bits. */
export type RandomWord = () => number;

export class TraceContext {
  /** 128 bits; the upper half (`trace0`, `trace1`) is zero for an id of 64 bits. */
  trace0 = 0;
  trace1 = 0;
  trace2 = 0;
  trace3 = 0;
  /** Equal to the span id where there is no parent. */
  parent0 = 0;
  parent1 = 0;
  span0 = 0;
  span1 = 0;
  flags = 0;
  /** The sampling decision was ours, by rate: not the caller's and not asked for with `l5d-sample`. */
  decidedByRate = false;

  /** A new trace of 64 bits, as linkerd starts it: trace, parent and span id are the same. */
  setRoot(random: RandomWord): void {
    this.drawSpan(random);
    this.trace0 = 0;
    this.trace1 = 0;
    this.trace2 = this.span0;
    this.trace3 = this.span1;
    this.parent0 = this.span0;
    this.parent1 = this.span1;
    this.flags = 0;
    this.decidedByRate = false;
  }

  /** A new span below `parent`, which may be this very context. */
  setChildOf(parent: TraceContext, random: RandomWord): void {
    this.trace0 = parent.trace0;
    this.trace1 = parent.trace1;
    this.trace2 = parent.trace2;
    this.trace3 = parent.trace3;
    this.parent0 = parent.span0;
    this.parent1 = parent.span1;
    this.flags = parent.flags;
    this.decidedByRate = parent.decidedByRate;
    this.drawSpan(random);
  }

  /** True, false, or null: nobody has decided yet. */
  get sampled(): boolean | null {
    if ((this.flags & (DEBUG | SAMPLED)) !== 0) return true;
    return (this.flags & SAMPLING_KNOWN) !== 0 ? false : null;
  }

  get debug(): boolean {
    return (this.flags & DEBUG) !== 0;
  }

  decide(sampled: boolean): void {
    this.flags = (this.flags & ~SAMPLED) | SAMPLING_KNOWN | (sampled ? SAMPLED : 0);
  }

  setDebug(): void {
    this.flags |= DEBUG | SAMPLING_KNOWN | SAMPLED;
  }

  get isWide(): boolean {
    return (this.trace0 | this.trace1) !== 0;
  }

  get hasParent(): boolean {
    return this.parent0 !== this.span0 || this.parent1 !== this.span1;
  }

  /** 16 hexadecimal digits, 32 where the id has 128 bits. */
  get traceId(): string {
    const lower = spell(this.trace2, this.trace3);
    return this.isWide ? spell(this.trace0, this.trace1) + lower : lower;
  }

  /** Always 32 hexadecimal digits. */
  get wideTraceId(): string {
    return spell(this.trace0, this.trace1) + spell(this.trace2, this.trace3);
  }

  get spanId(): string {
    return spell(this.span0, this.span1);
  }

  get parentId(): string | null {
    return this.hasParent ? spell(this.parent0, this.parent1) : null;
  }

  private drawSpan(random: RandomWord): void {
    // Zero is no id (W3C trace context 3.2.2.4, B3).
    do {
      this.span0 = random() | 0;
      this.span1 = random() | 0;
    } while (this.span0 === 0 && this.span1 === 0);
  }
}

/** Two words as 16 digits. */
function spell(high: number, low: number): string {
  return showWord(high) + showWord(low);
}
