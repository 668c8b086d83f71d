/**
 * What a proxy is to be: which code, in which task. Between two goals with the same relaunch key a proxy gets by an upgrade
 * in place; between others it needs a new task. Pure.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { ProxyArchive } from './artifacts.ts';

/** The task of a proxy, whatever the code in it. */
export const proxyPlanSchema = z.object({
  /** `edge` is for public agents; null for none, also in a plan that was remembered before there was one. */
  ports: z.object({ out: z.int(), in: z.int(), admin: z.int(), edge: z.int().nullable().default(null) }),
  bind: z.enum(['node', 'config']),
  /** What of a proxy on a public agent can be reached from outside; `edge` also in a plan from before there was a choice. */
  publicListeners: z.enum(['edge', 'all']).default('edge'),
  workers: z.int().min(1),
  cpus: z.number(),
  /** How far it may go beyond `cpus`; null for no further. */
  cpusLimit: z.number().or(z.literal('unlimited')).nullable(),
  /** Megabytes. */
  mem: z.number(),
  /** Megabytes. */
  disk: z.number(),
  /** An image of the proxy, and who runs it: `mesos` is the Universal Container Runtime. Null: from the archive. */
  image: z.object({ name: z.string(), containerizer: z.enum(['mesos', 'docker']) }).nullable(),
});
export type ProxyPlan = Readonly<z.infer<typeof proxyPlanSchema>>;
export type ProxyImage = NonNullable<ProxyPlan['image']>;

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
    [plan.ports.out, plan.ports.in, plan.ports.admin, ...(plan.ports.edge === null ? [] : [plan.ports.edge])],
    [plan.bind, plan.workers, plan.cpus, plan.cpusLimit, plan.mem, plan.disk],
    // Only what is not the default, so that a choice which is not made needs no new task.
    ...(plan.publicListeners === 'edge' ? [] : [plan.publicListeners]),
  ]);
  const { version } = manifest;
  const codeSha256 = manifest.code.sha256;
  const id = `${version}-${digestOf([relaunchKey, codeSha256]).slice(0, 8)}`;
  return { id, relaunchKey, version, codeSha256, sha256: code.sha256, path: code.path };
}

function digestOf(what: unknown): string {
  return createHash('sha256').update(JSON.stringify(what)).digest('hex').slice(0, 16);
}
