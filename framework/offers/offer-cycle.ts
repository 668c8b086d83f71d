/**
 * The walk of an offer: which node is it of → does the node need a task → does the task fit → ACCEPT or DECLINE. Every
 * offer is answered in the step that brings it; none is kept.
 */
import { viewOfOffer } from '../daemonset/agent-view.ts';
import type { Step } from '../daemonset/effects.ts';
import { seeAgent } from '../daemonset/nodes.ts';
import type { Misfit, Node } from '../daemonset/state.ts';
import type { Offer, OfferId } from '../mesos-http-client/messages.ts';
import { launchedGoal } from '../rollout/rollout.ts';
import { newTask } from '../tasks/ledger.ts';
import { askFate, LAUNCH_SILENCE_MS } from '../tasks/status-flow.ts';
import { acceptCall, SERVED_REFUSE_SECONDS, taskInfo } from './launch.ts';
import { seeMaintenance } from './maintenance.ts';
import { place } from './placement.ts';
import { holdsInVain, unreserve } from './release.ts';
import { type Hold, isOurs } from './reservations.ts';
import { isAway, isReady, offerCame } from './revival.ts';
import { hasRoom, turnOf } from './turns.ts';

/** An agent that waits is offered again soon: what it lacks may be free by then. */
const WAITING_REFUSE_SECONDS = 5;
const MAINTENANCE_REFUSE_SECONDS = 60;
/** The agent has a task whose fate is being asked: should it be dead, offers are wanted soon. */
const DOUBT_REFUSE_SECONDS = 10;
/** Should what the agent lacks come free while the master still holds back offers, one is asked for. */
const MISFIT_PATIENCE_MS = 300_000;
const MAX_IDS_IN_A_CALL = 1_000;
/** An offer that should have come by itself by now. */
const TURN_GRACE_MS = 10_000;

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
  const { state } = step;
  const [first] = group;
  if (first === undefined) return 'used';
  const before = state.nodes.get(first.agent_id.value);
  const view = viewOfOffer(first, before?.agent);
  // Without an address nothing can be done on that agent; a list of agents may bring it.
  if (view === null) return { refuseSeconds: WAITING_REFUSE_SECONDS };
  const node = seeAgent(step, view);
  step.touched.add(node);
  // A drained agent offers nothing: that it does means that it is active again.
  if (node.task === null) node.draining = false;
  seeMaintenance(step, node, first);

  if (node.task !== null) {
    // It is registered, so the master can tell what became of the task.
    const { phase } = node.task;
    if (phase === 'lost' || phase === 'unreachable') askFate(step, node);
    const inDoubt = phase === 'lost' || phase === 'unreachable' || phase === 'recovered' || node.killing !== null;
    return { refuseSeconds: inDoubt ? DOUBT_REFUSE_SECONDS : SERVED_REFUSE_SECONDS };
  }
  const role = first.allocation_info?.role;
  if (role === undefined) {
    // Of more than one role, nobody could tell which one a task or a reservation would be of.
    misfit(step, node, { kind: 'other', why: 'the master does not say for which role the offer is' });
    return { refuseSeconds: WAITING_REFUSE_SECONDS };
  }
  if (holdsInVain(step, node)) {
    if (state.frozen) return { refuseSeconds: MAINTENANCE_REFUSE_SECONDS };
    const ours = group.flatMap((offer) => offer.resources).filter((one) => isOurs(one, state.frameworkId));
    // What an agent kept under a new id may be held in another role than what it was launched with since.
    if (ours.length === 0 && role !== undefined && role !== node.reserved)
      return { refuseSeconds: SERVED_REFUSE_SECONDS };
    const ids = group.map((offer) => offer.id.value);
    return unreserve(step, node, ids, ours) ? 'used' : { refuseSeconds: WAITING_REFUSE_SECONDS };
  }
  if (!node.placed.wanted) return answerUnwanted(step, node, group);
  // An agent under a new id still has what was reserved before nothing was to be reserved any more.
  if (!step.environment.settings.reserve && givesBack(step, node, group)) return 'used';
  // Offers in a role of an earlier start come only for the sake of what is still held in it.
  if (!step.environment.settings.roles.includes(role)) return { refuseSeconds: SERVED_REFUSE_SECONDS };
  if (!isReady(node, step.now)) {
    offerCame(step, node);
    return { refuseSeconds: waitOf(node, step.now) };
  }
  // What is held for the task is in one role; offers in another are of no use while it is.
  if (node.reserved !== null && role !== node.reserved) {
    return { refuseSeconds: DOUBT_REFUSE_SECONDS };
  }
  if (!hasRoom(state.inFlight.size)) return waitForTurn(step, node);
  offerCame(step, node);
  if (launchOn(step, node, group)) return 'used';
  node.waitingSince ??= step.now;
  step.arm(node, 'hungry', step.now + MISFIT_PATIENCE_MS);
  return { refuseSeconds: WAITING_REFUSE_SECONDS };
}

/** Nothing is wanted there, and nothing is known to be held; if something is all the same, it is given back. */
function answerUnwanted(step: Step, node: Node, group: readonly Offer[]): Answer {
  return givesBack(step, node, group) ? 'used' : { refuseSeconds: SERVED_REFUSE_SECONDS };
}

function givesBack(step: Step, node: Node, group: readonly Offer[]): boolean {
  const ours = group.flatMap((offer) => offer.resources).filter((one) => isOurs(one, step.state.frameworkId));
  if (ours.length === 0 || step.state.frozen || node.strays.size > 0) return false;
  unreserve(
    step,
    node,
    group.map((offer) => offer.id.value),
    ours,
  );
  return true;
}

/** Too many launches are on their way: the offer is to come again about when it is this node's turn. */
function waitForTurn(step: Step, node: Node): Answer {
  offerCame(step, node);
  const wait = turnOf(step.state.turns, node.agent.agentId, step.now) - step.now;
  node.waitingSince ??= step.now;
  step.arm(node, 'hungry', step.now + wait + TURN_GRACE_MS);
  return { refuseSeconds: Math.ceil(wait / 1000) };
}

function launchOn(step: Step, node: Node, group: readonly Offer[]): boolean {
  const { state, environment } = step;
  const { agentId, hostname } = node.agent;
  const role = group[0]?.allocation_info?.role ?? null;
  try {
    const goal = launchedGoal(step, node);
    const taskId = environment.newTaskId(node.agent);
    const template = environment.template(node.agent, taskId, goal);
    const offered = group.flatMap((offer) => offer.resources);
    const placement = place(template, offered, holdOf(step, node, role));
    if (!placement.fits) {
      misfit(step, node, { kind: 'gaps', gaps: placement.gaps });
      return false;
    }
    node.task = newTask(taskId, 'launching', step.now, step.now);
    node.goal = goal;
    node.credential = template.credential ?? null;
    node.misfit = null;
    node.notBefore = null;
    if (placement.resources.some((one) => isOurs(one, state.frameworkId))) node.reserved = role;
    state.tasks.set(taskId, agentId);
    state.inFlight.add(agentId);
    state.counters.launches += 1;
    step.persist(node);
    step.arm(node, 'launch', step.now + LAUNCH_SILENCE_MS);
    const task = taskInfo(agentId, taskId, template, placement.resources);
    const offerIds = group.map((offer) => offer.id.value);
    step.call(acceptCall({ offerIds, unreserve: placement.unreserve, reserve: placement.reserve, task }), taskId);
    step.log('info', 'launching', { agentId, hostname, taskId, goal: goal.id });
    return true;
  } catch (error) {
    // The user's own code said what to run; what is wrong there must be seen, and must not take the others down.
    const why = error instanceof Error ? error.message : String(error);
    misfit(step, node, { kind: 'other', why: `the task for this agent could not be described (${why})` });
    step.log('warn', 'the task for an agent could not be described', { agentId, hostname, why });
    return false;
  }
}

/** Null: nothing is reserved. */
function holdOf(step: Step, node: Node, role: string | null): Hold | null {
  const { settings } = step.environment;
  const { frameworkId } = step.state;
  if (!settings.reserve || role === null || frameworkId === null) return null;
  return { role, principal: settings.principal, frameworkId, agentId: node.agent.agentId };
}

function misfit(step: Step, node: Node, why: Misfit): void {
  node.misfit = why;
  if (why.kind !== 'gaps') return;
  const ports = why.gaps.flatMap((gap) => (gap.resource === 'ports' ? gap.missing : []));
  if (ports.length > 0) step.act({ type: 'ask-port-holders', agentId: node.agent.agentId, ports });
}

function waitOf(node: Node, now: number): number {
  if (isAway(node, now)) return MAINTENANCE_REFUSE_SECONDS;
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
