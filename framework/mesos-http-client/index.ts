/** The public face of the client: see README.md. */
export type { CallOutcome } from './calls.ts';
export { UnreachableError } from './http.ts';
export type { DetectorOptions, MasterRegistry } from './leader-detector.ts';
export { detectLeader } from './leader-detector.ts';
export type { MasterSource } from './master-source.ts';
export { fixedMaster } from './master-source.ts';
export type { AgentList, Operator, OperatorOptions } from './operator.ts';
export { createOperator } from './operator.ts';
export { encodeRecord, RecordIoDecoder, RecordIoError } from './record-io.ts';
export type { Subscription, SubscriptionOptions } from './subscription.ts';
export { createSubscription } from './subscription.ts';
