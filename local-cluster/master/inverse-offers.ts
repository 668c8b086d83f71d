/** Asks frameworks to leave agents that will be unavailable, takes the question back, and keeps their answers. */
import {
  type AgentId,
  type CallBody,
  type EventWire,
  offerId as parseOfferId,
} from '../../framework/mesos-http-client/messages.ts';
import type { AgentRecord } from './agents.ts';
import type { MasterContext } from './context.ts';
import { type FrameworkRecord, sendTo } from './frameworks.ts';
import { machineOf } from './maintenance.ts';
import { refusalMs } from './offers.ts';
import { isTerminal } from './tasks.ts';

type AcceptInverse = Extract<CallBody, { type: 'ACCEPT_INVERSE_OFFERS' }>['accept_inverse_offers'];
type InverseWire = Extract<EventWire, { type: 'INVERSE_OFFERS' }>['inverse_offers']['inverse_offers'];

/** After each allocation: to every framework that holds something on such an agent, again once its answer has aged. */
export function sendInverseOffers(context: MasterContext): void {
  const leaving = context.agents
    .all()
    .filter((agent) => agent.link.kind === 'connected')
    .filter((agent) => context.maintenance.unavailabilityOf(machineOf(agent)) !== undefined);
  if (leaving.length === 0) return;
  for (const framework of context.frameworks.all()) {
    if (framework.link.kind !== 'connected') continue;
    const asked = leaving.filter(
      (agent) =>
        holdsOn(context, framework, agent.id) &&
        context.maintenance.mayAsk(framework.id, agent.id, context.clock.now()),
    );
    if (asked.length === 0) continue;
    const inverse_offers = asked.flatMap((agent) => inverseOffer(context, framework, agent));
    sendTo(framework, { type: 'INVERSE_OFFERS', inverse_offers: { inverse_offers } });
  }
}

function inverseOffer(
  context: MasterContext,
  framework: FrameworkRecord,
  agent: AgentRecord,
): NonNullable<InverseWire> {
  const unavailability = context.maintenance.unavailabilityOf(machineOf(agent));
  const { description } = agent;
  if (unavailability === undefined || description === null) return [];
  const id = parseOfferId(`${context.identity.id}-O${context.nextNumber('offer')}`);
  context.maintenance.addInverse({ id, frameworkId: framework.id, agentId: agent.id });
  const { hostname, ip, port } = description;
  return [
    {
      id: { value: id },
      url: { scheme: 'http', address: { hostname, ip, port }, path: '/slave(1)' },
      framework_id: { value: framework.id },
      agent_id: { value: agent.id },
      unavailability,
    },
  ];
}

/** Offers count: they too would have to be given up. */
function holdsOn(context: MasterContext, framework: FrameworkRecord, agentId: AgentId): boolean {
  const tasks = [...framework.tasks.values()].some((task) => task.agentId === agentId && !isTerminal(task.state));
  return tasks || context.offers.ofFramework(framework.id).some((offer) => offer.agentId === agentId);
}

export function rescindInverseOffersOn(context: MasterContext, agentId: AgentId): void {
  for (const { id, frameworkId } of context.maintenance.inverseOn(agentId)) {
    context.maintenance.removeInverse(id);
    const framework = context.frameworks.get(frameworkId);
    if (framework === undefined) continue;
    sendTo(framework, { type: 'RESCIND_INVERSE_OFFER', rescind_inverse_offer: { inverse_offer_id: { value: id } } });
  }
}

/** Advice for the operator, nothing more. Unknown ids are passed over. */
export function answerInverseOffers(
  context: MasterContext,
  framework: FrameworkRecord,
  status: 'ACCEPT' | 'DECLINE',
  call: AcceptInverse,
): void {
  const at = context.clock.now();
  const quietUntil = at + Math.max(refusalMs(call.filters), context.settings.allocationIntervalMs);
  for (const { value } of call.inverse_offer_ids) {
    const offer = context.maintenance.inverse(value);
    if (offer === undefined || offer.frameworkId !== framework.id) continue;
    context.maintenance.answered({ frameworkId: framework.id, agentId: offer.agentId, status, at, quietUntil });
  }
}
