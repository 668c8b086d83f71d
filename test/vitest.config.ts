/**
 * How the tests run. Four projects: `unit` (all that mirrors the sources; files side by side), `standalone` (the
 * built command as a proxy without a scheduler; files side by side), `pairs` (clusters that are waited for more than they are
 * measured; two files at a time) and `e2e` (what loads the machine or measures time; one at a time, so that their deadlines
 * measure nodemesh and not each other). Nothing is ever retried.
 */
import { defineConfig } from 'vitest/config';

/** Some of them listen on every address of the machine, so that no cluster may be beside them. */
const STANDALONE = 'test/e2e/standalone-{configs,life,names,retries,telemetry,tunnels}.test.ts';
const PAIRS =
  'test/e2e/{agents,command-line,config-rollout,dcos-package,mesos-stories,over-zookeeper,takeover}.test.ts';

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
          // One more than the machines have cores: more than half of their time they wait.
          maxWorkers: 3,
          // Half of the time of a process for each file would go into loading the sources again. So a test leaves nothing
          // behind: no fake timers, no spies, no listeners of the process.
          isolate: false,
          // Longer than a wait for a condition (fixtures/eventually.ts), which says more when it fails.
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'standalone',
          include: [STANDALONE],
          maxWorkers: 2,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'pairs',
          include: [PAIRS],
          maxWorkers: 2,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          exclude: [STANDALONE, PAIRS],
          fileParallelism: false,
          maxWorkers: 1,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
