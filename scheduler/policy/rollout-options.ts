/** How a configuration is to go out, as a query says it: `?canary=1&steps=10,50,100&window=30s&minRequests=100&maxUnavailable=1`. */
import { type RolloutSettings, rolloutSettingsSchema } from './config-rollout.ts';

export const DEFAULT_ROLLOUT: RolloutSettings = {
  canary: 1,
  steps: [10, 50, 100],
  windowMs: 30_000,
  minRequests: 100,
  maxUnavailable: 1,
  stepTimeoutMs: 60_000,
};

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** Where they do not stand, the defaults hold. The sentence of what is wrong, or the settings. */
export function rolloutSettings(
  query: Readonly<Record<string, unknown>>,
): { readonly settings: RolloutSettings } | { readonly fault: string } {
  const faults: string[] = [];
  const read = <T>(name: string, parse: (text: string) => T | null, fallback: T): T => {
    const text = query[name];
    if (text === undefined) return fallback;
    const value = typeof text === 'string' ? parse(text) : null;
    if (value === null) faults.push(`?${name}=${String(text)} is not ${EXAMPLES[name]}`);
    return value ?? fallback;
  };
  const settings: RolloutSettings = {
    canary: read('canary', number, DEFAULT_ROLLOUT.canary),
    steps: read('steps', numbers, DEFAULT_ROLLOUT.steps),
    windowMs: read('window', duration, DEFAULT_ROLLOUT.windowMs),
    minRequests: read('minRequests', number, DEFAULT_ROLLOUT.minRequests),
    maxUnavailable: read('maxUnavailable', number, DEFAULT_ROLLOUT.maxUnavailable),
    stepTimeoutMs: read('stepTimeout', duration, DEFAULT_ROLLOUT.stepTimeoutMs),
  };
  const parsed = rolloutSettingsSchema.safeParse(settings);
  if (faults.length === 0 && !parsed.success) {
    const [issue] = parsed.error.issues;
    faults.push(`${issue?.path.join('.')}: ${issue?.message}`);
  }
  const [fault] = faults;
  return fault === undefined ? { settings } : { fault };
}

const EXAMPLES: Readonly<Record<string, string>> = {
  canary: 'a number of nodes',
  steps: 'a list of shares in percent, such as 10,50,100',
  window: 'a time, such as 30s',
  minRequests: 'a number of requests',
  maxUnavailable: 'a number of nodes',
  stepTimeout: 'a time, such as 60s',
};

function number(text: string): number | null {
  return /^\d{1,9}$/.test(text) ? Number(text) : null;
}

function numbers(text: string): number[] | null {
  const parts = text.split(',').map((part) => Number(part.trim().replace(/%$/, '')));
  return parts.every((part) => part > 0 && part <= 100) ? parts : null;
}

function duration(text: string): number | null {
  const [, amount, unit = 's'] = /^(\d{1,7})(ms|s|m|h)?$/.exec(text) ?? [];
  return amount === undefined ? null : Number(amount) * (UNITS[unit] ?? 1);
}
