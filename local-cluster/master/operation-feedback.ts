/**
 * What became of operations that carry an id: told until the framework acknowledges it, and on request. Mesos keeps
 * this on the agents; here it is the master's, so a new leader knows nothing of earlier operations.
 */
import type { AgentId, CallBody, Operation } from '../../framework/mesos-http-client/messages.ts';
import type { AgentRecord } from './agents.ts';
import type { MasterContext } from './context.ts';
import { type FinishedOperation, type FrameworkRecord, sendTo } from './frameworks.ts';

/** Calls about operations; each has its name in lower case as a field. */
export type OperationCall =
  | {
      readonly type: 'RECONCILE_OPERATIONS';
      readonly reconcile_operations: { readonly operations: readonly AskedOperation[] };
    }
  | {
      readonly type: 'ACKNOWLEDGE_OPERATION_STATUS';
      readonly acknowledge_operation_status: {
        readonly operation_id: { readonly value: string };
        readonly uuid: string;
      };
    };

/** Every call that a framework can make on its stream. */
export type MasterCall = CallBody | OperationCall;

interface AskedOperation {
  readonly operation_id: { readonly value: string };
  readonly agent_id?: { readonly value: AgentId } | undefined;
}

type OperationState =
  | 'OPERATION_FINISHED'
  | 'OPERATION_ERROR'
  | 'OPERATION_DROPPED'
  | 'OPERATION_UNKNOWN'
  | 'OPERATION_RECOVERING'
  | 'OPERATION_UNREACHABLE'
  | 'OPERATION_GONE_BY_OPERATOR';

/** As for tasks: after 10 s, doubling to 10 min. */
const FIRST_RESEND_MS = 10_000;
const MAX_RESEND_MS = 600_000;
/** A framework that never acknowledges must not make the master's memory grow. */
const MAX_UNACKNOWLEDGED = 1000;

export function operationFinished(
  context: MasterContext,
  framework: FrameworkRecord,
  agent: AgentRecord,
  operation: Operation,
): void {
  if (operation.id === undefined) return;
  const uuid = Buffer.from(context.uuid().replaceAll('-', ''), 'hex').toString('base64');
  const finished = { id: operation.id.value, agentId: agent.id, uuid, stopResend: () => undefined };
  framework.operations.get(finished.id)?.stopResend();
  framework.operations.set(finished.id, finished);
  const oldest = framework.operations.values().next().value;
  if (framework.operations.size > MAX_UNACKNOWLEDGED && oldest !== undefined) drop(framework, oldest);
  sendFinished(context, framework, finished, FIRST_RESEND_MS);
}

function sendFinished(
  context: MasterContext,
  framework: FrameworkRecord,
  finished: FinishedOperation,
  waitMs: number,
): void {
  const resend = (): void => sendFinished(context, framework, finished, Math.min(waitMs * 2, MAX_RESEND_MS));
  finished.stopResend = context.clock.after(waitMs, resend);
  const { id, agentId, uuid } = finished;
  tellState(framework, id, 'OPERATION_FINISHED', { uuid: { value: uuid }, agent_id: { value: agentId } });
}

/** Not carried out: told once, not kept. Without an id nobody hears of it. */
export function operationFailed(
  framework: FrameworkRecord,
  agent: AgentRecord | null,
  operation: Operation,
  state: 'OPERATION_ERROR' | 'OPERATION_DROPPED',
  message: string,
): void {
  if (operation.id === undefined) return;
  tellState(framework, operation.id.value, state, {
    message,
    ...(agent === null ? {} : { agent_id: { value: agent.id } }),
  });
}

export function acknowledgeOperation(
  framework: FrameworkRecord,
  ack: Extract<OperationCall, { type: 'ACKNOWLEDGE_OPERATION_STATUS' }>['acknowledge_operation_status'],
): void {
  const finished = framework.operations.get(ack.operation_id.value);
  if (finished?.uuid === ack.uuid) drop(framework, finished);
}

/** None named: all that is not acknowledged. */
export function reconcileOperations(
  context: MasterContext,
  framework: FrameworkRecord,
  asked: readonly AskedOperation[],
): void {
  const named = asked.map(({ operation_id, agent_id }) => ({ id: operation_id.value, agentId: agent_id?.value }));
  const all = [...framework.operations.values()].map(({ id }) => ({ id, agentId: undefined }));
  for (const { id, agentId } of asked.length === 0 ? all : named) {
    const finished = framework.operations.get(id);
    if (finished !== undefined) {
      tellState(framework, id, 'OPERATION_FINISHED', { agent_id: { value: finished.agentId } });
      continue;
    }
    tellState(framework, id, unknownState(context, agentId), {
      message: 'Reconciliation: Operation is unknown',
      ...(agentId === undefined ? {} : { agent_id: { value: agentId } }),
    });
  }
}

/** No silence here, unlike for tasks: an agent that is not back yet is RECOVERING. */
function unknownState(context: MasterContext, agentId: AgentId | undefined): OperationState {
  if (agentId === undefined)
    return context.agents.recovered().length > 0 ? 'OPERATION_RECOVERING' : 'OPERATION_UNKNOWN';
  if (context.agents.gone.has(agentId)) return 'OPERATION_GONE_BY_OPERATOR';
  const kind = context.agents.get(agentId)?.link.kind;
  if (kind === 'recovered') return 'OPERATION_RECOVERING';
  return kind === 'unreachable' ? 'OPERATION_UNREACHABLE' : 'OPERATION_UNKNOWN';
}

export function forgetOperations(framework: FrameworkRecord): void {
  for (const finished of framework.operations.values()) drop(framework, finished);
}

function drop(framework: FrameworkRecord, finished: FinishedOperation): void {
  finished.stopResend();
  framework.operations.delete(finished.id);
}

function tellState(framework: FrameworkRecord, id: string, state: OperationState, rest: object): void {
  const status = { operation_id: { value: id }, state, ...rest };
  sendTo(framework, { type: 'UPDATE_OPERATION_STATUS', update_operation_status: { status } });
}
