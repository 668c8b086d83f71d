/**
 * How many CPUs this process may use: what its cgroup allots, rounded up, and never more than the machine gives it. More
 * workers than that would only take each other's time.
 */
import { availableParallelism } from 'node:os';
import { type CpuGroup, cpuGroups, ownCgroups, type ReadText, readText } from './cgroup.ts';

/**
 * `cgroups` is the text of `/proc/self/cgroup`, `available` what the system counts. Each group above the process' own may
 * have a limit too, and the least one counts.
 */
export function cpusOf(cgroups: string, read: ReadText, available: number): number {
  let least = available;
  for (const group of cpuGroups(cgroups)) least = Math.min(least, allotted(group, read) ?? available);
  return Math.max(1, Math.min(available, Math.ceil(least)));
}

/** How many CPUs this very process may use. */
export function allottedCpus(): number {
  return cpusOf(ownCgroups(), readText, availableParallelism());
}

function allotted({ version, folders }: CpuGroup, read: ReadText): number | null {
  for (const folder of folders) {
    const cpus = version === 2 ? version2(folder, read) : version1(folder, read);
    if (cpus !== null) return cpus;
  }
  return null;
}

/** `cpu.max`: `<quota> <period>` in microseconds, or `max <period>`. */
function version2(folder: string, read: ReadText): number | null {
  const [quota, period] = (read(`${folder}/cpu.max`) ?? '').trim().split(' ');
  return quotient(quota, period);
}

/** A quota of −1 is none. */
function version1(folder: string, read: ReadText): number | null {
  return quotient(read(`${folder}/cpu.cfs_quota_us`)?.trim(), read(`${folder}/cpu.cfs_period_us`)?.trim());
}

function quotient(quota: string | undefined, period: string | undefined): number | null {
  const cpus = Number(quota) / Number(period);
  return cpus > 0 && Number.isFinite(cpus) ? cpus : null;
}
