/**
 * A rollout makes the tasks of all nodes into another goal: node by node, never more at a time than may be unavailable, in
 * place where that is enough and by a new task where it is not, and it stops at the first node that does not get well.
 */
import type { Step } from '../daemonset/effects.ts';
import type { DaemonsetState, Node } from '../daemonset/state.ts';
import type { AgentId } from '../mesos-http-client/messages.ts';
import type { RolloutRecord, StepMark } from '../state/records.ts';
import { killTask } from '../tasks/kills.ts';
import { isUnwell, isWell, noteDown, roomToTakeDown } from './budget.ts';
import { type Goal, type Strategy, sameGoal } from './goal.ts';
import {
  awaitsJudgement,
  awaitsOrder,
  isUnfinished,
  phasesOf,
  type Rollout,
  restoreRollout,
  widthOf,
} from './rollout-state.ts';

/** A node that is asked to change in place, and says nothing of it, is asked again. */
const ASK_AGAIN_MS = 15_000;
/** Nodes that cannot have their turn now are looked at again: so many at most in one step. */
const MOST_LOOKS = 20;
const LOOK_ON_MS = 100;
const MAX_ERRORS = 10;
/** Tasks that ended one after the other on a node: there it is not chance any more. */
const FAILS_AGAIN = 3;

/** What the node's task is to be, now. */
function desiredGoal(state: DaemonsetState, node: Node): Goal {
  const { rollout, completed } = state;
  if (isUnfinished(rollout) && node.step?.rollout === rollout.record.id) return rollout.record.goal;
  if (completed === null) throw new Error('no goal before the beginning');
  return completed;
}

/** What is launched on the node: what it is to be, or what it will be where that cannot be had, or does not live. */
export function launchedGoal({ state, environment }: Step, node: Node): Goal {
  const desired = desiredGoal(state, node);
  const { rollout } = state;
  if (!isUnfinished(rollout)) return desired;
  // Its turn would never come: of what is there no task lives for so long. It may be what the rollout is to mend.
  const isMended = rollout.record.status === 'running' && node.failures >= FAILS_AGAIN;
  return isMended || !environment.available(desired) ? rollout.record.goal : desired;
}

/** `nodes`: those that are not what they should be; all others count as done. */
export function beginRollout(step: Step, goal: Goal, strategy: Strategy, nodes: Iterable<Node>): void {
  const { state, now, environment } = step;
  const waiting = [...nodes].filter((node) => node.task === null || !sameGoal(node.goal, goal));
  // What the one before is in the middle of stays down until it is well, and counts as long.
  for (const node of state.nodes.values()) {
    // Of most nodes there is nothing to undo.
    if (node.step === null) continue;
    for (const kind of ['step', 'gate', 'ask'] as const) step.disarm(node, kind);
    if (node.step.state === 'complete') continue;
    // One that is well may still be on its way down.
    if (node.step.state === 'active' && !sameGoal(node.goal, goal)) noteDown(step, node, true);
    else noteUnsettled(step, node);
    node.step = null;
    step.persist(node);
  }
  const record: RolloutRecord = {
    id: `${goal.id}@${now}`,
    goal,
    from: state.completed,
    strategy,
    maxUnavailable: environment.settings.rollout.maxUnavailable,
    status: 'running',
    phases: phasesOf(strategy, waiting.length),
    phase: 0,
    errors: [],
    judged: 0,
    unproven: [],
    turnedBack: null,
  };
  state.rollout = restoreRollout(record);
  for (const id of inTurn(waiting)) state.rollout.queue.add(id);
  state.stragglers.clear();
  step.persistRollout();
  step.log('info', 'a rollout begins', { goal: goal.id, from: state.completed?.id ?? null, nodes: waiting.length });
}

/** Those that are down first: a change cannot make them worse, and may be what they need. */
function inTurn(nodes: Iterable<Node>): AgentId[] {
  const down: AgentId[] = [];
  const others: AgentId[] = [];
  for (const node of nodes) (node.down ? down : others).push(node.agent.agentId);
  // Plain strings without a function to compare them: there may be ten thousand, and everything waits meanwhile.
  return [...down.sort(), ...others.sort()];
}

/** What a rollout that is over, or was replaced in a moment of which not all was stored, was in the middle of. */
function noteUnsettled(step: Step, node: Node): void {
  if (node.step?.state !== 'active') return;
  if (!isWell(step.state, node.agent.agentId)) noteDown(step, node, true);
}

/**
 * The node has its turn again, before the others. Whether it is down by the scheduler's doing stays as it is noted: one that
 * looks unwell for another reason may serve all the same, cut off from the scheduler alone, so its change needs room.
 */
export function queueAgain(step: Step, rollout: Rollout, node: Node): void {
  const { agentId } = node.agent;
  countBegun(rollout, node, -1);
  node.step = null;
  const others = [...rollout.queue];
  rollout.queue.clear();
  for (const id of [agentId, ...others]) rollout.queue.add(id);
  step.persist(node);
}

/** After a start: who waits, who is being changed, from the nodes' own marks. */
export function resumeRollout(step: Step): void {
  const { state } = step;
  const { rollout } = state;
  const waiting: Node[] = [];
  for (const node of state.nodes.values()) {
    const { agentId } = node.agent;
    if (!isUnfinished(rollout)) {
      noteUnsettled(step, node);
      noteStraggler(step, node);
      continue;
    }
    const mark = node.step?.rollout === rollout.record.id ? node.step : null;
    if (mark === null) {
      noteUnsettled(step, node);
      waiting.push(node);
      continue;
    }
    countBegun(rollout, node, 1);
    if (mark.state === 'failed') rollout.failed.add(agentId);
    if (mark.state === 'active') {
      rollout.active.add(agentId);
      // Anew: it was not the node that was away.
      step.arm(node, 'step', step.now + step.environment.settings.rollout.stepTimeoutMs);
      // Whether the kill was sent, nobody knows: a task of another goal is told to go again, or asked again to change.
      if (node.task !== null && !sameGoal(node.goal, rollout.record.goal)) step.arm(node, 'ask', step.now);
    }
  }
  for (const id of inTurn(waiting)) rollout?.queue.add(id);
  // Of a failure, or of the order to go on after it, only a part was stored: whether to go on is asked again.
  if (rollout?.record.status === 'running' && rollout.failed.size > 0) setRecord(step, rollout, { status: 'failed' });
}

/** At the end of each step: as many nodes as may be get their turn. */
export function advanceRollout(step: Step): void {
  const { state } = step;
  state.rolloutAt = null;
  if (!state.subscribed || state.mode !== 'keep') return;
  // Going back where it did no harm is repair.
  if (state.frozen && !(isUnfinished(state.rollout) && state.rollout.record.turnedBack !== null)) return;
  if (!isUnfinished(state.rollout) && state.stragglers.size > 0) mendStragglers(step);
  const { rollout } = state;
  if (rollout === null || rollout.record.status !== 'running' || awaitsOrder(rollout)) return;
  let looks = 0;
  const limit = Math.min(MOST_LOOKS, rollout.queue.size);
  while (rollout.record.status === 'running') {
    if (!phaseIsOpen(step, rollout)) return;
    if (rollout.queue.size === 0) break;
    if (rollout.active.size >= widthOf(rollout.record)) return;
    const next = nextInTurn(state, rollout);
    if (next === undefined) return;
    if (looks === limit) {
      // Nobody else may come to wake it. Those that were looked at all wait for news of their own.
      if (limit < rollout.queue.size) state.rolloutAt = step.now + LOOK_ON_MS;
      return;
    }
    looks += 1;
    rollout.queue.delete(next);
    const node = state.nodes.get(next);
    if (node !== undefined) takeTurn(step, rollout, node);
  }
  if (rollout.queue.size > 0 || rollout.active.size > 0 || rollout.failed.size > 0) return;
  if (!awaitsJudgement(rollout)) complete(step, rollout);
}

/**
 * Without room only one that is down already: it costs nothing more. While it is still well there has to be room for it, and
 * of one that nobody has told of since the start it is not known.
 */
function nextInTurn(state: DaemonsetState, { queue, record }: Rollout): AgentId | undefined {
  const room = roomToTakeDown(state, record.maxUnavailable);
  if (room > 0) return queue.values().next().value;
  for (const id of state.down) if (queue.has(id) && (room === 0 || isUnwell(state, id))) return id;
  return undefined;
}

/** Nodes that were away during a rollout are brought to where the others are, by one of their own. */
function mendStragglers(step: Step): void {
  const { state } = step;
  const { completed, stragglers, nodes } = state;
  if (completed === null) return;
  const behind = [...stragglers].map((id) => nodes.get(id)).filter((node): node is Node => node !== undefined);
  beginRollout(step, completed, { kind: 'serial' }, behind);
}

/** False when the phase has all the nodes that it may have, and the next one may not begin yet. */
function phaseIsOpen(step: Step, rollout: Rollout): boolean {
  const { record } = rollout;
  const upTo = record.phases[record.phase]?.upTo ?? null;
  if (upTo === null || rollout.begun < upTo || rollout.queue.size === 0) return true;
  if (rollout.active.size > 0 || awaitsJudgement(rollout)) return false;
  rollout.begunNow = 0;
  const waits = record.strategy.kind === 'canary';
  setRecord(step, rollout, { phase: record.phase + 1, ...(waits ? { status: 'waiting' as const } : {}) });
  if (waits) step.log('info', 'the canaries are well; the rollout waits for `continue`', { goal: record.goal.id });
  // That one may be full already, by the nodes of those before it.
  return !waits && phaseIsOpen(step, rollout);
}

function takeTurn(step: Step, rollout: Rollout, node: Node): void {
  const { task } = node;
  const { agentId } = node.agent;
  const { goal } = rollout.record;
  if (!node.placed.wanted) return;
  // Its turn comes when its task runs: what is new is tried where it can be seen to fail.
  if (task === null) return;
  if (sameGoal(node.goal, goal)) {
    if (isWell(step.state, agentId)) noteDown(step, node, false);
    return;
  }
  if (task.phase === 'lost' || task.phase === 'unreachable' || node.draining || node.killing !== null) {
    // That it is away is not the rollout's doing.
    if (node.killing === null) noteDown(step, node, false);
    return;
  }
  if (task.phase !== 'running') {
    rollout.queue.add(agentId);
    return;
  }
  mark(step, rollout, node, 'active');
  rollout.active.add(agentId);
  noteDown(step, node, false);
  step.arm(node, 'step', step.now + step.environment.settings.rollout.stepTimeoutMs);
  // One that answers nobody would not hear that it is to change.
  if (task.health?.dead === true) killTask(step, node, 'rollout');
  else change(step, rollout, node);
}

/** Asks for the change in place, or kills the task so that another one follows. */
function change(step: Step, rollout: Rollout, node: Node): void {
  const { task, goal } = node;
  if (task === null || sameGoal(goal, rollout.record.goal)) return;
  if (goal !== null && goal.relaunchKey === rollout.record.goal.relaunchKey) {
    if (task.phase === 'running') {
      step.act({ type: 'upgrade', agentId: node.agent.agentId, taskId: task.taskId, goal: rollout.record.goal });
    }
    step.arm(node, 'ask', step.now + ASK_AGAIN_MS);
  } else {
    killTask(step, node, 'rollout');
  }
}

/** The deadline `ask`. */
export function askAgain(step: Step, node: Node): void {
  const { rollout } = step.state;
  if (rollout?.active.has(node.agent.agentId) === true) change(step, rollout, node);
}

// ---- what nodes do meanwhile -----------------------------------------------------------------------------------------

/** A node came, by itself or because it may have a task now. */
export function joinRollout(step: Step, node: Node): void {
  const { rollout } = step.state;
  if (isUnfinished(rollout) && node.step?.rollout !== rollout.record.id) rollout.queue.add(node.agent.agentId);
}

/** A node went, or is to have no task any more. */
export function leaveRollout(step: Step, node: Node): void {
  const { rollout, stragglers } = step.state;
  const { agentId } = node.agent;
  if (rollout?.active.has(agentId) === true) {
    countBegun(rollout, node, -1);
    node.step = null;
    for (const kind of ['step', 'gate', 'ask'] as const) step.disarm(node, kind);
    step.persist(node);
  }
  noteDown(step, node, false);
  for (const set of [rollout?.queue, rollout?.active, rollout?.failed, stragglers]) set?.delete(agentId);
}

/** The task says what it is. */
export function taskRuns(step: Step, node: Node, goalId: string): void {
  const { rollout, completed } = step.state;
  const known = [rollout?.record.goal, completed, rollout?.record.from].find((goal) => goal?.id === goalId);
  // What an earlier leader has asked for may come after the rollout that it was for. Of a task that was found nobody knows
  // what it was launched as: it gets a new one.
  const now = known ?? { id: goalId, relaunchKey: node.goal?.relaunchKey ?? `of ${goalId}` };
  if (sameGoal(node.goal, now)) return;
  // It cannot have become what needs a new task.
  if (node.goal !== null && node.goal.relaunchKey !== now.relaunchKey) return;
  node.goal = now;
  step.disarm(node, 'ask');
  step.persist(node);
  lookAtGate(step, node);
  noteStraggler(step, node);
}

/** Call when the health of the node, or what its task is, has changed. */
export function lookAtGate(step: Step, node: Node): void {
  const { rollout } = step.state;
  if (rollout === null || !rollout.active.has(node.agent.agentId)) return;
  // One that is told to go, for whatever reason, will be another one before it counts.
  const isThere =
    node.killing === null && node.task?.health?.healthy === true && sameGoal(node.goal, rollout.record.goal);
  if (!isThere) step.disarm(node, 'gate');
  else if (node.deadlines.gate === undefined)
    step.arm(node, 'gate', step.now + step.environment.settings.rollout.gateMs);
}

/** The deadline `gate`: well for long enough. */
export function passGate(step: Step, node: Node): void {
  const { rollout } = step.state;
  if (rollout === null || !rollout.active.delete(node.agent.agentId)) return;
  step.disarm(node, 'step');
  mark(step, rollout, node, 'complete');
}

/** The node did not get there: nothing more is begun. */
export function failStep(step: Step, node: Node, why: string): void {
  const { rollout } = step.state;
  const { agentId, hostname } = node.agent;
  if (rollout === null || !rollout.active.delete(agentId)) return;
  for (const kind of ['step', 'gate', 'ask'] as const) step.disarm(node, kind);
  rollout.failed.add(agentId);
  if (!isWell(step.state, agentId)) noteDown(step, node, true);
  mark(step, rollout, node, 'failed');
  const error = `${hostname}: ${why}`;
  setRecord(step, rollout, { status: 'failed', errors: [...rollout.record.errors, error].slice(-MAX_ERRORS) });
  step.log('warn', 'a node failed; the rollout stops', { agentId, hostname, goal: rollout.record.goal.id, why });
}

/** The task of the node, which was `goal`, ended without having been told to. */
export function taskEndedByItself(step: Step, node: Node, goal: Goal | null, end: string): void {
  const { rollout } = step.state;
  if (rollout === null || !rollout.active.has(node.agent.agentId)) return;
  if (sameGoal(goal, rollout.record.goal)) failStep(step, node, `the new task ${end}`);
}

/** A task that runs (again) and is not what the others are, or will be. */
export function noteStraggler(step: Step, node: Node): void {
  const { state } = step;
  if (node.task === null || !node.placed.wanted) return;
  if (isUnfinished(state.rollout)) {
    if (!sameGoal(node.goal, state.rollout.record.goal)) joinRollout(step, node);
    return;
  }
  const cannotChange = node.task.phase !== 'running' || node.draining || node.killing !== null;
  if (cannotChange || node.goal === null || sameGoal(node.goal, state.completed))
    state.stragglers.delete(node.agent.agentId);
  else state.stragglers.add(node.agent.agentId);
}

// ---- the record ----------------------------------------------------------------------------------------------------

function complete(step: Step, rollout: Rollout): void {
  const { state } = step;
  setRecord(step, rollout, { status: 'complete' });
  state.completed = rollout.record.goal;
  step.persistFramework();
  // Those that could not be changed when it was their turn, and have come back since.
  for (const node of state.nodes.values()) noteStraggler(step, node);
  step.log('info', 'the rollout is complete', { goal: rollout.record.goal.id });
}

/** Writes down how far the rollout is with the node. */
function mark(step: Step, rollout: Rollout, node: Node, state: StepMark['state']): void {
  const isFirst = node.step?.rollout !== rollout.record.id;
  node.step = { rollout: rollout.record.id, phase: rollout.record.phase, state, since: step.now };
  if (isFirst) countBegun(rollout, node, 1);
  step.persist(node);
}

/** A node that has its mark of the rollout counts as begun, or does not any more. */
export function countBegun(rollout: Rollout, { step }: Node, by: 1 | -1): void {
  if (step?.rollout !== rollout.record.id) return;
  rollout.begun += by;
  if (step.phase === rollout.record.phase) rollout.begunNow += by;
}

export function setRecord(step: Step, rollout: Rollout, change: Partial<RolloutRecord>): void {
  const { state } = step;
  if (state.rollout !== rollout) return;
  Object.assign(rollout.record, change);
  step.persistRollout();
}
