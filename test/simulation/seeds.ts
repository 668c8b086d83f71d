/** Many seeds, one after the other, and what came of them. */
import { EXPECTED } from './expected.ts';
import { type Result, simulate } from './simulation.ts';
import { Tally } from './tally.ts';

export interface Run {
  readonly seeds: number;
  readonly steps: number;
  readonly leastSteps: number;
  readonly leastFaultKinds: number;
  readonly tally: Tally;
  /** The first seed that failed. */
  readonly failure: Result | null;
}

export interface SeedOptions {
  readonly from: number;
  readonly seeds: number;
  readonly forbidsSuppress?: boolean;
  /** Only such a failure ends it; others are passed over. Default: any. */
  readonly until?: RegExp;
  /** Called after each seed. */
  readonly done?: (result: Result) => void;
}

const COPY_EVERY = 97;

/** Ends at the first failure (of the kind that is looked for). */
export function runSeeds({ from, seeds, forbidsSuppress = true, until = /^/, done }: SeedOptions): Run {
  const tally = new Tally();
  const run = { seeds: 0, steps: 0, leastSteps: Number.POSITIVE_INFINITY, leastFaultKinds: Number.POSITIVE_INFINITY };
  for (let seed = from; seed < from + seeds; seed += 1) {
    const result = simulate({ seed, copyEvery: COPY_EVERY, forbidsSuppress });
    tally.add(result.tally);
    run.seeds += 1;
    run.steps += result.steps;
    run.leastSteps = Math.min(run.leastSteps, result.steps);
    run.leastFaultKinds = Math.min(run.leastFaultKinds, result.tally.kinds('fault'));
    done?.(result);
    if (result.violation !== null && until.test(result.violation.what)) return { ...run, tally, failure: result };
  }
  return { ...run, tally, failure: null };
}

export { EXPECTED, simulate };
