/**
 * The wire types of the Mesos v1 scheduler and operator API, as JSON: schemas for what comes from the master
 * (validation and type in one), plain types for what is sent to it.
 *
 * Source: include/mesos/v1/{mesos,scheduler,master}.proto. Unknown fields are dropped, unknown event types are let
 * through as `UNKNOWN` by the reader, never an error: a newer master must not break an older client.
 */
export * from './messages/calls.ts';
export * from './messages/events.ts';
export * from './messages/ids.ts';
export * from './messages/masters.ts';
export * from './messages/offers.ts';
export * from './messages/operator.ts';
export * from './messages/operator-calls.ts';
export * from './messages/operator-events.ts';
export * from './messages/resources.ts';
export * from './messages/task-info.ts';
export * from './messages/task-status.ts';
export * from './messages/times-and-places.ts';
