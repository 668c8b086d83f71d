/**
 * Back to linkerd, on some nodes, one after the other: our proxy goes and is kept out, then linkerd gets one instance more.
 * Marathon finds the place by itself: the agent whose ports are free.
 */
import { isPlaced, type LinkerdTask, type MeshNode, type Move, type TakeoverView, tasksOn } from './view.ts';

export function nextBack(view: TakeoverView, agentIds: readonly string[]): Move {
  const { app, nodes } = view;
  for (const agentId of agentIds) {
    const node = nodes.find((one) => one.agentId === agentId);
    if (node === undefined) continue;
    const move = back(view, node, tasksOn(app, agentId));
    if (move !== null) return move;
  }
  return { kind: 'done', taken: agentIds.length, left: [] };
}

/** Null where linkerd has it. */
function back({ app }: TakeoverView, node: MeshNode, tasks: readonly LinkerdTask[]): Move | null {
  if (node.heldOut === null) return { kind: 'exclude', node };
  if (tasks.some((task) => task.state === 'TASK_RUNNING' && task.healthy)) return null;
  if (tasks.length > 0) return { kind: 'wait', node, what: "linkerd's task starts" };
  if (node.hasTask) return { kind: 'wait', node, what: 'the proxy ends' };
  const placed = app.tasks.filter(isPlaced).length;
  if (app.instances > placed) return { kind: 'wait', node, what: 'Marathon looks for a place for linkerd' };
  if (app.deploying) return { kind: 'wait', node, what: 'Marathon deploys linkerd' };
  const why = `${node.hostname} gets linkerd back`;
  return { kind: 'scale', instances: app.instances + 1, force: false, why };
}
