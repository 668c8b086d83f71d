/**
 * What discovery reads of a Marathon app, as a tolerant schema: Marathon 1.4 to 1.11 write the same thing in several
 * shapes, `null` means absent everywhere, and one odd field must not cost an app its other instances.
 */
import { z } from 'zod';

/** A field that may be absent, null or of the wrong type: all three read as undefined. */
export function loose<T extends z.ZodType>(schema: T) {
  return schema
    .nullish()
    .catch(undefined)
    .transform((value) => value ?? undefined);
}

/** A list whose unusable elements are left out. */
export function looseList<T extends z.ZodType>(schema: T) {
  return loose(
    z.array(z.unknown()).transform((items) =>
      items.flatMap((item) => {
        const parsed = schema.safeParse(item);
        return parsed.success ? [parsed.data as z.output<T>] : [];
      }),
    ),
  );
}

/** A list of which the position counts: an unusable element reads as undefined, in its place. */
export function positionalList<T extends z.ZodType>(schema: T) {
  return loose(
    z.array(z.unknown()).transform((items) =>
      items.map((item): z.output<T> | undefined => {
        const parsed = schema.safeParse(item);
        return parsed.success ? parsed.data : undefined;
      }),
    ),
  );
}

export const text = loose(z.string());
export const number = loose(z.number().int());

/** Labels are text by contract; numbers and booleans from careless writers become text, anything else is left out. */
export const labels = loose(z.record(z.string(), z.unknown())).transform((record) => {
  const out: Record<string, string> = {};
  for (const [key, value] of Object.entries(record ?? {})) {
    if (typeof value === 'string') out[key] = value;
    else if (typeof value === 'number' || typeof value === 'boolean') out[key] = String(value);
  }
  return out;
});

const portMapping = z.object({
  containerPort: number,
  /** Null or absent: no host port is allocated (container networks); 0: any. */
  hostPort: number,
  name: text,
  /** `tcp`, `udp` or `udp,tcp`. */
  protocol: text,
  networkNames: looseList(z.string()),
});

const task = z.object({
  id: z.string().min(1),
  host: text,
  slaveId: text,
  state: text,
  /** When it began to run, and which version of the app it is of; both as ISO 8601 has it. */
  startedAt: text,
  version: text,
  ports: positionalList(z.number().int()),
  ipAddresses: positionalList(z.object({ ipAddress: text, protocol: text })),
  healthCheckResults: looseList(z.object({ alive: loose(z.boolean()) })),
});
export type MarathonTask = z.output<typeof task>;

export const marathonAppSchema = z.object({
  id: z.string().regex(/^\/?[^/]/),
  labels,
  networks: positionalList(z.object({ mode: text, name: text })),
  portDefinitions: positionalList(z.object({ name: text, port: number, protocol: text })),
  /** The host ports are those of the definitions, and no others. */
  requirePorts: loose(z.boolean()),
  /** How many there shall be. */
  instances: number,
  version: text,
  versionInfo: loose(z.object({ lastConfigChangeAt: text })),
  upgradeStrategy: loose(z.object({ minimumHealthCapacity: loose(z.number()) })),
  container: loose(
    z.object({
      portMappings: positionalList(portMapping),
      docker: loose(z.object({ network: text, portMappings: positionalList(portMapping) })),
    }),
  ),
  /** Before Marathon 1.5: one address a task. */
  ipAddress: loose(
    z.object({
      discovery: loose(z.object({ ports: positionalList(z.object({ number, name: text, protocol: text })) })),
    }),
  ),
  healthChecks: loose(z.array(z.unknown())),
  readinessChecks: positionalList(z.object({ timeoutSeconds: loose(z.number()) })),
  readinessCheckResults: looseList(z.object({ taskId: z.string(), ready: loose(z.boolean()) })),
  deployments: loose(z.array(z.unknown())),
  tasks: looseList(task),
});
export type MarathonDocument = z.output<typeof marathonAppSchema>;
