/**
 * The decision core: exactly one task on every agent. `step` takes what happened and says what to do; it has no clock, no
 * socket and no dice, so a run can be repeated from its events alone. The state is changed in place, and no event but a list
 * of all agents makes it look at all of them.
 *
 *   offers → offer-cycle → placement → launch          updates → status-flow → ledger → backoff
 *   agents → nodes                                     silence → reconciliation, deadlines
 */
import { type DeadlineKind, popDue } from './daemonset/deadlines.ts';
import { Step } from './daemonset/effects.ts';
import type { Action, DaemonsetEvent } from './daemonset/events.ts';
import { judge } from './daemonset/node-status.ts';
import { removeAgent, removeNode, seeList, seeListed } from './daemonset/nodes.ts';
import type { DaemonsetState, Environment, Node } from './daemonset/state.ts';
import { answerInverseOffers, answerOffers, giveBack } from './offers/offer-cycle.ts';
import { reviveIfDue, wantOffer } from './offers/revival.ts';
import { beginRun, dueRepeat, reconcileCall, suspend } from './tasks/reconciliation.ts';
import { askFate, LAUNCH_SILENCE_MS, launchFailed, settle, takeHealth, takeStatus } from './tasks/status-flow.ts';
import { kill, killStrays } from './tasks/strays.ts';

/** An agent that has been starting a task for so long (fetching, unpacking) will not get there. */
const START_LIMIT_MS = 15 * 60_000;

export function step(state: DaemonsetState, event: DaemonsetEvent, now: number, environment: Environment): Action[] {
  const one = new Step(state, environment, now);
  handle(one, event);
  meetDeadlines(one);
  reconcileIfDue(one);
  if (state.subscribed && one.questions.size > 0) one.call(reconcileCall(one.questions));
  reviveIfDue(one);
  const actions = one.actions();
  showChanges(one, actions);
  wake(state, now, actions);
  return actions;
}

function handle(step: Step, event: DaemonsetEvent): void {
  const { state } = step;
  switch (event.type) {
    case 'subscribed':
      return subscribed(step, event);
    case 'disconnected':
      state.subscribed = false;
      suspend(state.reconciliation);
      return;
    case 'offers':
      return answerOffers(step, event.offers);
    case 'inverse-offers':
      return answerInverseOffers(step, event.offers);
    case 'update': {
      const verdict = takeStatus(step, event.status);
      if (verdict !== null) removeNode(step, verdict.gone, verdict.why, verdict.by);
      return;
    }
    case 'agent-failure':
      // Unordered and unreliable: it changes nothing by itself, but is a reason to look.
      step.listAgents();
      return;
    case 'agents':
      return seeList(step, event.registered, event.recovered, event.askedAt);
    case 'agent-added': {
      const node = seeListed(step, event.agent);
      if (node.task?.phase === 'unreachable' || node.task?.phase === 'lost') askFate(step, node);
      return;
    }
    case 'agent-removed':
      return removeAgent(step, event.agentId);
    case 'health':
      return takeHealth(step, event.taskId, event.health);
    case 'launch-failed':
      launchFailed(step, event.taskId, event.refused, event.text);
      if (event.refused) giveBack(step, event.offerIds);
      return;
    case 'tick':
      // The timer that was asked for is used up, even if it came a little early.
      state.wakeAt = null;
      return;
  }
}

/** Whatever the last subscription knew is in doubt now: offers are void, updates may have been missed. */
function subscribed(step: Step, event: Extract<DaemonsetEvent, { type: 'subscribed' }>): void {
  const { state, now } = step;
  if (state.frameworkId !== event.frameworkId) {
    state.frameworkId = event.frameworkId;
    step.persistFramework(event.frameworkId);
  }
  state.subscribed = true;
  state.orphans.clear();
  step.listAgents();
  reconcileAll(step);
  for (const node of state.nodes.values()) {
    killStrays(step, node);
    if (node.notBefore !== null && node.notBefore > now) step.arm(node, 'relaunch', node.notBefore);
    else wantOffer(step, node);
    if (node.task?.phase === 'lost') step.arm(node, 'query', now + node.task.queryDelay);
    if (node.task?.phase === 'launching' || node.task?.phase === 'starting')
      step.arm(node, 'launch', now + LAUNCH_SILENCE_MS);
  }
  if (state.revival.hungry.size > 0) state.revival.at = now;
}

function reconcileAll(step: Step): void {
  const { state, now } = step;
  const tasks = new Map(state.tasks);
  beginRun(state.reconciliation, tasks, now);
  state.counters.reconciliations += 1;
  if (tasks.size > 0) step.call(reconcileCall(tasks));
  step.call(reconcileCall(new Map()));
}

function reconcileIfDue(step: Step): void {
  const { state, now } = step;
  if (!state.subscribed) return;
  const { nextRunAt } = state.reconciliation;
  if (nextRunAt !== null && nextRunAt <= now) {
    step.listAgents();
    reconcileAll(step);
    return;
  }
  const repeat = dueRepeat(state.reconciliation, now);
  if (repeat !== null) for (const [taskId, agentId] of repeat) step.questions.set(taskId, agentId);
}

function meetDeadlines(step: Step): void {
  const { state, now } = step;
  for (let due = popDue(state.heap, now); due !== null; due = popDue(state.heap, now)) {
    const node = state.nodes.get(due.agentId);
    // Moved or dropped since: the entry is only a shadow.
    if (node === undefined || node.deadlines[due.kind] !== due.at) continue;
    step.disarm(node, due.kind);
    step.touched.add(node);
    meet(step, node, due.kind);
  }
}

function meet(step: Step, node: Node, kind: DeadlineKind): void {
  const { task } = node;
  switch (kind) {
    case 'relaunch':
    case 'hungry':
      return wantOffer(step, node);
    case 'launch':
      if (task === null || !step.state.subscribed) return;
      step.questions.set(task.taskId, node.agent.agentId);
      if (step.now - task.launchedAt >= START_LIMIT_MS) kill(step, node, task.taskId);
      return step.arm(node, 'launch', step.now + LAUNCH_SILENCE_MS);
    case 'query':
      // An agent that is unreachable needs no questions: it will be told when it is back.
      if (task?.phase === 'lost' && step.state.subscribed) askFate(step, node);
      return;
    case 'settled':
      return settle(step, node);
    case 'kill':
      if (step.state.subscribed) killStrays(step, node);
      return;
  }
}

function showChanges(step: Step, actions: Action[]): void {
  for (const node of step.touched) {
    const { agentId } = node.agent;
    const taskId = node.task?.taskId ?? null;
    const { state, cause } = judge(node, step.now);
    const { shown } = node;
    const gone = step.state.nodes.get(agentId) !== node;
    if (!gone && shown.state === state && shown.cause === cause && shown.taskId === taskId) continue;
    node.shown = { state, cause, taskId, since: shown.state === state ? shown.since : step.now };
    actions.push({ type: 'changed', agentId });
  }
}

function wake(state: DaemonsetState, now: number, actions: Action[]): void {
  const wishes = [state.heap[0]?.at];
  if (state.subscribed)
    wishes.push(
      state.revival.at ?? undefined,
      state.reconciliation.repeatAt ?? undefined,
      state.reconciliation.nextRunAt ?? undefined,
    );
  const at = wishes.reduce<number>(
    (least, wish) => (wish === undefined ? least : Math.min(least, wish)),
    Number.POSITIVE_INFINITY,
  );
  if (!Number.isFinite(at) || at === state.wakeAt) return;
  state.wakeAt = at;
  actions.push({ type: 'wake', at: Math.max(at, now) });
}
