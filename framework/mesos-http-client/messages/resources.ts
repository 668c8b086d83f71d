/** What an agent has and what is asked of it: resources, reservations, attributes. Source: include/mesos/v1/mesos.proto. */
import { z } from 'zod';
import { textValue } from './ids.ts';

export const labelsSchema = z.object({
  labels: z.array(z.object({ key: z.string(), value: z.string().optional() })).optional(),
});
export type Labels = z.infer<typeof labelsSchema>;

/** Inclusive at both ends. */
export const rangeSchema = z.object({ begin: z.number().int(), end: z.number().int() });
export type Range = z.infer<typeof rangeSchema>;

export const reservationSchema = z.object({
  type: z.enum(['STATIC', 'DYNAMIC']).optional(),
  role: z.string().optional(),
  principal: z.string().optional(),
  labels: labelsSchema.optional(),
});
export type ReservationInfo = z.infer<typeof reservationSchema>;

/**
 * A resource in either shape: before reservation refinement (`role`, `reservation`) and after it (`reservations`,
 * a stack; empty means unreserved). SCALAR has a precision of three decimals.
 */
export const resourceSchema = z.object({
  name: z.string(),
  type: z.enum(['SCALAR', 'RANGES', 'SET', 'TEXT']),
  scalar: z.object({ value: z.number() }).optional(),
  ranges: z.object({ range: z.array(rangeSchema).optional() }).optional(),
  set: z.object({ item: z.array(z.string()).optional() }).optional(),
  role: z.string().optional(),
  reservation: reservationSchema.optional(),
  reservations: z.array(reservationSchema).optional(),
  allocation_info: z.object({ role: z.string().optional() }).optional(),
  /** Persistent volumes and the like: carried, not interpreted. An offer is accepted with all that it said. */
  disk: z.unknown().optional(),
  revocable: z.unknown().optional(),
  shared: z.unknown().optional(),
  provider_id: z.unknown().optional(),
});
export type Resource = z.infer<typeof resourceSchema>;

export const attributeSchema = z.object({
  name: z.string(),
  type: z.enum(['SCALAR', 'RANGES', 'SET', 'TEXT']),
  text: textValue.optional(),
  scalar: z.object({ value: z.number() }).optional(),
  ranges: z.object({ range: z.array(rangeSchema).optional() }).optional(),
  set: z.object({ item: z.array(z.string()).optional() }).optional(),
});
export type Attribute = z.infer<typeof attributeSchema>;
