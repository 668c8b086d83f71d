/**
 * The scheduler's answers as its clients (the dashboard, the command line) read them: tolerant schemas. Unknown keys
 * are ignored and unknown words stay words, so that an older client goes on working with a newer scheduler.
 */
import * as z from 'zod/mini';

const revisionSchema = z.object({ version: z.string(), configRevision: z.number() });

export const nodeAnswerSchema = z.object({
  agentId: z.string(),
  hostname: z.string(),
  ip: z.string(),
  public: z.boolean(),
  region: z.nullish(z.string()),
  zone: z.nullish(z.string()),
  /** One of {@link NODE_STATES}, or the word of a newer scheduler. */
  state: z.string(),
  reason: z.nullish(z.string()),
  taskId: z.nullish(z.string()),
  heldOut: z.nullish(z.string()),
  goal: z.nullish(z.string()),
  running: z.nullish(revisionSchema),
  wanted: z.nullish(revisionSchema),
  sync: z.nullish(z.object({ digestOk: z.nullish(z.boolean()), ageSeconds: z.nullish(z.number()) })),
  since: z.nullish(z.string()),
});
export type NodeAnswer = z.infer<typeof nodeAnswerSchema>;

export const instanceAnswerSchema = z.object({
  instance: z.string(),
  address: z.string(),
  port: z.number(),
  ports: z._default(z.array(z.object({ name: z.string(), port: z.number() })), []),
  agentId: z.string(),
  healthy: z.boolean(),
});
export type InstanceAnswer = z.infer<typeof instanceAnswerSchema>;

export const serviceAnswerSchema = z.object({ name: z.string(), endpoints: z.array(instanceAnswerSchema) });
export type ServiceAnswer = z.infer<typeof serviceAnswerSchema>;

const figure = z.nullish(z.number());

export const trafficAnswerSchema = z.object({
  windowMs: z._default(z.number(), 10_000),
  nodes: z.array(z.object({ agentId: z.string(), rps: z.number(), successRate: figure, p50Ms: figure, p99Ms: figure })),
  services: z.array(
    z.object({
      name: z.string(),
      rps: z.number(),
      successRate: figure,
      p50Ms: figure,
      p95Ms: figure,
      p99Ms: figure,
      retries: figure,
    }),
  ),
});
export type TrafficAnswer = z.infer<typeof trafficAnswerSchema>;

export const healthAnswerSchema = z.object({
  leading: z.optional(z.boolean()),
  subscribed: z.optional(z.boolean()),
  /** Base URL of the leader, of a standby that knows it. */
  leader: z.nullish(z.string()),
  frozen: z.optional(z.boolean()),
});
export type HealthAnswer = z.infer<typeof healthAnswerSchema>;

export const nodesAnswerSchema = z.array(nodeAnswerSchema);
export const servicesAnswerSchema = z.array(serviceAnswerSchema);

/** DC/OS' convention is an array of one id; a bare string or null (no id yet) is understood too. */
export const frameworkIdAnswerSchema = z.union([z.array(z.string()), z.string(), z.null()]);

/** The id in an answer of `v1/state/frameworkId`, or null while there is none. */
export function frameworkIdOf(answer: z.infer<typeof frameworkIdAnswerSchema>): string | null {
  const id = typeof answer === 'string' ? answer : answer?.[0];
  return id === undefined || id === '' ? null : id;
}

/** Thrown when an answer does not fit its schema: the first place that does not, in one sentence. */
export class UnexpectedAnswerError extends Error {
  override readonly name = 'UnexpectedAnswerError';
}

/** Reads an answer, or throws {@link UnexpectedAnswerError}. */
export function readAnswer<T>(schema: z.ZodMiniType<T>, what: string, body: unknown): T {
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const place = issue === undefined ? '' : issue.path.map(String).join('.');
  throw new UnexpectedAnswerError(
    `the answer to ${what} is not understood${place === '' ? '' : ` at ${place}`}: ${issue?.message ?? 'no detail'}`,
  );
}

/** What a standby answers with 503: who leads, where it is known. */
export const standbyAnswerSchema = z.object({ error: z.string(), leader: z.nullable(z.string()) });

/** What is said while an operator has frozen the mesh. */
export const FROZEN = 'Frozen: nothing changes by itself but repair. nodemesh thaw ends it.';

/**
 * States of a node's proxy, the ones that need a person first: the order in which a table shows them. `excluded`: there is
 * to be none, so it is neither healthy nor in trouble.
 */
export const NODE_STATES = ['lost', 'unhealthy', 'pending', 'launching', 'draining', 'healthy', 'excluded'] as const;
export type NodeState = (typeof NODE_STATES)[number];
