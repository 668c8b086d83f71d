/** The cgroups of a process as the file system shows them, in version 1 and 2 of the kernel's interface. */
import { readFileSync } from 'node:fs';

/** Reads a file; null where there is none. */
export type ReadText = (path: string) => string | null;

const ROOT = '/sys/fs/cgroup';

/** Where a group has the files of its CPU controller; in version 1 the hierarchy may be mounted in two ways. */
export interface CpuGroup {
  readonly version: 1 | 2;
  readonly folders: readonly string[];
}

/** The group of the process and those above it, its own first. `cgroups` is the text of `/proc/self/cgroup`. */
export function cpuGroups(cgroups: string): readonly CpuGroup[] {
  return cgroups.split('\n').flatMap((line) => {
    const [, controllers, path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (controllers === undefined || path === undefined) return [];
    if (controllers !== '' && !controllers.split(',').includes('cpu')) return [];
    return upwards(path).map((group): CpuGroup => {
      if (controllers === '') return { version: 2, folders: [`${ROOT}${group}`] };
      return { version: 1, folders: [`${ROOT}/${controllers}${group}`, `${ROOT}/cpu${group}`] };
    });
  });
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

/** The cgroups of this very process; empty where there are none. */
export function ownCgroups(): string {
  return readText('/proc/self/cgroup') ?? '';
}

export function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // No such group, or no cgroups at all: then there is no such limit.
    return null;
  }
}
