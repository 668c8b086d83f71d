/** The last minutes of the mesh's traffic, as the charts draw them: columns of figures over time, of bounded length. */
import type { MeshTraffic } from './summary.ts';

export interface Point {
  /** Epoch milliseconds. */
  readonly at: number;
  /** Null where nothing is known: the page was hidden or the scheduler did not answer. */
  readonly traffic: MeshTraffic | null;
}

/** How far back the charts look. */
export const HISTORY_MS = 5 * 60 * 1_000;
/** Longer than this between two points is a gap, and drawn as one. */
export const GAP_MS = 5_000;

/** History with one point more; what is too old to be drawn goes. */
export function addPoint(history: readonly Point[], point: Point): readonly Point[] {
  const kept = history.filter(({ at }) => at > point.at - HISTORY_MS && at < point.at);
  const last = kept.at(-1);
  if (last !== undefined && point.at - last.at > GAP_MS) kept.push({ at: last.at + 1, traffic: null });
  kept.push(point);
  return kept;
}

const STEPS_MS = [60_000, 120_000, 180_000, 240_000, HISTORY_MS];

/** How much time a chart spans: whole minutes, as many as there is something to show of. */
export function windowMs(history: readonly Point[]): number {
  const span = (history.at(-1)?.at ?? 0) - (history[0]?.at ?? 0);
  return STEPS_MS.find((step) => span <= step) ?? HISTORY_MS;
}

/** One line of a chart: a figure at each point in time, null in gaps. */
export function line(history: readonly Point[], figure: (traffic: MeshTraffic) => number | null): (number | null)[] {
  return history.map(({ traffic }) => (traffic === null ? null : figure(traffic)));
}
