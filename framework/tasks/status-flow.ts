/**
 * The walk of a status update: whose is it → what does it change → is it acknowledged. The acknowledgement is sent after
 * the change is stored; `Step` sees to that.
 */

import type { Step } from '../daemonset/effects.ts';
import type { Node, Removal } from '../daemonset/state.ts';
import type { AgentId, TaskId, TaskStatus } from '../mesos-http-client/messages.ts';
import { release } from '../offers/release.ts';
import { OFFER_GRACE_MS, offerCame, wantOffer } from '../offers/revival.ts';
import { launchTook } from '../offers/turns.ts';
import { failStep, joinRollout, noteStraggler, taskEndedByItself } from '../rollout/rollout.ts';
import { failuresAfter, relaunchDelay } from './backoff.ts';
import { watchForDeath } from './health.ts';
import { addStray, dropStray, killTask } from './kills.ts';
import {
  endOf,
  isFromMaster,
  type LedgerTask,
  newTask,
  nextPhase,
  type Phase,
  type Report,
  rememberEnd,
  reportOf,
} from './ledger.ts';
import { answered } from './reconciliation.ts';

/** A launch of which nothing is heard for so long is asked for. */
export const LAUNCH_SILENCE_MS = 30_000;
const FIRST_QUERY_MS = 2_000;
const MAX_QUERY_MS = 30_000;
/** Said so often, and for so long, that nobody knows a task: then it is gone. */
const UNKNOWN_ANSWERS = 3;
const UNKNOWN_FOR_MS = 60_000;
const MAX_ORPHANS = 1_000;
/** What is left out here is told of again, by the next reconciliation at the latest. */
const MAX_ORPHANS_OF_AN_AGENT = 8;
const FASTEST_AFTER_ERROR_MS = 1_000;

/** What the status says of an agent as a whole, for the caller to act on. */
export type AgentVerdict = { readonly gone: Node; readonly why: string; readonly by: Removal['by'] } | null;

export function takeStatus(step: Step, status: TaskStatus): AgentVerdict {
  const { state } = step;
  const taskId = status.task_id.value;
  state.counters.statusUpdates += 1;
  answered(state.reconciliation, taskId);
  const agentId = state.tasks.get(taskId) ?? status.agent_id?.value;
  const node = agentId === undefined ? undefined : state.nodes.get(agentId);
  const report = reportOf(status);
  const verdict = apply(step, status, report, agentId, node);
  // Master-made updates have no uuid and want no answer. One that repeats is answered too: our answer was lost.
  if (status.uuid !== undefined && status.agent_id !== undefined) {
    step.call({
      type: 'ACKNOWLEDGE',
      acknowledge: { agent_id: status.agent_id, task_id: status.task_id, uuid: status.uuid },
    });
  }
  return verdict;
}

function apply(
  step: Step,
  status: TaskStatus,
  report: Report,
  agentId: AgentId | undefined,
  node: Node | undefined,
): AgentVerdict {
  const taskId = status.task_id.value;
  if (node === undefined) {
    if (agentId !== undefined) foundNowhere(step, status, report, agentId);
    return null;
  }
  step.touched.add(node);
  if (report.kind === 'agent-gone') return { gone: node, why: 'the operator has marked it gone', by: 'operator' };
  if (node.task?.taskId === taskId) return applyToTask(step, node, node.task, status, report);
  if (node.strays.has(taskId)) {
    applyToStray(step, node, status, report);
    return null;
  }
  if (node.ended.includes(taskId)) foundAgain(step, node, status, report);
  else found(step, node, status, report);
  return null;
}

/** What is left when the agent lives. */
type AgentReport = Exclude<Report, { kind: 'agent-gone' }>;

// ---- the task of a node --------------------------------------------------------------------------------------------

function applyToTask(step: Step, node: Node, task: LedgerTask, status: TaskStatus, report: AgentReport): AgentVerdict {
  switch (report.kind) {
    case 'ended':
      endTask(step, node, task, status);
      return null;
    case 'unknown':
      return applyUnknown(step, node, task, status);
    case 'alive':
      task.unknownAnswers = 0;
      task.unknownSince = null;
      enterPhase(step, node, task, nextPhase(task.phase, report.phase, isFromMaster(status)));
      if (report.phase === 'killing' && status.reason === 'REASON_AGENT_DRAINING') drain(step, node);
      return null;
  }
}

function enterPhase(step: Step, node: Node, task: LedgerTask, phase: Phase): void {
  if (phase === task.phase) return;
  const isLaunched = phase === 'running' && (task.phase === 'launching' || task.phase === 'starting');
  if (isLaunched) launchTook(step.state.turns, step.now - task.launchedAt);
  task.phase = phase;
  task.phaseSince = step.now;
  if (phase === 'lost') askFate(step, node);
  else step.disarm(node, 'query');
  if (phase === 'running') {
    watchForDeath(step, node, task);
    noteStraggler(step, node);
    if (!node.placed.wanted && !step.state.frozen) killTask(step, node, 'eviction');
  }
  // The master may believe in a start that the agent has never heard of: it is asked until the task runs.
  if (phase === 'starting') step.arm(node, 'launch', step.now + LAUNCH_SILENCE_MS);
  else step.disarm(node, 'launch');
}

/**
 * UNKNOWN alone frees nothing: a master that has just taken over may say so of an agent that is on its way back. An agent
 * that is registered makes the master say GONE instead.
 */
function applyUnknown(step: Step, node: Node, task: LedgerTask, status: TaskStatus): AgentVerdict {
  task.unknownSince ??= step.now;
  task.unknownAnswers += 1;
  enterPhase(step, node, task, 'lost');
  if (task.unknownAnswers < UNKNOWN_ANSWERS || step.now - task.unknownSince < UNKNOWN_FOR_MS) return null;
  if (node.listing === 'recovered') return null;
  // Where no list of agents tells who left, an offer from before the first UNKNOWN proves nothing.
  const isThere = node.listing === 'registered' && (step.state.isListed || node.seenAt > task.unknownSince);
  if (isThere) {
    endTask(step, node, task, status);
    return null;
  }
  return { gone: node, why: 'Mesos knows neither the agent nor its task any more', by: 'mesos' };
}

/** Asks how the node's task is, now and (while it stays lost) again and again. */
export function askFate(step: Step, node: Node): void {
  const { task } = node;
  if (task === null) return;
  step.questions.set(task.taskId, node.agent.agentId);
  task.queryDelay = Math.min(MAX_QUERY_MS, Math.max(FIRST_QUERY_MS, task.queryDelay * 2));
  step.arm(node, 'query', step.now + task.queryDelay);
}

function drain(step: Step, node: Node): void {
  if (node.draining) return;
  node.draining = true;
  offerCame(step, node);
  step.listAgents();
}

function endTask(step: Step, node: Node, task: LedgerTask, status: TaskStatus): void {
  const draining = status.reason === 'REASON_AGENT_DRAINING';
  if (draining) drain(step, node);
  const earlier = failuresAfter(node.failures, task.healthySince === null ? 0 : step.now - task.healthySince);
  // A task that was told to go, and not because it was sick, has not failed.
  const wanted = draining || (node.killing !== null && node.killing !== 'health');
  const failures = wanted ? earlier : earlier + 1;
  // What takes the place of one that was told to go is another try: it does not wait for the failures before it.
  const delay = wanted ? 0 : relaunchDelay(failures);
  const slowest = status.state === 'TASK_ERROR' ? FASTEST_AFTER_ERROR_MS : 0;
  const end = endOf(status);
  const { killing, goal } = node;
  closeTask(step, node, task, failures, Math.max(slowest, delay), end);
  if (killing === null) taskEndedByItself(step, node, goal, end);
  if (status.state === 'TASK_FAILED') {
    step.act({ type: 'ask-last-words', agentId: node.agent.agentId, taskId: task.taskId });
  }
}

const MOST_LAST_WORDS = 300;

/** What the task that ended last had said. */
export function takeLastWords(step: Step, agentId: AgentId, taskId: TaskId, text: string): void {
  const node = step.state.nodes.get(agentId);
  const words = text.trim().slice(-MOST_LAST_WORDS);
  if (node === undefined || node.lastEnd === null || words === '' || node.ended.at(-1) !== taskId) return;
  node.lastEnd = `${node.lastEnd}, and said last: ${words}`;
  step.persist(node);
}

/** The agent is free; the next launch is due after `delay`. */
function closeTask(step: Step, node: Node, task: LedgerTask, failures: number, delay: number, end: string): void {
  const { agentId, hostname } = node.agent;
  node.task = null;
  node.goal = null;
  node.credential = null;
  node.killing = null;
  node.portHolders = {};
  rememberEnd(node.ended, task.taskId);
  step.state.tasks.delete(task.taskId);
  for (const kind of ['launch', 'query', 'settled', 'dead', 'gate', 'ask'] as const) step.disarm(node, kind);
  node.failures = failures;
  node.lastEnd = end;
  node.misfit = null;
  node.notBefore = delay === 0 ? null : step.now + delay;
  if (node.notBefore !== null) step.arm(node, 'relaunch', node.notBefore);
  step.persist(node);
  // Not listed, and now without a task: is it still an agent at all?
  if (node.listing === 'missing') step.listAgents();
  release(step, node);
  step.log('info', 'task ended', { agentId, hostname, taskId: task.taskId, end, failures, relaunchInMs: delay });
  wantOffer(step, node, OFFER_GRACE_MS);
}

/** The ACCEPT of a launch got no good answer. */
export function launchFailed(step: Step, taskId: TaskId, refused: boolean, text: string): void {
  const agentId = step.state.tasks.get(taskId);
  const node = agentId === undefined ? undefined : step.state.nodes.get(agentId);
  const task = node?.task;
  if (node === undefined || task === undefined || task === null || task.taskId !== taskId || task.phase !== 'launching')
    return;
  step.touched.add(node);
  if (refused) {
    const failures = node.failures + 1;
    const delay = Math.max(FASTEST_AFTER_ERROR_MS, relaunchDelay(failures));
    closeTask(step, node, task, failures, delay, `was refused by the master (${text})`);
    failStep(step, node, `the launch was refused by the master (${text})`);
  } else if (step.state.subscribed) {
    step.questions.set(taskId, node.agent.agentId);
  }
}

// ---- tasks that are not where they should be -----------------------------------------------------------------------

function applyToStray(step: Step, node: Node, status: TaskStatus, report: Report): void {
  // UNKNOWN frees no stray either: a master that has just taken over says so of a task that lives.
  if (report.kind === 'alive' || report.kind === 'unknown') return;
  dropStray(step, node, status.task_id.value);
  release(step, node);
  wantOffer(step, node);
}

/** A task of ours that is not in the books, on an agent that is. */
function found(step: Step, node: Node, status: TaskStatus, report: Report): void {
  if (report.kind !== 'alive') return;
  const taskId = status.task_id.value;
  // An executor's update may be old news; the master's own word is not.
  if (!isFromMaster(status)) step.questions.set(taskId, node.agent.agentId);
  else takeIn(step, node, taskId, report.phase);
}

/** A task that was taken for dead. Old updates of it may still come; but the master's word that it lives is to be believed. */
function foundAgain(step: Step, node: Node, status: TaskStatus, report: Report): void {
  const masterSays = isFromMaster(status) || status.source === 'SOURCE_MASTER';
  if (report.kind !== 'alive' || report.phase === 'lost' || !masterSays) return;
  const taskId = status.task_id.value;
  const { agentId, hostname } = node.agent;
  step.log('warn', 'killing a task of ours that was taken for dead', { agentId, hostname, taskId });
  node.ended.splice(node.ended.indexOf(taskId), 1);
  step.state.tasks.set(taskId, agentId);
  offerCame(step, node);
  addStray(step, node, taskId);
}

/** Adopts a running task for a node that has none; one too many is killed. */
export function takeIn(step: Step, node: Node, taskId: TaskId, phase: Phase): void {
  const { agentId, hostname } = node.agent;
  step.state.tasks.set(taskId, agentId);
  if (node.task !== null || node.strays.size > 0) {
    step.log('warn', 'killing a task of ours that is one too many', {
      agentId,
      hostname,
      taskId,
      holder: node.task?.taskId ?? null,
    });
    addStray(step, node, taskId);
    return;
  }
  step.log('warn', 'adopting a task of ours that was not in the state store', { agentId, hostname, taskId });
  node.task = newTask(taskId, phase, step.now, step.now);
  // What it is, it has to say itself.
  node.goal = null;
  node.credential = null;
  offerCame(step, node);
  step.persist(node);
  joinRollout(step, node);
  if (!node.placed.wanted && !step.state.frozen) killTask(step, node, 'eviction');
}

function foundNowhere(step: Step, status: TaskStatus, report: Report, agentId: AgentId): void {
  const taskId = status.task_id.value;
  const { removed, orphans } = step.state;
  const removal = removed.get(agentId);
  if (report.kind !== 'alive') {
    const others = orphans.get(agentId)?.filter((orphan) => orphan !== taskId) ?? [];
    if (others.length === 0) orphans.delete(agentId);
    else orphans.set(agentId, others);
    if (report.kind === 'agent-gone' && removal !== undefined) removed.set(agentId, { ...removal, by: 'operator' });
    return;
  }
  if (!isFromMaster(status)) return;
  // The master may speak of the task before it is heard that the agent is back: `addNode` goes on with the same task.
  const mayStay =
    removal === undefined || (removal.by === 'mesos' && (removal.taskId === null || removal.taskId === taskId));
  if (!mayStay) {
    step.log('warn', 'killing a task of ours on an agent that was removed', { agentId, taskId });
    step.call({ type: 'KILL', kill: { task_id: { value: taskId }, agent_id: { value: agentId } } });
  } else {
    const here = orphans.get(agentId) ?? [];
    if (orphans.size >= MAX_ORPHANS || here.length >= MAX_ORPHANS_OF_AN_AGENT) return;
    if (!here.includes(taskId)) orphans.set(agentId, [...here, taskId]);
    step.listAgents();
  }
}
