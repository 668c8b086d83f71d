/** Small shared shapes: exact times, fault domains, addresses. */
import { z } from 'zod';

export const domainSchema = z.object({
  fault_domain: z
    .object({ region: z.object({ name: z.string() }).optional(), zone: z.object({ name: z.string() }).optional() })
    .optional(),
});

/** 64 bits: a number where a number is exact, else its digits as text. Mesos reads both. */
export const nanosecondsSchema = z.object({ nanoseconds: z.union([z.number(), z.string().regex(/^-?\d+$/)]) });
/** A time since 1970 or a duration. */
export type Nanoseconds = z.infer<typeof nanosecondsSchema>;

/** To the millisecond, rounded down. */
export function millisecondsOf({ nanoseconds }: Nanoseconds): number {
  if (typeof nanoseconds === 'number') return Math.floor(nanoseconds / 1e6);
  const exact = BigInt(nanoseconds);
  const whole = exact / 1_000_000n;
  return Number(exact < 0n && exact % 1_000_000n !== 0n ? whole - 1n : whole);
}

export const unavailabilitySchema = z.object({ start: nanosecondsSchema, duration: nanosecondsSchema.optional() });

export const urlSchema = z.object({
  scheme: z.string().optional(),
  address: z.object({ hostname: z.string().optional(), ip: z.string().optional(), port: z.number().int() }),
  path: z.string().optional(),
});
