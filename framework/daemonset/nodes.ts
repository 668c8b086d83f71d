/** Which agents there are: how nodes come, change and go. */
import type { AgentView } from '../agent.ts';
import type { AgentId } from '../mesos-http-client/messages.ts';
import { heldUnknown, released } from '../offers/release.ts';
import { OFFER_GRACE_MS, offerCame, wantOffer } from '../offers/revival.ts';
import { joinRollout, leaveRollout, noteStraggler } from '../rollout/rollout.ts';
import { newTask } from '../tasks/ledger.ts';
import { askFate, takeIn } from '../tasks/status-flow.ts';
import type { Step } from './effects.ts';
import type { DaemonsetEvent, ListedAgent } from './events.ts';
import { changeAgent, leavePlacement, placeNode } from './membership.ts';
import { type Node, newNode, type Removal } from './state.ts';

const MAX_REMOVED = 1_000;

/** The node of an agent that is registered now. A node of which nothing is new stays untouched: lists are long. */
export function seeAgent(step: Step, view: AgentView): Node {
  const known = step.state.nodes.get(view.agentId);
  const node = known ?? addNode(step, view);
  if (known !== undefined && !sameView(known.agent, view)) {
    step.persist(known);
    changeAgent(step, known, view);
  }
  node.seenAt = step.now;
  if (node.listing !== 'registered') {
    node.listing = 'registered';
    // What the master said of its task while it was not is old, and some of it may still be on its way.
    if (node.task !== null) node.task.unknownAnswers = 0;
    if (node.task !== null) node.task.unknownSince = null;
    step.touched.add(node);
    wantOffer(step, node, OFFER_GRACE_MS);
  }
  return node;
}

/** An entry of the operator's list, or an addition to it. */
export function seeListed(step: Step, listed: ListedAgent): Node {
  const node = seeAgent(step, listed.view);
  node.agentPorts = listed.ports;
  // What it lacks may be said in another way now.
  if (node.misfit !== null) step.touched.add(node);
  if (listed.holdsOurs === false) released(step, node);
  else if (listed.holdsOurs === true && node.reserved === null && step.state.mode === 'uninstall')
    heldUnknown(step, node);
  if (node.draining && !listed.deactivated) {
    node.draining = false;
    noteStraggler(step, node);
    step.touched.add(node);
    wantOffer(step, node);
  } else if (!node.draining && listed.deactivated) {
    node.draining = true;
    step.touched.add(node);
    offerCame(step, node);
  }
  return node;
}

function addNode(step: Step, view: AgentView): Node {
  const { nodes, tasks, removed, orphans } = step.state;
  const node = newNode(view, step.now);
  const removal = removed.get(view.agentId);
  const held = removal?.taskId ?? null;
  removed.delete(view.agentId);
  nodes.set(view.agentId, node);
  // Agents checkpoint what is reserved. Where nothing is offered, nobody else would tell of it.
  node.reserved = removal?.reserved ?? null;
  if (node.reserved !== null) step.persist(node);
  placeNode(step, node);
  joinRollout(step, node);
  if (held !== null) {
    // It was told to be gone for good, and is not: then its task may not be gone either.
    node.task = newTask(held, 'lost', step.now, step.now);
    node.credential = removal?.credential ?? null;
    tasks.set(held, view.agentId);
    step.persist(node);
    askFate(step, node);
  }
  const found = (orphans.get(view.agentId) ?? []).filter((orphan) => orphan !== held);
  orphans.delete(view.agentId);
  // The first becomes the node's task, any other is one too many.
  for (const orphan of found) takeIn(step, node, orphan, 'running');
  // What was heard of it is old by now.
  if (found.length > 0) askFate(step, node);
  if (node.task === null && step.now < step.state.strangersAt) {
    node.notBefore = step.state.strangersAt;
    step.arm(node, 'relaunch', node.notBefore);
  }
  return node;
}

/** The agent is gone for good, and what ran there with it. */
export function removeNode(step: Step, node: Node, why: string, by: Removal['by'] = 'mesos'): void {
  const { agentId, hostname } = node.agent;
  const { nodes, tasks, removed } = step.state;
  step.log('info', 'agent is gone', { agentId, hostname, why, taskId: node.task?.taskId ?? null });
  offerCame(step, node);
  leavePlacement(step, node);
  leaveRollout(step, node);
  const { credential, reserved } = node;
  removed.set(agentId, { taskId: node.task?.taskId ?? null, credential, reserved, by });
  for (const [oldest] of removed) {
    if (removed.size <= MAX_REMOVED) break;
    removed.delete(oldest);
  }
  if (node.task !== null) tasks.delete(node.task.taskId);
  for (const taskId of node.strays.keys()) tasks.delete(taskId);
  nodes.delete(agentId);
  step.forget(node);
}

/** The whole list: who is not on it is not registered. */
export function seeList(
  step: Step,
  { registered, before, recovered, askedAt }: Extract<DaemonsetEvent, { type: 'agents' }>,
): void {
  step.state.isListed = true;
  for (const listed of registered) seeListed(step, listed);
  const present = new Set<AgentId>(before);
  for (const listed of registered) present.add(listed.view.agentId);
  const expected = new Set(recovered);
  // The one place that looks at every node: it has the news of every node in its hands.
  for (const node of step.state.nodes.values()) {
    const { agentId } = node.agent;
    if (present.has(agentId) || node.seenAt >= askedAt) continue;
    step.touched.add(node);
    if (expected.has(agentId)) {
      node.listing = 'recovered';
    } else if (node.task === null && !(step.state.mode === 'uninstall' && node.reserved !== null)) {
      removeNode(step, node, 'the master does not list the agent, and it has no task of ours');
    } else {
      miss(step, node);
    }
  }
}

/**
 * The master says so of an agent that is gone for good and of one that it cannot reach alike: a task may live on there, and
 * what became of it is asked before it is forgotten.
 */
export function removeAgent(step: Step, agentId: AgentId): void {
  const node = step.state.nodes.get(agentId);
  if (node === undefined) return;
  step.touched.add(node);
  if (node.task === null) removeNode(step, node, 'the master has removed it, and it has no task of ours');
  else miss(step, node);
}

function miss(step: Step, node: Node): void {
  if (node.listing === 'missing') return;
  node.listing = 'missing';
  askFate(step, node);
}

function sameView(a: AgentView, b: AgentView): boolean {
  if (a.hostname !== b.hostname || a.ip !== b.ip || a.isPublic !== b.isPublic) return false;
  if (a.port !== b.port || a.region !== b.region || a.zone !== b.zone) return false;
  const names = Object.keys(a.attributes);
  return (
    names.length === Object.keys(b.attributes).length &&
    names.every((name) => a.attributes[name] === b.attributes[name])
  );
}
