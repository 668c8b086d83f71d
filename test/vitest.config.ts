/**
 * How the tests run. Two projects: `unit` (all that mirrors the sources; files side by side) and `e2e` (whole clusters;
 * one at a time, so that their deadlines measure nodemesh and not each other). Nothing is ever retried.
 */
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    retry: 0,
    bail: 0,
    // A forgotten `.only` must not turn the rest off, here or in CI.
    allowOnly: false,
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/e2e/**'],
          maxWorkers: 2,
          testTimeout: 20_000,
          hookTimeout: 20_000,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          fileParallelism: false,
          maxWorkers: 1,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
