/** Runs the allocator over the master's tables and sends what it decided; takes offers back. */
import { type AgentId, type OfferWire, offerId } from '../../framework/mesos-http-client/messages.ts';
import type { AgentRecord } from './agents.ts';
import { allocateRound, type Candidate } from './allocator.ts';
import type { MasterContext } from './context.ts';
import { activeResources, type FrameworkRecord, hasCapability, rolesOf, sendTo } from './frameworks.ts';
import { rescindInverseOffersOn, sendInverseOffers } from './inverse-offers.ts';
import { machineOf } from './maintenance.ts';
import type { OfferRecord } from './offers.ts';
import { add, allocate, contains, inOfferOrder, type Resources, subtract, toWire, unallocate } from './resources.ts';

export function runAllocation(context: MasterContext): void {
  const now = context.clock.now();
  const connected = context.agents.all().filter((agent) => agent.link.kind === 'connected' && !agent.deactivated);
  const allocations = allocateRound({
    candidates: candidates(context),
    agents: connected.map((agent) => ({ id: agent.id, free: freeOn(context, agent) })),
    clusterTotal: connected.reduce<Resources>((sum, agent) => add(sum, agent.total), []),
    blocked: (candidate, agentId, offered) =>
      context.filters.blocks(candidate.frameworkId, candidate.role, agentId, offered, now),
  });

  for (const framework of context.frameworks.all()) {
    const its = allocations.filter((allocation) => allocation.frameworkId === framework.id);
    if (its.length === 0) continue;
    const offers = its.map((allocation): OfferRecord => {
      const id = offerId(`${context.identity.id}-O${context.nextNumber('offer')}`);
      return { ...allocation, id, resources: allocate(inOfferOrder(allocation.resources), allocation.role) };
    });
    for (const offer of offers) context.offers.add(offer);
    const refined = hasCapability(framework.info, 'RESERVATION_REFINEMENT');
    const wire = offers.flatMap((offer) => offerWire(context, offer, refined));
    sendTo(framework, { type: 'OFFERS', offers: { offers: wire } });
  }
  sendInverseOffers(context);
}

/** What an agent has that is neither in use nor on offer. */
export function freeOn(context: MasterContext, agent: AgentRecord): Resources {
  return subtract(subtract(agent.total, agent.used), context.offers.offeredOn(agent.id));
}

/** Takes back every offer and inverse offer on an agent and tells the frameworks that held them. */
export function rescindOffersOn(context: MasterContext, agentId: AgentId): void {
  for (const offer of context.offers.ofAgent(agentId)) rescind(context, offer);
  rescindInverseOffersOn(context, agentId);
}

/** Takes back the offers on an agent that have one of these resources in them. */
export function rescindOffersOf(context: MasterContext, agentId: AgentId, list: Resources): void {
  for (const offer of context.offers.ofAgent(agentId)) {
    if (list.some((resource) => contains(unallocate(offer.resources), [resource]))) rescind(context, offer);
  }
}

function rescind(context: MasterContext, offer: OfferRecord): void {
  context.offers.remove(offer.id);
  const framework = context.frameworks.get(offer.frameworkId);
  if (framework !== undefined) sendTo(framework, { type: 'RESCIND', rescind: { offer_id: { value: offer.id } } });
}

/** Takes back every offer of a framework that nobody has to be told of: its stream ended. */
export function dropOffersOf(context: MasterContext, framework: FrameworkRecord): void {
  const offers = context.offers.ofFramework(framework.id);
  for (const offer of offers) context.offers.remove(offer.id);
  context.maintenance.forgetFramework(framework.id);
  if (offers.length > 0) context.requestAllocation();
}

/** An offer as it is written; nothing if its agent has just gone. */
export function offerWire(context: MasterContext, offer: OfferRecord, refined: boolean): OfferWire[] {
  const agent = context.agents.get(offer.agentId);
  const description = agent?.description;
  if (agent === undefined || description == null) return [];
  const unavailability = context.maintenance.unavailabilityOf(machineOf(agent));
  return [
    {
      id: { value: offer.id },
      framework_id: { value: offer.frameworkId },
      agent_id: { value: offer.agentId },
      hostname: description.hostname,
      url: {
        scheme: 'http',
        address: { hostname: description.hostname, ip: description.ip, port: description.port },
        path: '/slave(1)',
      },
      ...(description.domain === undefined ? {} : { domain: description.domain }),
      resources: offer.resources.map((resource) => toWire(resource, refined)),
      attributes: [...description.attributes],
      ...(unavailability === undefined ? {} : { unavailability }),
      allocation_info: { role: offer.role },
    },
  ];
}

function candidates(context: MasterContext): Candidate[] {
  return context.frameworks.all().flatMap((framework) => {
    if (framework.link.kind !== 'connected') return [];
    const held = [
      ...activeResources(framework),
      ...context.offers.ofFramework(framework.id).flatMap((offer) => offer.resources),
    ];
    return rolesOf(framework.info)
      .filter((role) => !framework.suppressed.has(role))
      .map((role) => ({
        frameworkId: framework.id,
        role,
        refined: hasCapability(framework.info, 'RESERVATION_REFINEMENT'),
        gpus: hasCapability(framework.info, 'GPU_RESOURCES'),
        holds: held.filter((resource) => resource.allocation_info?.role === role),
      }));
  });
}
