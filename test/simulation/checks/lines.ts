/** Events and actions in a line each, for the trace. */
import type { Action, DaemonsetEvent } from '../../../framework/daemonset/events.ts';
import type { CallBody } from '../../../framework/mesos-http-client/messages.ts';

export function lineOf(one: Action | DaemonsetEvent): string {
  switch (one.type) {
    case 'update': {
      const { task_id, agent_id, state, reason, uuid } = one.status;
      return `${state} ${task_id.value} on ${agent_id?.value} ${reason ?? ''} ${uuid ?? ''}`;
    }
    case 'offers':
      return `offers ${one.offers.map((offer) => `${offer.id.value}@${offer.agent_id.value} ${offer.allocation_info?.role}`).join(', ')}`;
    case 'health':
      return `health ${one.taskId} ${one.health.healthy ? 'healthy' : one.health.dead ? 'dead' : 'unhealthy'}`;
    case 'runs':
    case 'upgrade-failed':
      return `${one.type} ${one.taskId} ${one.goal}`;
    case 'agents':
      return `agents ${one.registered.map((agent) => agent.view.agentId).join(' ')} (${one.recovered.join(' ')})`;
    case 'agent-added':
      return `agent-added ${one.agent.view.agentId}`;
    case 'agent-removed':
    case 'forget':
      return `${one.type} ${one.agentId}`;
    case 'order':
      return `order ${JSON.stringify(one.order)}`;
    case 'accept-failed':
      return `accept-failed ${one.taskId} ${one.refused ? 'refused' : 'unknown'}`;
    case 'persist': {
      const { agentId, taskId, goal, step, reserved, failures } = one.record;
      return `persist ${agentId} ${taskId} ${goal?.id} ${step?.state ?? ''} ${reserved ?? ''} ${failures}`;
    }
    case 'persist-rollout':
      return `persist-rollout ${one.record.id} ${one.record.status} ${one.record.phase}`;
    case 'persist-framework':
      return `persist-framework ${one.record.mode} ${one.record.frozen} ${one.record.completed?.id}`;
    case 'upgrade':
      return `upgrade ${one.taskId} ${one.goal.id}`;
    case 'wake':
      return `wake ${one.at}`;
    case 'begin':
      return `begin ${one.goal.id} ${one.uninstall}`;
    case 'judged':
      return `judged ${one.rollout} ${one.phase} ${JSON.stringify(one.judgement)}`;
    case 'answer':
      return `answer ${one.outcome.kind} ${one.outcome.message}`;
    case 'call':
      return lineOfCall(one.body);
    default:
      return one.type;
  }
}

function lineOfCall(body: CallBody): string {
  switch (body.type) {
    case 'ACCEPT':
      return `ACCEPT ${ids(body.accept.offer_ids)} ${body.accept.operations?.map((one) => one.type).join(' ')}`;
    case 'DECLINE':
      return `DECLINE ${ids(body.decline.offer_ids)} ${body.decline.filters?.refuse_seconds}`;
    case 'KILL':
      return `KILL ${body.kill.task_id.value} on ${body.kill.agent_id?.value}`;
    case 'ACKNOWLEDGE':
      return `ACKNOWLEDGE ${body.acknowledge.task_id.value} ${body.acknowledge.uuid}`;
    case 'RECONCILE':
      return `RECONCILE ${body.reconcile.tasks.map((one) => one.task_id.value).join(' ')}`;
    default:
      return body.type;
  }
}

const ids = (list: readonly { value: string }[]): string => list.map(({ value }) => value).join(' ');
