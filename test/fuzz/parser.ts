/**
 * Fuzzes the parser: for so many seconds it makes streams, has them read, and stops at the first finding, which it makes as
 * short as it can.
 */
import { disagreement, type Side } from './differential.ts';
import type { Finding, FuzzOptions } from './finding.ts';
import { minimise } from './minimise.ts';
import { Random } from './random.ts';
import { randomStream } from './streams.ts';

const PROGRESS_MS = 5_000;
/** The clock is looked at after so many streams. */
const A_ROUND = 200;
/** With other cuts and limits. */
const ATTEMPTS = 12;

/** Returns the finding, or null after the time. */
export async function fuzzParser({ seconds, seed, say }: FuzzOptions): Promise<Finding | null> {
  const began = performance.now();
  let said = began;
  let executions = 0;
  for (;;) {
    for (let index = 0; index < A_ROUND; index += 1) {
      executions += 1;
      const caseSeed = Math.imul(seed, 65_537) + executions;
      const side: Side = executions % 3 === 0 ? 'responses' : 'requests';
      const random = new Random(caseSeed);
      const stream = randomStream(side, random);
      const why = disagreement(side, stream, random);
      if (why !== null) return shortened(side, stream, why, caseSeed);
    }
    const now = performance.now();
    if (now - said >= PROGRESS_MS || now - began >= seconds * 1000) {
      said = now;
      const rate = Math.round(executions / ((now - began) / 1000));
      say(`parser: ${executions} streams, ${rate} a second, seed ${seed}`);
    }
    if (now - began >= seconds * 1000) return null;
  }
}

/** A shorter stream is cut in other places: it is tried with a few. */
async function shortened(part: Side, found: string, foundWhy: string, seed: number): Promise<Finding> {
  const reasonFor = (stream: string): string | null => {
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const why = disagreement(part, stream, new Random(seed + attempt));
      if (why !== null) return why;
    }
    return null;
  };
  const stream = await minimise(found, (candidate) => reasonFor(candidate) !== null);
  return { part, stream, why: reasonFor(stream) ?? foundWhy };
}
