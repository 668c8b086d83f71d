/**
 * The decision core: exactly one task on every agent. `step` takes what happened and says what to do; it has no clock, no
 * socket and no dice, so a run can be repeated from its events alone. The state is changed in place, and no event but a list
 * of all agents makes it look at all of them.
 *
 *   offers → offer-cycle → placement → launch          updates → status-flow → ledger → backoff
 *   agents → nodes → membership → release              goals → rollout
 *   silence → reconciliation, deadlines
 */
import { meetDeadlines } from './daemonset/clockwork.ts';
import { Step } from './daemonset/effects.ts';
import type { Action, DaemonsetEvent } from './daemonset/events.ts';
import { indexNode } from './daemonset/indexes.ts';
import { placeNode, settleCounts } from './daemonset/membership.ts';
import { judge } from './daemonset/node-status.ts';
import { removeAgent, removeNode, seeList, seeListed } from './daemonset/nodes.ts';
import type { DaemonsetState, Environment, Node } from './daemonset/state.ts';
import { beginUninstall, goOnUninstalling, tearDownIfClean, tornDown } from './daemonset/uninstall.ts';
import { answerInverseOffers, rescindInverseOffer } from './offers/maintenance.ts';
import { answerOffers, giveBack } from './offers/offer-cycle.ts';
import { reviveIfDue, reviveSoon, wantOffer } from './offers/revival.ts';
import { takeOrder } from './rollout/commands.ts';
import { type Goal, sameGoal } from './rollout/goal.ts';
import { isBad, keepAway, strategyFor, takeJudgement, turnBackIfFailed } from './rollout/judged.ts';
import { advanceRollout, beginRollout, failStep, resumeRollout, taskRuns } from './rollout/rollout.ts';
import { isUnfinished } from './rollout/rollout-state.ts';
import { takeHealth } from './tasks/health.ts';
import { repeatKills } from './tasks/kills.ts';
import { beginRun, dueRepeat, reconcileCall, suspend } from './tasks/reconciliation.ts';
import { askFate, LAUNCH_SILENCE_MS, launchFailed, takeLastWords, takeStatus } from './tasks/status-flow.ts';

/**
 * Agents that came while nobody was subscribed, and are in no record, may have tasks of ours (of an agent that was taken for
 * gone). The master tells of them when it is asked, but offers may come first.
 */
const STRANGERS_WAIT_MS = 2_000;
/** A list of all agents is long, and where there are many of them, one fails often. */
const LOOK_INTERVAL_MS = 30_000;

export function step(state: DaemonsetState, event: DaemonsetEvent, now: number, environment: Environment): Action[] {
  const one = new Step(state, environment, now);
  handle(one, event);
  for (const node of one.touched) indexNode(state, node);
  meetDeadlines(one);
  reconcileIfDue(one);
  lookIfDue(one);
  if (state.subscribed && one.questions.size > 0) one.call(reconcileCall(one.questions));
  for (const node of one.touched) settleCounts(one, node);
  for (const node of one.touched) indexNode(state, node);
  turnBackIfFailed(one);
  advanceRollout(one);
  tearDownIfClean(one);
  reviveIfDue(one);
  const actions = one.actions();
  showChanges(one, actions);
  wake(state, now, actions);
  return actions;
}

function handle(step: Step, event: DaemonsetEvent): void {
  const { state } = step;
  switch (event.type) {
    case 'begin':
      return begin(step, event.goal, event.uninstall);
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
    case 'inverse-offer-rescinded':
      return rescindInverseOffer(step, event.offerId);
    case 'update': {
      const verdict = takeStatus(step, event.status);
      if (verdict !== null) removeNode(step, verdict.gone, verdict.why, verdict.by);
      return;
    }
    case 'agent-failure':
      // Unordered and unreliable: it changes nothing by itself, but is a reason to look.
      state.lookAgainAt ??= Math.max(step.now, state.lookedAt + LOOK_INTERVAL_MS);
      return;
    case 'some-agents':
      for (const listed of event.registered) seeListed(step, listed);
      return;
    case 'agents':
      return seeList(step, event);
    case 'agent-added': {
      const node = seeListed(step, event.agent);
      if (node.task?.phase === 'unreachable' || node.task?.phase === 'lost') askFate(step, node);
      return;
    }
    case 'agent-removed':
      return removeAgent(step, event.agentId);
    case 'health':
      return takeHealth(step, event.taskId, event.health);
    case 'runs':
    case 'upgrade-failed': {
      const node = nodeOf(state, event.taskId);
      if (node === null) return;
      if (event.type === 'runs') taskRuns(step, node, event.goal);
      else if (state.rollout?.record.goal.id === event.goal) failStep(step, node, event.reason);
      return;
    }
    case 'last-words':
      return takeLastWords(step, event.agentId, event.taskId, event.text);
    case 'port-holders': {
      const node = state.nodes.get(event.agentId);
      if (node !== undefined) node.portHolders = event.holders;
      return;
    }
    case 'order':
      step.act({ type: 'answer', id: event.id, outcome: takeOrder(step, event.order) });
      return;
    case 'judged':
      return takeJudgement(step, event);
    case 'torn-down':
      return tornDown(step);
    case 'accept-failed':
      if (event.taskId !== null) launchFailed(step, event.taskId, event.refused, event.text);
      if (event.refused) giveBack(step, event.offerIds);
      return;
    case 'tick':
      // The timer that was asked for is used up, even if it came a little early.
      state.wakeAt = null;
      return;
  }
}

function nodeOf(state: DaemonsetState, taskId: Extract<DaemonsetEvent, { type: 'runs' }>['taskId']) {
  const agentId = state.tasks.get(taskId);
  const node = agentId === undefined ? undefined : state.nodes.get(agentId);
  return node?.task?.taskId === taskId ? node : null;
}

/** What is wanted now, and how far it is: a rollout that was at work goes on, a new goal begins one. */
function begin(step: Step, goal: Goal, uninstall: boolean): void {
  const { state } = step;
  const { rollout } = state;
  // The two were written together; of a crash in between the rollout's record tells.
  if (rollout !== null && rollout.record.status === 'complete') state.completed = rollout.record.goal;
  state.completed ??= goal;
  state.wanted = goal;
  if (uninstall || state.mode !== 'keep') return beginUninstall(step);
  // Those that have a task first: what is counted goes to them.
  for (const node of state.nodes.values()) if (node.task !== null) placeNode(step, node);
  for (const node of state.nodes.values()) if (node.task === null) placeNode(step, node);
  const wanted = isUnfinished(rollout) ? rollout.record.goal : state.completed;
  if (isBad(state, goal) && !sameGoal(state.completed, goal)) return keepAway(step, goal);
  if (sameGoal(wanted, goal)) resumeRollout(step);
  else beginRollout(step, goal, strategyFor(step, goal), state.nodes.values());
}

/** Whatever the last subscription knew is in doubt now: offers are void, updates may have been missed. */
function subscribed(step: Step, event: Extract<DaemonsetEvent, { type: 'subscribed' }>): void {
  const { state, now } = step;
  if (state.frameworkId !== event.frameworkId) {
    state.frameworkId = event.frameworkId;
    step.persistFramework();
  } else {
    state.strangersAt = now + STRANGERS_WAIT_MS;
  }
  state.subscribed = true;
  state.subscribedAt = now;
  state.isListed = false;
  state.orphans.clear();
  step.listAgents();
  reconcileAll(step);
  for (const node of state.nodes.values()) {
    if (node.killing !== null || node.strays.size > 0) repeatKills(step, node);
    if (node.task === null) resumeWithoutTask(step, node);
    else if (node.task.phase === 'lost') step.arm(node, 'query', now + node.task.queryDelay);
    else if (node.task.phase === 'launching' || node.task.phase === 'starting')
      step.arm(node, 'launch', now + LAUNCH_SILENCE_MS);
  }
  reviveSoon(step);
}

function resumeWithoutTask(step: Step, node: Node): void {
  if (node.notBefore !== null && node.notBefore > step.now) step.arm(node, 'relaunch', node.notBefore);
  else wantOffer(step, node);
  goOnUninstalling(step, node);
}

function reconcileAll(step: Step): void {
  const { state, now } = step;
  const tasks = new Map(state.tasks);
  const first = beginRun(state.reconciliation, tasks, now);
  state.counters.reconciliations += 1;
  if (first.size > 0) step.call(reconcileCall(first));
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

function lookIfDue(step: Step): void {
  const { state, now } = step;
  if (!state.subscribed || state.lookAgainAt === null || state.lookAgainAt > now) return;
  state.lookedAt = now;
  state.lookAgainAt = null;
  step.listAgents();
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
      state.rolloutAt ?? undefined,
      state.tearDownAt ?? undefined,
      state.lookAgainAt ?? undefined,
    );
  const at = wishes.reduce<number>(
    (least, wish) => (wish === undefined ? least : Math.min(least, wish)),
    Number.POSITIVE_INFINITY,
  );
  if (!Number.isFinite(at) || at === state.wakeAt) return;
  state.wakeAt = at;
  actions.push({ type: 'wake', at: Math.max(at, now) });
}
