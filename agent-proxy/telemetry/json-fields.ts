/** The fields that a distribution has in JSON, and text as JSON has it. */
import type { Distribution } from './stat.ts';
import { QUANTILE_NAMES, Summary } from './summary.ts';

const TOTALS = ['count', 'sum', 'avg'] as const;
const ALL = [...TOTALS, ...QUANTILE_NAMES];
const NONE: readonly string[] = [];

export interface Fields {
  readonly names: readonly string[];
  /** As many as names, or more. */
  readonly values: Float64Array;
}

/** Reads one distribution after the other; what it gave is good until the next. */
export class FieldReader {
  private readonly now: number;
  private readonly summary = new Summary();
  private readonly values = new Float64Array(ALL.length);

  constructor(now: number) {
    this.now = now;
  }

  /** No fields where there was no value: absent rather than NaN. No quantiles where there was none of late. */
  read(stat: Distribution): Fields {
    const { values, summary } = this;
    const { count, sum } = stat;
    if (count === 0) return { names: NONE, values };
    values[0] = count;
    values[1] = sum;
    values[2] = sum / count;
    if (!summary.read(stat, this.now)) return { names: TOTALS, values };
    values.set(summary.values, TOTALS.length);
    return { names: ALL, values };
  }
}

/** Most names need no escapes, and then it is quicker to see that than to ask JSON. */
export function quoted(text: string): string {
  return /^[ !#-[\]-~]*$/.test(text) ? `"${text}"` : JSON.stringify(text);
}
