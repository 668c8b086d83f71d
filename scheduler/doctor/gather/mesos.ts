/** What the leading master says, by its read-only endpoints. */
import { z } from 'zod';
import type { AgentFacts, Asked, FrameworkFacts, MesosFacts, RoleFacts } from '../facts.ts';
import type { Asker } from './ask.ts';

const versionSchema = z.object({ version: z.string() }).transform(({ version }) => version);

const frameworksSchema = z
  .object({
    frameworks: z.array(
      z.object({
        id: z.string(),
        name: z.string(),
        role: z.string().optional(),
        roles: z.array(z.string()).optional(),
        active: z.boolean().default(true),
        connected: z.boolean().default(true),
      }),
    ),
  })
  .transform(({ frameworks }) =>
    frameworks.map(
      ({ role, roles, ...rest }): FrameworkFacts => ({ ...rest, roles: roles ?? (role === undefined ? [] : [role]) }),
    ),
  );

const agentsSchema = z
  .object({
    slaves: z.array(
      z.object({
        id: z.string(),
        hostname: z.string(),
        /** `slave(1)@10.0.0.1:5051` */
        pid: z.string().optional(),
        /** Of all roles: `[1025-2180, 2182-3887]`. */
        resources: z.object({ ports: z.string().default('[]') }).default({ ports: '[]' }),
      }),
    ),
  })
  .transform(({ slaves }) =>
    slaves.map(({ id, hostname, pid, resources }): AgentFacts => {
      const [, address] = /@(.+:\d+)$/.exec(pid ?? '') ?? [];
      return {
        agentId: id,
        hostname,
        url: address === undefined ? null : `http://${address}`,
        ports: rangesOf(resources.ports),
      };
    }),
  );

const quotaSchema = z.object({ limit: z.object({ cpus: z.number().optional() }).optional() });

const rolesSchema = z
  .object({
    roles: z.array(
      z.object({ name: z.string(), weight: z.number().default(1), quota: quotaSchema.nullish().catch(null) }),
    ),
  })
  .transform(({ roles }) =>
    roles.map(({ name, weight, quota }): RoleFacts => ({ name, weight, cpusLimit: quota?.limit?.cpus ?? null })),
  );

/** `bases`: the masters, best first. The first that answers is asked for the rest; it redirects to the one that leads. */
export async function gatherMesos(asker: Asker, bases: readonly string[]): Promise<MesosFacts> {
  let version: Asked<string> = { kind: 'failed', url: '', reason: 'no master is known' };
  let base = '';
  for (const each of bases) {
    base = each;
    version = await asker.json(`${each}/version`, versionSchema);
    if (version.kind !== 'failed') break;
  }
  if (version.kind === 'failed') {
    const unasked = { kind: 'failed', url: base, reason: version.reason } as const;
    return { masters: bases, version, frameworks: unasked, agents: unasked, roles: unasked };
  }
  const [frameworks, agents, roles] = await Promise.all([
    asker.json(`${base}/frameworks`, frameworksSchema),
    asker.json(`${base}/slaves`, agentsSchema),
    asker.json(`${base}/roles`, rolesSchema),
  ]);
  return { masters: bases, version, frameworks, agents, roles };
}

export function rangesOf(text: string): (readonly [number, number])[] {
  return [...text.matchAll(/(\d+)-(\d+)/g)].map(([, first, last]) => [Number(first), Number(last)]);
}
