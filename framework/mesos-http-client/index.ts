/** The public face of the client: see README.md. */
export type { Authorization } from './auth/authorization.ts';
export { principalAuthorization } from './auth/authorization.ts';
export type { CallOutcome } from './calls.ts';
export type { MesosErrorKind } from './errors.ts';
export { MesosError } from './errors.ts';
export type { DownKind } from './event-stream.ts';
export type { FrameworkError, FrameworkErrorKind } from './framework-error.ts';
export { frameworkErrorOf } from './framework-error.ts';
export type { TlsTrust } from './http.ts';
export type { MasterAccess } from './leader.ts';
export type { MasterSource } from './master-source.ts';
export { fixedMaster } from './master-source.ts';
export type { AgentList, Operator, OperatorOptions } from './operator.ts';
export { createOperator } from './operator.ts';
export { encodeRecord, RecordIoDecoder, RecordIoError } from './record-io.ts';
export { serviceAccountAuthorization } from './service-account.ts';
export type { Subscription, SubscriptionOptions } from './subscription.ts';
export { createSubscription } from './subscription.ts';
