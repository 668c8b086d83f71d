/** Offers and inverse offers. Source: include/mesos/v1/mesos.proto. */
import { z } from 'zod';
import { agentIdValue, frameworkIdValue, offerIdValue, textValue } from './ids.ts';
import { attributeSchema, resourceSchema } from './resources.ts';
import { domainSchema, unavailabilitySchema, urlSchema } from './times-and-places.ts';

export const offerSchema = z.object({
  id: offerIdValue,
  framework_id: frameworkIdValue,
  agent_id: agentIdValue,
  hostname: z.string(),
  url: urlSchema.optional(),
  domain: domainSchema.optional(),
  resources: z.array(resourceSchema).default([]),
  attributes: z.array(attributeSchema).default([]),
  executor_ids: z.array(textValue).default([]),
  unavailability: unavailabilitySchema.optional(),
  allocation_info: z.object({ role: z.string().optional() }).optional(),
});
/** The resources of one agent, offered to one role. */
export type Offer = z.infer<typeof offerSchema>;
/** An offer as the master writes it: optional lists may be absent. */
export type OfferWire = z.input<typeof offerSchema>;

export const inverseOfferSchema = z.object({
  id: offerIdValue,
  framework_id: frameworkIdValue,
  agent_id: agentIdValue.optional(),
  unavailability: unavailabilitySchema,
  url: urlSchema.optional(),
  resources: z.array(resourceSchema).default([]),
});
export type InverseOffer = z.infer<typeof inverseOfferSchema>;
