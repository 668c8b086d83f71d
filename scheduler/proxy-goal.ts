/**
 * What a proxy is to be: which code, in which task. Between two goals with the same relaunch key a proxy gets by an upgrade
 * in place; between others it needs a new task. Pure.
 */
import { createHash } from 'node:crypto';
import type { ProxyPorts } from './config.ts';
import type { ProxyArchive } from './proxy-artifact.ts';

/** An image of the proxy, and who runs it: `mesos` is the Universal Container Runtime. */
export interface ProxyImage {
  readonly name: string;
  readonly containerizer: 'mesos' | 'docker';
}

/** The task of a proxy, whatever the code in it. */
export interface ProxyPlan {
  readonly ports: ProxyPorts;
  readonly workers: number;
  readonly cpus: number;
  /** How far it may go beyond `cpus`; null for no further. */
  readonly cpusLimit: number | 'unlimited' | null;
  /** Megabytes. */
  readonly mem: number;
  /** Megabytes. */
  readonly disk: number;
  /** Null: from the archive, without a container image. */
  readonly image: ProxyImage | null;
}

export interface ProxyGoal {
  /** The version and the beginning of a digest. The same for the same code in the same task. */
  readonly id: string;
  readonly relaunchKey: string;
  readonly version: string;
  readonly codeSha256: string;
  /** What an upgrade in place fetches: its SHA-256, and its path below the scheduler's URL. */
  readonly sha256: string;
  readonly path: string;
}

export function goalOf({ manifest, code }: ProxyArchive, plan: ProxyPlan): ProxyGoal {
  const relaunchKey = digestOf([
    manifest.supervisor,
    plan.image ?? manifest.runtime?.sha256 ?? manifest.platform,
    [plan.ports.out, plan.ports.in, plan.ports.admin],
    [plan.workers, plan.cpus, plan.cpusLimit, plan.mem, plan.disk],
  ]);
  const { version } = manifest;
  const codeSha256 = manifest.code.sha256;
  const id = `${version}-${digestOf([relaunchKey, codeSha256]).slice(0, 8)}`;
  return { id, relaunchKey, version, codeSha256, sha256: code.sha256, path: code.path };
}

function digestOf(what: unknown): string {
  return createHash('sha256').update(JSON.stringify(what)).digest('hex').slice(0, 16);
}
