/**
 * From linkerd to nodemesh, one node after the other. At no time more than one node is without either by the takeover's doing:
 * the next one is not begun before the proxies of all that have no linkerd any more are well.
 *
 *   linkerd's task goes (and with it an instance) → the ports are free → the scheduler launches a proxy → healthy for the
 *   window → its listeners answer, its traffic is well → the next node
 *
 * linkerd's task is removed by Marathon's `DELETE …/tasks/<task>?scale=true`: the number of instances goes down with it, so
 * that Marathon does not launch another one there. A change of the constraints would do as well and is another version of the
 * app, for which Marathon replaces all of its tasks.
 */
import {
  GIVEN_BACK,
  isPlaced,
  type LeftNode,
  type MeshNode,
  type Move,
  type TakeoverView,
  tasksOn,
  unrest,
} from './view.ts';

export interface ForwardOptions {
  /** Nodes that are taken over; null: all. Others do not matter. */
  readonly only: ReadonlySet<string> | null;
  /** Nodes that this run may still begin; null: any number. */
  readonly most: number | null;
  /** Proxies that this run has checked, by agent. */
  readonly checked: ReadonlySet<string>;
  /** How long a proxy has to be healthy before its node counts. Milliseconds. */
  readonly windowMs: number;
  /** How long an instance without a place is waited for before it is given up. Milliseconds. */
  readonly patienceMs: number;
}

export function nextForward(view: TakeoverView, options: ForwardOptions): Move {
  const { only, checked, windowMs } = options;
  const nodes = inOrder(view.nodes).filter(({ agentId }) => only === null || only.has(agentId));
  const left: LeftNode[] = [];
  const candidates: MeshNode[] = [];
  const taken: MeshNode[] = [];
  for (const node of nodes) {
    const hasLinkerd = tasksOn(view.app, node.agentId).length > 0;
    const why = outOfReach(node);
    if (why !== null) {
      if (hasLinkerd) left.push({ hostname: node.hostname, why });
    } else if (hasLinkerd) candidates.push(node);
    else taken.push(node);
  }

  // Neither has them: first of all.
  const bare = taken.find(({ heldOut }) => heldOut !== null);
  if (bare !== undefined) return { kind: 'include', node: bare };
  const unwell = taken.find(({ state }) => state !== 'healthy');
  if (unwell !== undefined) return { kind: 'wait', node: unwell, what: unwell.reason ?? unwell.state };
  const young = taken.find(({ stateForMs }) => stateForMs < windowMs);
  if (young !== undefined)
    return { kind: 'wait', node: young, what: `healthy for ${seconds(young.stateForMs)} of ${seconds(windowMs)}` };
  const unchecked = taken.find(({ agentId }) => !checked.has(agentId));
  if (unchecked !== undefined) return { kind: 'check', node: unchecked };

  const [node] = options.most === 0 ? [] : candidates;
  if (node === undefined) {
    // An instance without a place would be launched on the next agent that joins.
    const rest = only === null && options.most !== 0 ? unrest(view, options.patienceMs) : null;
    if (rest !== null) return rest;
    const strangers = strangersIn(view).filter(() => only === null);
    const later = options.most === 0 ? candidates.map(({ hostname }) => ({ hostname, why: 'not in this run' })) : [];
    return { kind: 'done', taken: taken.length, left: [...left, ...later, ...strangers] };
  }
  return unrest(view, options.patienceMs) ?? begin(view, node);
}

function begin({ app }: TakeoverView, node: MeshNode): Move {
  if (node.heldOut !== null) return { kind: 'include', node };
  // On other ports than linkerd's it may be there already.
  if (node.state !== 'pending' && node.state !== 'healthy') {
    return { kind: 'wait', node, what: node.reason ?? node.state };
  }
  const task = tasksOn(app, node.agentId).find(isPlaced);
  if (task === undefined) return { kind: 'wait', node, what: "linkerd's task ends" };
  return { kind: 'scale-down', node, taskId: task.taskId, instances: app.instances - 1 };
}

/** Why the scheduler would launch no proxy there. */
function outOfReach({ state, heldOut, reason }: MeshNode): string | null {
  if (heldOut !== null) return heldOut === GIVEN_BACK ? null : `an operator has left it out: ${heldOut}`;
  if (state === 'excluded') return reason ?? 'the placement leaves it out';
  if (state === 'lost' || state === 'draining') return reason ?? `it is ${state}`;
  return null;
}

/** Agents with a linkerd that the scheduler has not heard of. */
function strangersIn({ app, nodes }: TakeoverView): LeftNode[] {
  const known = new Set(nodes.map(({ agentId }) => agentId));
  const agents = new Set(app.tasks.flatMap((task) => (isPlaced(task) && task.agentId !== null ? [task.agentId] : [])));
  return [...agents]
    .filter((agentId) => !known.has(agentId))
    .map((agentId) => ({ hostname: agentId, why: 'the scheduler does not know this agent' }));
}

/** Public nodes last: there may be one alone. */
function inOrder(nodes: readonly MeshNode[]): MeshNode[] {
  return nodes.toSorted(
    (a, b) => Number(a.isPublic) - Number(b.isPublic) || a.hostname.localeCompare(b.hostname, 'en', { numeric: true }),
  );
}

const seconds = (ms: number): string => `${Math.floor(ms / 1_000)} s`;
