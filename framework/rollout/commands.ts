/** What is ordered: the verbs of the DC/OS SDK's plans, freeze and thaw, and what the user has kept with a task. */
import type { Step } from '../daemonset/effects.ts';
import type { Order } from '../daemonset/events.ts';
import { placeNode } from '../daemonset/membership.ts';
import { removeNode } from '../daemonset/nodes.ts';
import type { Node } from '../daemonset/state.ts';
import { killTask } from '../tasks/kills.ts';
import { noteDown } from './budget.ts';
import { tryAgain } from './judged.ts';
import type { PlanCommand, PlanOutcome } from './plan-view.ts';
import { countBegun, queueAgain, setRecord } from './rollout.ts';
import { isUnfinished, type Rollout } from './rollout-state.ts';

export function takeOrder(step: Step, order: Order): PlanOutcome {
  switch (order.kind) {
    case 'freeze':
      return freeze(step, order.frozen);
    case 'hold-out':
      return holdOut(step, order.node, order.why);
    case 'plan':
      return commandPlan(step, order.command);
    case 'credential':
      return keepCredential(step, order);
  }
}

const done = (message: string): PlanOutcome => ({ kind: 'done', message });
const already = (message: string): PlanOutcome => ({ kind: 'already', message });
const invalid = (message: string): PlanOutcome => ({ kind: 'invalid', message });
const notFound = (message: string): PlanOutcome => ({ kind: 'not-found', message });

function freeze(step: Step, frozen: boolean): PlanOutcome {
  const { state } = step;
  if (state.mode !== 'keep') return invalid('everything is being uninstalled, and that cannot be frozen');
  if (state.frozen === frozen) return already(frozen ? 'frozen already' : 'thawed already');
  state.frozen = frozen;
  step.persistFramework();
  // What the placement asked for meanwhile is done now.
  if (!frozen) for (const node of state.nodes.values()) placeNode(step, node);
  return done(frozen ? 'frozen' : 'thawed');
}

/** Its task is taken down and what is reserved for it is given back, or it gets one again; both by the placement's own ways. */
function holdOut(step: Step, name: string, why: string | null): PlanOutcome {
  if (step.state.mode !== 'keep') return invalid('everything is being uninstalled');
  const node = findNode(step, name);
  if (node === null) return notFound(`there is no node ${name}`);
  const { hostname } = node.agent;
  if (node.heldOut === why)
    return already(why === null ? `${hostname} is not left out` : `${hostname} is left out already`);
  node.heldOut = why;
  step.persist(node);
  placeNode(step, node);
  if (why === null) return done(`${hostname} gets a task again`);
  const waits = step.state.frozen ? ' when the mesh is thawed' : '';
  return done(`${hostname} is left out: its task is taken down${waits}`);
}

/** Whoever comes second, with another one, comes too late: of two at once the queue of events makes a first. */
function keepCredential(step: Step, order: Extract<Order, { kind: 'credential' }>): PlanOutcome {
  const { state } = step;
  const { taskId, credential, replaces } = order;
  const agentId = state.tasks.get(taskId);
  const node = agentId === undefined ? undefined : state.nodes.get(agentId);
  if (node?.task?.taskId !== taskId) return notFound(`no agent has the task ${taskId}`);
  if (node.credential === credential) return already('kept already');
  if (node.credential !== replaces) return invalid('another one is kept with the task');
  node.credential = credential;
  step.persist(node);
  return done('kept');
}

function commandPlan(step: Step, command: PlanCommand): PlanOutcome {
  if (command.step !== undefined && command.phase === undefined) return invalid('a step needs its phase');
  switch (command.plan) {
    case 'update':
      return commandUpdate(step, command);
    case 'deploy':
    case 'recovery':
      return commandNodes(step, command);
    default:
      return notFound(`there is no plan ${command.plan}`);
  }
}

// ---- update --------------------------------------------------------------------------------------------------------

function commandUpdate(step: Step, command: PlanCommand): PlanOutcome {
  const { rollout } = step.state;
  if (rollout === null) return notFound('there was no rollout yet, so there is no plan update');
  const { record } = rollout;
  if (command.phase !== undefined && !record.phases.some((phase) => phase.name === command.phase)) {
    return notFound(`the plan update has no phase ${command.phase}`);
  }
  if (command.step !== undefined) return commandStep(step, rollout, command, command.step);
  switch (command.verb) {
    case 'start':
    case 'continue':
      if (command.verb === 'start' && tryAgain(step)) return done('the version that was turned back is tried again');
      if (record.status === 'running' || record.status === 'complete')
        return already(`the rollout is ${record.status}`);
      retryFailed(step, rollout);
      setRecord(step, rollout, { status: 'running', errors: [] });
      return done('the rollout goes on');
    case 'stop':
    case 'interrupt':
      if (record.status !== 'running' && record.status !== 'waiting') return already(`the rollout is ${record.status}`);
      setRecord(step, rollout, { status: 'interrupted' });
      return done('no further node is begun; what is begun is finished');
    case 'restart':
      if (rollout.failed.size === 0) return already('no node of the rollout has failed');
      retryFailed(step, rollout);
      setRecord(step, rollout, { status: 'running', errors: [] });
      return done('the nodes that failed are tried again');
    case 'forceComplete':
      if (!isUnfinished(rollout)) return already('the rollout is complete');
      for (const id of [...rollout.failed, ...rollout.active]) forceStep(step, rollout, step.state.nodes.get(id));
      rollout.isOrdered = true;
      setRecord(step, rollout, { status: 'running', errors: [], judged: record.phase + 1 });
      return done('the nodes that are being changed, and those that failed, count as done');
  }
}

function commandStep(step: Step, rollout: Rollout, { verb }: PlanCommand, name: string): PlanOutcome {
  const node = findNode(step, name);
  if (node === null) return notFound(`the plan update has no step ${name}`);
  const { agentId, hostname } = node.agent;
  switch (verb) {
    case 'restart':
      if (rollout.active.has(agentId)) return already(`${hostname} is being changed`);
      if (!isUnfinished(rollout)) return invalid('the rollout is complete');
      rollout.failed.delete(agentId);
      queueAgain(step, rollout, node);
      if (rollout.failed.size === 0) setRecord(step, rollout, { status: 'running', errors: [] });
      return done(`${hostname} has its turn again`);
    case 'forceComplete':
      if (node.step?.rollout === rollout.record.id && node.step.state === 'complete' && !node.down)
        return already(`${hostname} is done`);
      forceStep(step, rollout, node);
      if (rollout.failed.size === 0 && rollout.record.status === 'failed') {
        setRecord(step, rollout, { status: 'running', errors: [] });
      }
      return done(`${hostname} counts as done`);
    default:
      return invalid(`${verb} is for the plan, not for one step`);
  }
}

function retryFailed(step: Step, rollout: Rollout): void {
  for (const id of [...rollout.failed]) {
    rollout.failed.delete(id);
    const node = step.state.nodes.get(id);
    if (node !== undefined) queueAgain(step, rollout, node);
  }
}

function forceStep(step: Step, rollout: Rollout, node: Node | undefined): void {
  if (node === undefined) return;
  const { agentId } = node.agent;
  for (const set of [rollout.queue, rollout.active, rollout.failed]) set.delete(agentId);
  for (const kind of ['step', 'gate', 'ask'] as const) step.disarm(node, kind);
  const { id, phase } = rollout.record;
  const isFirst = node.step?.rollout !== id;
  node.step = { rollout: id, phase, state: 'complete', since: step.now };
  if (isFirst) countBegun(rollout, node, 1);
  noteDown(step, node, false);
  step.persist(node);
}

// ---- deploy and recovery -------------------------------------------------------------------------------------------

function commandNodes(step: Step, command: PlanCommand): PlanOutcome {
  const { state } = step;
  const node = command.step === undefined ? null : findNode(step, command.step);
  if (command.step !== undefined && node === null)
    return notFound(`the plan ${command.plan} has no step ${command.step}`);
  switch (command.verb) {
    case 'start':
    case 'continue':
      return already('an agent without its task always gets one');
    case 'stop':
    case 'interrupt':
      return invalid('an agent without its task always gets one; `freeze` stops every other change');
    case 'restart':
      if (node === null) return invalid('restart takes a phase and a step: the node whose task is to be replaced');
      if (node.task === null)
        return already(`${node.agent.hostname} has no task; one is launched as soon as it can be`);
      killTask(step, node, 'rollout');
      return done(`the task of ${node.agent.hostname} is being replaced`);
    case 'forceComplete':
      if (state.mode !== 'uninstall') return invalid('a node is done when its task is healthy, and not before');
      if (node === null) return invalid('forceComplete takes a phase and a step: the node that is to be left behind');
      removeNode(step, node, 'the operator leaves it behind');
      return done(`${node.agent.hostname} is left behind, with whatever is there`);
  }
}

function findNode(step: Step, name: string): Node | null {
  const { nodes } = step.state;
  for (const node of nodes.values()) {
    if (node.agent.agentId === name || node.agent.hostname === name || node.agent.ip === name) return node;
  }
  return null;
}
