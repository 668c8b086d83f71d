/** What a master says of itself. Source: include/mesos/v1/mesos.proto. */
import { z } from 'zod';
import { domainSchema } from './times-and-places.ts';

/** `ip` (an integer, its bytes swapped) is left out on purpose: `address` has it readable. */
export const masterInfoSchema = z.object({
  id: z.string(),
  hostname: z.string().optional(),
  port: z.number().int().optional(),
  pid: z.string().optional(),
  version: z.string().optional(),
  address: z.object({ hostname: z.string().optional(), ip: z.string().optional(), port: z.number().int() }).optional(),
  domain: domainSchema.optional(),
  capabilities: z.array(z.object({ type: z.string().optional() })).optional(),
});
export type MasterInfo = z.infer<typeof masterInfoSchema>;
