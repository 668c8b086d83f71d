/** What happens when a node's deadline has come. */
import { meetMaintenance } from '../offers/maintenance.ts';
import { releaseAgain } from '../offers/release.ts';
import { OFFER_GRACE_MS, wantOffer } from '../offers/revival.ts';
import { isCounted, noteDown, roomToTakeDown } from '../rollout/budget.ts';
import { askAgain, failStep, passGate } from '../rollout/rollout.ts';
import { settle } from '../tasks/health.ts';
import { kill, killTask, repeatKills } from '../tasks/kills.ts';
import { askFate, LAUNCH_SILENCE_MS } from '../tasks/status-flow.ts';
import { type DeadlineKind, popDue } from './deadlines.ts';
import type { Step } from './effects.ts';
import type { DaemonsetState, Node } from './state.ts';

/** An agent that has been starting a task for so long (fetching, unpacking) will not get there. */
const START_LIMIT_MS = 15 * 60_000;
/** A task that should be killed for its health, and may not be yet, is looked at again. */
const LOOK_AGAIN_MS = 5_000;
/** When more of the tasks than this are unwell together, it is not the tasks. */
const COMMON_CAUSE_SHARE = 0.1;

/** Thousands are due at once when thousands of agents were listed at once: the rest is met by a step of its own, at once. */
const MOST_IN_A_STEP = 1_000;

export function meetDeadlines(step: Step): void {
  const { state, now } = step;
  for (let met = 0; met < MOST_IN_A_STEP; met += 1) {
    const due = popDue(state.heap, now);
    if (due === null) return;
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
      return wantOffer(step, node, OFFER_GRACE_MS);
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
      if (step.state.subscribed) repeatKills(step, node);
      return;
    case 'step':
      // Without Mesos nothing can get well.
      if (!step.state.subscribed) return step.arm(node, 'step', step.now + settingsOf(step).stepTimeoutMs);
      return failStep(step, node, `it was not healthy with the new version within ${timeoutOf(step)} s`);
    case 'gate':
      return passGate(step, node);
    case 'ask':
      return askAgain(step, node);
    case 'dead':
      return replaceDead(step, node);
    case 'maintenance':
      return meetMaintenance(step, node);
    case 'release':
      return releaseAgain(step, node);
  }
}

const settingsOf = (step: Step) => step.environment.settings.rollout;
const timeoutOf = (step: Step): number => Math.round(settingsOf(step).stepTimeoutMs / 1000);

/** Only a few at a time, and none while one cause seems to hit many: killing them would make it worse. */
function replaceDead(step: Step, node: Node): void {
  const { state } = step;
  if (node.task?.phase !== 'running' || node.killing !== null || node.task.health?.dead !== true) return;
  const room = roomToTakeDown(state, step.environment.settings.rollout.maxUnavailable);
  const counted = isCounted(state, node);
  if ((room <= 0 && !counted) || !state.subscribed || looksLikeOneCause(state)) {
    step.arm(node, 'dead', step.now + LOOK_AGAIN_MS);
    return;
  }
  if (!counted) noteDown(step, node, true);
  killTask(step, node, 'health');
}

function looksLikeOneCause(state: DaemonsetState): boolean {
  return state.unwell.size > 1 && state.unwell.size > COMMON_CAUSE_SHARE * state.tasks.size;
}
