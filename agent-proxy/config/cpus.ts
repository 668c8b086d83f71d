/**
 * How many CPUs this process may use: what its cgroup allots, rounded up, and never more than the machine gives it. More
 * workers than that would only take each other's time.
 */
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

/** Reads a file; null where there is none. */
export type ReadText = (path: string) => string | null;

const ROOT = '/sys/fs/cgroup';

/**
 * `cgroups` is the text of `/proc/self/cgroup`, `available` what the system counts. Each group above the process' own may
 * have a limit too, and the least one counts.
 */
export function cpusOf(cgroups: string, read: ReadText, available: number): number {
  let least = available;
  for (const line of cgroups.split('\n')) {
    const [, controllers, path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (controllers === undefined || path === undefined) continue;
    for (const group of upwards(path)) {
      const cpus = controllers === '' ? version2(group, read) : version1(controllers, group, read);
      if (cpus !== null) least = Math.min(least, cpus);
    }
  }
  return Math.max(1, Math.min(available, Math.ceil(least)));
}

/** How many CPUs this very process may use. */
export function allottedCpus(): number {
  return cpusOf(readText('/proc/self/cgroup') ?? '', readText, availableParallelism());
}

/** `/a/b`, `/a`, and the root, which in a container is the container's own group. */
function upwards(path: string): string[] {
  const names = path.split('/').filter((name) => name !== '' && name !== '..');
  return Array.from({ length: names.length + 1 }, (_, cut) =>
    names
      .slice(0, names.length - cut)
      .map((name) => `/${name}`)
      .join(''),
  );
}

/** `cpu.max`: `<quota> <period>` in microseconds, or `max <period>`. */
function version2(group: string, read: ReadText): number | null {
  const [quota, period] = (read(`${ROOT}${group}/cpu.max`) ?? '').trim().split(' ');
  return quotient(quota, period);
}

/** A quota of −1 is none. */
function version1(controllers: string, group: string, read: ReadText): number | null {
  if (!controllers.split(',').includes('cpu')) return null;
  for (const mount of [controllers, 'cpu']) {
    const folder = `${ROOT}/${mount}${group}`;
    const cpus = quotient(read(`${folder}/cpu.cfs_quota_us`)?.trim(), read(`${folder}/cpu.cfs_period_us`)?.trim());
    if (cpus !== null) return cpus;
  }
  return null;
}

function quotient(quota: string | undefined, period: string | undefined): number | null {
  const cpus = Number(quota) / Number(period);
  return cpus > 0 && Number.isFinite(cpus) ? cpus : null;
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // No such group, or no cgroups at all: then there is no such limit.
    return null;
  }
}
