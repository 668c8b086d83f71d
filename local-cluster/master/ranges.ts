/** Arithmetic on inclusive integer ranges (the `ports` resource): always sorted, disjoint and merged. */
import type { Range } from '../../framework/mesos-http-client/messages.ts';

export function mergeRanges(ranges: readonly Range[]): Range[] {
  const sorted = ranges.filter((range) => range.begin <= range.end).sort((a, b) => a.begin - b.begin);
  const merged: Range[] = [];
  for (const range of sorted) {
    const last = merged.at(-1);
    if (last !== undefined && range.begin <= last.end + 1) last.end = Math.max(last.end, range.end);
    else merged.push({ begin: range.begin, end: range.end });
  }
  return merged;
}

export function subtractRanges(from: readonly Range[], what: readonly Range[]): Range[] {
  let left = mergeRanges(from);
  for (const cut of mergeRanges(what)) {
    left = left.flatMap((range) => {
      if (cut.end < range.begin || cut.begin > range.end) return [range];
      return [
        { begin: range.begin, end: cut.begin - 1 },
        { begin: cut.end + 1, end: range.end },
      ].filter((part) => part.begin <= part.end);
    });
  }
  return left;
}

export function containsRanges(whole: readonly Range[], part: readonly Range[]): boolean {
  const merged = mergeRanges(whole);
  return mergeRanges(part).every((range) => merged.some((big) => big.begin <= range.begin && range.end <= big.end));
}

/** `[31000-31999, 4140-4140]`, as the master prints them. */
export function formatRanges(ranges: readonly Range[]): string {
  return `[${mergeRanges(ranges)
    .map((range) => `${range.begin}-${range.end}`)
    .join(', ')}]`;
}

export function countRanges(ranges: readonly Range[]): number {
  return mergeRanges(ranges).reduce((sum, range) => sum + range.end - range.begin + 1, 0);
}
