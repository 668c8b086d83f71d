/** When a log file is full and a new one is begun: linkerd's roll policies. All times are UTC. */

export type RollPolicy =
  | { readonly kind: 'never' }
  | { readonly kind: 'hourly' }
  | { readonly kind: 'daily' }
  /** 0 is Sunday. */
  | { readonly kind: 'weekly'; readonly firstDay: number }
  | { readonly kind: 'size'; readonly bytes: number };

const UNITS: Readonly<Record<string, number>> = {
  byte: 1,
  kilobyte: 1024,
  megabyte: 1024 ** 2,
  gigabyte: 1024 ** 3,
};

/** Null for a text that is no policy. In `weekly(n)` 1 is Sunday; a size is a number of bytes or `10.megabytes`. */
export function readRollPolicy(text: string): RollPolicy | null {
  if (text === 'never' || text === 'hourly' || text === 'daily') return { kind: text };
  const [, day] = /^weekly\(([1-7])\)$/.exec(text) ?? [];
  if (day !== undefined) return { kind: 'weekly', firstDay: Number(day) - 1 };
  const [, amount, unit] = /^(\d+)(?:\.([a-z]+?)s?)?$/.exec(text) ?? [];
  const factor = UNITS[unit ?? 'byte'];
  if (amount === undefined || factor === undefined || Number(amount) === 0) return null;
  return { kind: 'size', bytes: Number(amount) * factor };
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** 1970 began on a Thursday. */
const EPOCH_DAY = 4;

/** When a file that was begun at `since` is to be rolled, in ms since 1970; never is infinity. */
export function nextRoll(policy: RollPolicy, since: number): number {
  switch (policy.kind) {
    case 'never':
    case 'size':
      return Number.POSITIVE_INFINITY;
    case 'hourly':
      return (Math.floor(since / HOUR_MS) + 1) * HOUR_MS;
    case 'daily':
      return (Math.floor(since / DAY_MS) + 1) * DAY_MS;
    case 'weekly': {
      const today = Math.floor(since / DAY_MS);
      const sinceFirstDay = (today + EPOCH_DAY - policy.firstDay) % 7;
      return (today + 7 - sinceFirstDay) * DAY_MS;
    }
  }
}

/** What the name of a rolled file gets: `-20260301` for a day or a week, with the hour or the time where that is finer. */
export function rollSuffix(policy: RollPolicy, since: number): string {
  const [date = '', time = ''] = new Date(since).toISOString().replace(/[-:]/g, '').split('T');
  if (policy.kind === 'hourly') return `-${date}-${time.slice(0, 2)}`;
  return policy.kind === 'size' ? `-${date}-${time.slice(0, 6)}` : `-${date}`;
}
