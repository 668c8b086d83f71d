/** Waits for a condition: long enough for a machine that is busy with other tests, and no longer than it takes. */
import { expect } from 'vitest';

export const eventually: (read: () => unknown) => ReturnType<typeof expect.poll> = (read) =>
  expect.poll(read, { timeout: 10_000, interval: 20 });
