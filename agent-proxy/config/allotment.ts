/** What this process is allotted, as figures for its metrics: files that it may open, and how often it was held back. */
import { ownThrottling } from './cpu-throttling.ts';
import { openFileLimit } from './open-files.ts';

/** No limit is told as what the kernel allows at most (`fs.nr_open` can be no more): metrics have no infinity in JSON. */
const NO_LIMIT = 2 ** 30;

/** Read anew each time, but for the limit, which does not change. Without a cgroup's limit of CPU there are no periods. */
export function allotmentFigures(): () => Readonly<Record<string, number>> {
  const openFiles = Math.min(NO_LIMIT, openFileLimit());
  const throttling = ownThrottling();
  return () => {
    const cpu = throttling();
    const periods = cpu === null ? {} : { cpu_periods: cpu.periods, cpu_throttled_periods: cpu.throttledPeriods };
    return { open_files_limit: openFiles, ...periods };
  };
}
