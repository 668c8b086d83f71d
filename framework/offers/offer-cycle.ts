/**
 * The walk of an offer: which node is it of → does the node need a task → does the task fit → ACCEPT or DECLINE. Every
 * offer is answered in the step that brings it; none is kept.
 */
import { viewOfOffer } from '../daemonset/agent-view.ts';
import type { Step } from '../daemonset/effects.ts';
import { seeAgent } from '../daemonset/nodes.ts';
import type { Node } from '../daemonset/state.ts';
import { type InverseOffer, millisecondsOf, type Offer, type OfferId } from '../mesos-http-client/messages.ts';
import { newTask } from '../tasks/ledger.ts';
import { askFate, LAUNCH_SILENCE_MS } from '../tasks/status-flow.ts';
import { acceptCall, SERVED_REFUSE_SECONDS, taskInfo } from './launch.ts';
import { type Needs, place } from './placement.ts';
import { isReady, offerCame } from './revival.ts';

/** An agent that waits is offered again soon: what it lacks may be free by then. */
const WAITING_REFUSE_SECONDS = 5;
const MAINTENANCE_REFUSE_SECONDS = 60;
/** The agent has a task whose fate is being asked: should it be dead, offers are wanted soon. */
const DOUBT_REFUSE_SECONDS = 10;
/** Should what the agent lacks come free while the master still holds back offers, one is asked for. */
const MISFIT_PATIENCE_MS = 300_000;
const MAX_IDS_IN_A_CALL = 1_000;

type Answer = 'used' | { readonly refuseSeconds: number };

export function answerOffers(step: Step, offers: readonly Offer[]): void {
  step.state.counters.offersReceived += offers.length;
  const declined = new Map<number, OfferId[]>();
  for (const group of groupOffers(offers)) {
    const answer = answerGroup(step, group);
    if (answer === 'used') continue;
    const ids = declined.get(answer.refuseSeconds) ?? [];
    ids.push(...group.map((offer) => offer.id.value));
    declined.set(answer.refuseSeconds, ids);
  }
  for (const [refuseSeconds, ids] of declined) decline(step, ids, refuseSeconds);
}

function answerGroup(step: Step, group: readonly Offer[]): Answer {
  const [first] = group;
  if (first === undefined) return 'used';
  const before = step.state.nodes.get(first.agent_id.value);
  const view = viewOfOffer(first, before?.agent);
  // Without an address nothing can be done on that agent; a list of agents may bring it.
  if (view === null) return { refuseSeconds: WAITING_REFUSE_SECONDS };
  const node = seeAgent(step, view);
  // A drained agent offers nothing: that it does means that it is active again.
  if (node.task === null) node.draining = false;

  if (node.task !== null) {
    // It is registered, so the master can tell what became of the task.
    const { phase } = node.task;
    if (phase === 'lost' || phase === 'unreachable') askFate(step, node);
    const inDoubt = phase === 'lost' || phase === 'unreachable' || phase === 'recovered';
    return { refuseSeconds: inDoubt ? DOUBT_REFUSE_SECONDS : SERVED_REFUSE_SECONDS };
  }
  const ready = isReady(node, step.now);
  offerCame(step, node);
  if (!ready) return { refuseSeconds: waitOf(node, step.now) };
  const maintenance = maintenanceOf(first, step.now);
  if (maintenance !== null) {
    node.misfit = maintenance;
    return { refuseSeconds: MAINTENANCE_REFUSE_SECONDS };
  }
  if (launchOn(step, node, group)) return 'used';
  step.arm(node, 'hungry', step.now + MISFIT_PATIENCE_MS);
  return { refuseSeconds: WAITING_REFUSE_SECONDS };
}

function launchOn(step: Step, node: Node, group: readonly Offer[]): boolean {
  const { agentId, hostname } = node.agent;
  try {
    const taskId = step.environment.newTaskId(node.agent);
    const template = step.environment.template(node.agent, taskId);
    const needs: Needs = { cpus: template.cpus, mem: template.mem, ports: template.ports };
    const placement = place(
      needs,
      group.flatMap((offer) => offer.resources),
    );
    if (!placement.fits) {
      node.misfit = placement.reason;
      return false;
    }
    node.task = newTask(taskId, 'launching', step.now, step.now);
    node.misfit = null;
    node.notBefore = null;
    step.state.tasks.set(taskId, agentId);
    step.state.counters.launches += 1;
    step.persist(node);
    step.arm(node, 'launch', step.now + LAUNCH_SILENCE_MS);
    const task = taskInfo(agentId, taskId, template, placement.resources);
    step.call(
      acceptCall(
        group.map((offer) => offer.id.value),
        task,
      ),
      taskId,
    );
    step.log('info', 'launching', { agentId, hostname, taskId });
    return true;
  } catch (error) {
    // The user's own code said what to run; what is wrong there must be seen, and must not take the others down.
    const why = error instanceof Error ? error.message : String(error);
    node.misfit = `the task for this agent could not be described (${why})`;
    step.log('warn', 'the task for an agent could not be described', { agentId, hostname, why });
    return false;
  }
}

function waitOf(node: Node, now: number): number {
  if (node.notBefore === null || node.notBefore <= now) return WAITING_REFUSE_SECONDS;
  return Math.ceil((node.notBefore - now) / 1000);
}

/** The offers of an ACCEPT that the master refused are still open: no answer would keep them from everybody for ever. */
export function giveBack(step: Step, ids: readonly OfferId[]): void {
  decline(step, ids, WAITING_REFUSE_SECONDS);
}

function decline(step: Step, ids: readonly OfferId[], refuseSeconds: number): void {
  step.state.counters.offersDeclined += ids.length;
  for (let from = 0; from < ids.length; from += MAX_IDS_IN_A_CALL) {
    const some = ids.slice(from, from + MAX_IDS_IN_A_CALL).map((value) => ({ value }));
    step.call({ type: 'DECLINE', decline: { offer_ids: some, filters: { refuse_seconds: refuseSeconds } } });
  }
}

/** A daemonset is never in the way of maintenance: its tasks go when the machine goes. */
export function answerInverseOffers(step: Step, offers: readonly InverseOffer[]): void {
  if (offers.length === 0) return;
  step.call({
    type: 'ACCEPT_INVERSE_OFFERS',
    accept_inverse_offers: {
      inverse_offer_ids: offers.map((offer) => ({ value: offer.id.value })),
      filters: { refuse_seconds: SERVED_REFUSE_SECONDS },
    },
  });
}

/** Offers of one agent and one role may be used together; others never. */
function groupOffers(offers: readonly Offer[]): Offer[][] {
  const groups = new Map<string, Offer[]>();
  for (const offer of offers) {
    const key = `${offer.agent_id.value} ${offer.allocation_info?.role ?? ''}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [offer]);
    else group.push(offer);
  }
  return [...groups.values()];
}

function maintenanceOf(offer: Offer, now: number): string | null {
  const window = offer.unavailability;
  if (window === undefined) return null;
  const start = millisecondsOf(window.start);
  const end = window.duration === undefined ? Number.POSITIVE_INFINITY : start + millisecondsOf(window.duration);
  return start <= now && now < end ? `the agent is in maintenance since ${new Date(start).toISOString()}` : null;
}
