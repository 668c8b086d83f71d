/**
 * How often the kernel held this process back: a group with a limit of CPU time that has used it up stands still until the
 * next period (100 ms). `cpu.stat` counts the periods in which the group ran, and those in which that happened.
 */
import { cpuGroups, ownCgroups, type ReadText, readText } from './cgroup.ts';

export interface CpuThrottling {
  readonly periods: number;
  readonly throttledPeriods: number;
}

/** Of the nearest group with a limit; null where there is none. `cgroups` is the text of `/proc/self/cgroup`. */
export function throttlingOf(cgroups: string, read: ReadText): CpuThrottling | null {
  for (const { folders } of cpuGroups(cgroups)) {
    for (const folder of folders) {
      const text = read(`${folder}/cpu.stat`) ?? '';
      const [, periods] = /^nr_periods (\d+)$/m.exec(text) ?? [];
      const [, throttled] = /^nr_throttled (\d+)$/m.exec(text) ?? [];
      // Without a limit there are no periods.
      if (Number(periods) > 0) return { periods: Number(periods), throttledPeriods: Number(throttled ?? 0) };
    }
  }
  return null;
}

/** Reads it again each time; the group of a process does not change. */
export function ownThrottling(): () => CpuThrottling | null {
  const cgroups = ownCgroups();
  return () => throttlingOf(cgroups, readText);
}
