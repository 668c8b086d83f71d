/**
 * How figures are written, on the page and in the terminal. A figure that is not known is a dash; a rate that is not
 * perfect is never rounded to perfect.
 */

/** What stands where there is no figure. */
export const DASH = '–';

type Figure = number | null | undefined;

function isFigure(value: Figure): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

/** Requests a second: one decimal below 10, none above, thousands as `12.3k`. */
export function formatRate(perSecond: Figure): string {
  if (!isFigure(perSecond)) return DASH;
  if (perSecond === 0) return '0';
  if (perSecond < 0.05) return '<0.1';
  if (perSecond < 9.95) return perSecond.toFixed(1);
  if (perSecond < 9_999.5) return perSecond.toFixed(0);
  if (perSecond < 99_950) return `${(perSecond / 1_000).toFixed(1)}k`;
  if (perSecond < 999_500) return `${(perSecond / 1_000).toFixed(0)}k`;
  return `${(perSecond / 1_000_000).toFixed(1)}M`;
}

/** A success rate of 0 to 1 as a percentage, rounded down: one failure in a million requests is 99.99 %, not 100 %. */
export function formatSuccess(rate: Figure): string {
  if (!isFigure(rate)) return DASH;
  if (rate >= 1) return '100 %';
  if (rate <= 0) return '0 %';
  if (rate < 0.0001) return '<0.01 %';
  // One more digit than is shown, so that 0.57 (56.99999… in binary) does not lose its last place.
  const hundredths = Math.min(Math.floor(Number((rate * 10_000).toFixed(6))), 9_999);
  if (hundredths < 10) return `${hundredths / 100} %`;
  const digits = rate < 0.9 ? 1 : 2;
  const percent = (digits === 1 ? Math.floor(hundredths / 10) / 10 : hundredths / 100).toFixed(digits);
  return `${percent.replace(/\.0+$/, '')} %`;
}

/** A latency: three digits that matter, with the unit that suits it. */
export function formatLatency(milliseconds: Figure): string {
  if (!isFigure(milliseconds)) return DASH;
  if (milliseconds <= 0) return '0 ms';
  if (milliseconds < 0.05) return '<0.1 ms';
  if (milliseconds < 9.95) return `${milliseconds.toFixed(1)} ms`;
  if (milliseconds < 999.5) return `${milliseconds.toFixed(0)} ms`;
  if (milliseconds < 9_995) return `${(milliseconds / 1_000).toFixed(2)} s`;
  return `${(milliseconds / 1_000).toFixed(1)} s`;
}

/** A whole number with thin groups of three: 12 345. */
export function formatCount(count: Figure): string {
  if (!isFigure(count)) return DASH;
  return String(Math.round(count)).replace(/\B(?=(\d{3})+$)/g, '\u202f');
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** How long ago, in the largest unit that fits; a clock that is a little behind reads as `now`. */
export function formatAge(milliseconds: Figure): string {
  if (!isFigure(milliseconds)) return DASH;
  if (milliseconds < SECOND) return 'now';
  if (milliseconds < MINUTE) return `${Math.floor(milliseconds / SECOND)} s`;
  if (milliseconds < HOUR) return `${Math.floor(milliseconds / MINUTE)} min`;
  if (milliseconds < DAY) return `${Math.floor(milliseconds / HOUR)} h`;
  return `${Math.floor(milliseconds / DAY)} d`;
}

/** The age of an ISO 8601 time at `now` (epoch milliseconds), or null where the time is missing or unreadable. */
export function ageOf(since: string | null | undefined, now: number): number | null {
  if (since === null || since === undefined) return null;
  const at = Date.parse(since);
  return Number.isNaN(at) ? null : now - at;
}

/** A time of day, 24 hours, in the reader's time zone. */
export function formatClock(epochMs: number): string {
  const at = new Date(epochMs);
  const two = (value: number) => String(value).padStart(2, '0');
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}

/** `1 node`, `2 nodes`. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}

/** The next round number that is not less: the end of a scale that does not tremble with each value. */
export function roundUp(value: number): number {
  if (!(value > 0)) return 1;
  const magnitude = 10 ** Math.floor(Math.log10(value));
  return ([1, 1.5, 2, 3, 4, 5, 6, 8].find((step) => step * magnitude >= value) ?? 10) * magnitude;
}
