/** Events, master → scheduler. Source: include/mesos/v1/scheduler/scheduler.proto. */
import { z } from 'zod';
import { agentIdValue, frameworkIdValue, offerIdValue, textValue } from './ids.ts';
import { masterInfoSchema } from './masters.ts';
import { inverseOfferSchema, offerSchema } from './offers.ts';
import { operationStatusSchema, taskStatusSchema } from './task-status.ts';

export const eventSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('SUBSCRIBED'),
    subscribed: z.object({
      framework_id: frameworkIdValue,
      heartbeat_interval_seconds: z.number().positive().optional(),
      master_info: masterInfoSchema.optional(),
    }),
  }),
  z.object({ type: z.literal('OFFERS'), offers: z.object({ offers: z.array(offerSchema).default([]) }) }),
  z.object({ type: z.literal('RESCIND'), rescind: z.object({ offer_id: offerIdValue }) }),
  z.object({
    type: z.literal('INVERSE_OFFERS'),
    inverse_offers: z.object({ inverse_offers: z.array(inverseOfferSchema).default([]) }),
  }),
  z.object({
    type: z.literal('RESCIND_INVERSE_OFFER'),
    rescind_inverse_offer: z.object({ inverse_offer_id: offerIdValue }),
  }),
  z.object({ type: z.literal('UPDATE'), update: z.object({ status: taskStatusSchema }) }),
  z.object({
    type: z.literal('UPDATE_OPERATION_STATUS'),
    update_operation_status: z.object({ status: operationStatusSchema }),
  }),
  z.object({
    type: z.literal('MESSAGE'),
    message: z.object({ agent_id: agentIdValue, executor_id: textValue, data: z.string() }),
  }),
  z.object({
    type: z.literal('FAILURE'),
    failure: z.object({
      agent_id: agentIdValue.optional(),
      executor_id: textValue.optional(),
      status: z.number().optional(),
    }),
  }),
  z.object({ type: z.literal('ERROR'), error: z.object({ message: z.string() }) }),
  z.object({ type: z.literal('HEARTBEAT') }),
]);
export type Event = z.infer<typeof eventSchema>;
/** An event as the master writes it. */
export type EventWire = z.input<typeof eventSchema>;
