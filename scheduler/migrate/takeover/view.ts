/**
 * What a takeover goes by: linkerd as Marathon tells of it, and the nodes as the scheduler does. All of it is looked at anew
 * before each move and nothing is remembered, so that a takeover can be stopped at any point and gone on with by anybody.
 */

/** A task of linkerd. */
export interface LinkerdTask {
  readonly taskId: string;
  /** Null until it has a place. */
  readonly agentId: string | null;
  /** Marathon's word, as `TASK_RUNNING`. */
  readonly state: string;
  /** False while a health check fails or has not been answered. */
  readonly healthy: boolean;
  /** Of the version of the app that is wanted. */
  readonly isCurrent: boolean;
}

export interface LinkerdApp {
  readonly appId: string;
  readonly instances: number;
  /** A deployment holds the app. */
  readonly deploying: boolean;
  readonly tasks: readonly LinkerdTask[];
}

export interface MeshNode {
  readonly agentId: string;
  readonly hostname: string;
  readonly isPublic: boolean;
  /** The scheduler's word, as `healthy`. */
  readonly state: string;
  /** For so long. Milliseconds. */
  readonly stateForMs: number;
  readonly reason: string | null;
  readonly hasTask: boolean;
  /** Why an operator wants no proxy there; null where nobody has said so. */
  readonly heldOut: string | null;
}

export interface TakeoverView {
  readonly app: LinkerdApp;
  readonly nodes: readonly MeshNode[];
  /** Marathon has looked for a place for an instance for so long, as far as this run has seen. Milliseconds. */
  readonly placelessForMs: number;
}

/** One thing to do. Then everything is looked at again. */
export type Move =
  /** `node` null: for Marathon. */
  | { readonly kind: 'wait'; readonly node: MeshNode | null; readonly what: string }
  /** Instances that have no place would take the place that becomes free. `force`: a deployment waits for them for ever. */
  | { readonly kind: 'scale'; readonly instances: number; readonly force: boolean; readonly why: string }
  /** The task, and with it one instance of the app. */
  | { readonly kind: 'scale-down'; readonly node: MeshNode; readonly taskId: string; readonly instances: number }
  | { readonly kind: 'include'; readonly node: MeshNode }
  | { readonly kind: 'exclude'; readonly node: MeshNode }
  /** Is its proxy as good as it looks? */
  | { readonly kind: 'check'; readonly node: MeshNode }
  | { readonly kind: 'done'; readonly taken: number; readonly left: readonly LeftNode[] };

export interface LeftNode {
  readonly hostname: string;
  readonly why: string;
}

/** Said of a node that was given back to linkerd. */
export const GIVEN_BACK = 'linkerd has it (nodemesh migrate give-back)';

const ALIVE = ['TASK_STAGING', 'TASK_STARTING', 'TASK_RUNNING', 'TASK_UNREACHABLE', 'TASK_UNKNOWN'];

/** It has a place and is to stay there. */
export const isPlaced = (task: LinkerdTask): boolean => task.agentId !== null && ALIVE.includes(task.state);

export const isGoing = ({ state }: LinkerdTask): boolean => state === 'TASK_KILLING';

/** Those on an agent, also one that is about to end: its ports are not free yet. */
export const tasksOn = ({ tasks }: LinkerdApp, agentId: string): LinkerdTask[] =>
  tasks.filter((task) => task.agentId === agentId && (isPlaced(task) || isGoing(task)));

/** Something is under way at Marathon that has to end first; null where the app is at rest. */
export function unrest({ app, placelessForMs }: TakeoverView, patienceMs: number): Move | null {
  const wait = (what: string): Move => ({ kind: 'wait', node: null, what });
  const placed = app.tasks.filter(isPlaced);
  if (app.tasks.some(isGoing)) return wait('a task of linkerd ends');
  if (placed.length > app.instances) return wait('Marathon scales linkerd down');
  if (placed.length === app.instances) return app.deploying ? wait('Marathon deploys linkerd') : null;
  const placeless = app.instances - placed.length;
  if (placed.some(({ isCurrent }) => !isCurrent)) return wait('Marathon brings another version of linkerd out');
  if (placelessForMs < patienceMs) return wait(`${placeless} of linkerd's instances look for a place`);
  const why = `${placeless} of its instances have no place, and would take the one that becomes free`;
  return { kind: 'scale', instances: placed.length, force: app.deploying, why };
}
