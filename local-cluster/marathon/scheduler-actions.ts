/**
 * What to launch and what to kill next, for one app: a pure function of what is wanted and what exists. Scaling,
 * rolling upgrades (Marathon's upgradeStrategy) and replacing the lost are the same question asked of different tasks.
 */

/** An instance, as far as the decision goes. */
export interface TaskView {
  readonly taskId: string;
  readonly phase: 'starting' | 'running' | 'unreachable' | 'killing';
  /** Of the app's present configuration; else it is to be replaced. */
  readonly current: boolean;
  /** Running, and healthy if there are checks. */
  readonly ready: boolean;
  readonly bornAt: number;
  readonly unreachableSince: number | null;
}

export interface Wanted {
  readonly instances: number;
  readonly minimumHealthCapacity: number;
  readonly maximumOverCapacity: number;
  readonly killSelection: 'YOUNGEST_FIRST' | 'OLDEST_FIRST';
  /** How long an unreachable instance still counts; null: for ever (`disabled`). */
  readonly inactiveAfterMs: number | null;
  /** When an unreachable instance is forgotten; null: never. */
  readonly expungeAfterMs: number | null;
}

export interface Kill {
  readonly taskId: string;
  readonly reason: 'surplus' | 'outdated' | 'stopped';
}

export interface Decision {
  readonly launch: number;
  readonly kill: readonly Kill[];
  /** Unreachable instances to forget: nothing can be done about them now, and they die should they come back. */
  readonly expunge: readonly string[];
  /** When to ask again although nothing happened, or null. */
  readonly recheckAt: number | null;
}

/** The bounds that an upgrade strategy sets, in instances. */
export function capacityBounds(wanted: Wanted, upgrading: boolean): { minHealthy: number; maxCapacity: number } {
  const minHealthy = Math.ceil(wanted.instances * wanted.minimumHealthCapacity);
  const maxCapacity = Math.floor(wanted.instances * (1 + wanted.maximumOverCapacity));
  // None may be missing and none may be too many: Marathon then allows one more, or no upgrade could ever begin.
  const stuck = upgrading && minHealthy >= wanted.instances && maxCapacity <= wanted.instances;
  return { minHealthy, maxCapacity: stuck ? wanted.instances + 1 : maxCapacity };
}

/** Who goes first: whoever does no work yet, then by age. */
function victims(tasks: readonly TaskView[], wanted: Wanted): TaskView[] {
  const sign = wanted.killSelection === 'YOUNGEST_FIRST' ? -1 : 1;
  return [...tasks].sort(
    (a, b) => Number(a.ready) - Number(b.ready) || sign * (a.bornAt - b.bornAt) || (a.taskId < b.taskId ? -1 : 1),
  );
}

function stopAll(tasks: readonly TaskView[]): Decision {
  const kill = tasks
    .filter((task) => task.phase !== 'killing' && task.phase !== 'unreachable')
    .map((task): Kill => ({ taskId: task.taskId, reason: 'stopped' }));
  const expunge = tasks.filter((task) => task.phase === 'unreachable').map((task) => task.taskId);
  return { launch: 0, kill, expunge, recheckAt: null };
}

/** `wanted` is null when the app was removed. */
export function decide(wanted: Wanted | null, tasks: readonly TaskView[], now: number): Decision {
  if (wanted === null) return stopAll(tasks);
  const deadline = (task: TaskView, after: number | null) =>
    after === null ? Number.POSITIVE_INFINITY : (task.unreachableSince ?? now) + after;
  const unreachable = tasks.filter((task) => task.phase === 'unreachable');
  const expunge = unreachable.filter((task) => !task.current || deadline(task, wanted.expungeAfterMs) <= now);
  const awaited = unreachable.filter((task) => task.current && deadline(task, wanted.inactiveAfterMs) > now);
  const alive = tasks.filter((task) => task.phase === 'starting' || task.phase === 'running');
  const killing = tasks.filter((task) => task.phase === 'killing').length;
  const fresh = alive.filter((task) => task.current);
  const outdated = alive.filter((task) => !task.current);

  const { minHealthy, maxCapacity } = capacityBounds(wanted, outdated.length > 0);
  const missing = wanted.instances - fresh.length - awaited.length;
  const room = maxCapacity - alive.length - awaited.length - killing;
  const launch = Math.max(0, Math.min(missing, room));

  const surplus = victims(fresh, wanted).slice(0, Math.max(0, -missing));
  const readyLeft = alive.filter((task) => task.ready).length - surplus.filter((task) => task.ready).length;
  let spare = Math.max(0, readyLeft - minHealthy);
  const replaced: TaskView[] = [];
  for (const task of victims(outdated, wanted)) {
    // One that serves nobody costs no health capacity.
    if (!task.ready) replaced.push(task);
    else if (spare > 0) {
      spare -= 1;
      replaced.push(task);
    }
  }

  const wakeUps = unreachable
    .filter((task) => !expunge.includes(task))
    .flatMap((task) => [deadline(task, wanted.inactiveAfterMs), deadline(task, wanted.expungeAfterMs)])
    .filter((at) => at > now && Number.isFinite(at));
  return {
    launch,
    kill: [
      ...surplus.map((task): Kill => ({ taskId: task.taskId, reason: 'surplus' })),
      ...replaced.map((task): Kill => ({ taskId: task.taskId, reason: 'outdated' })),
    ],
    expunge: expunge.map((task) => task.taskId),
    recheckAt: wakeUps.length === 0 ? null : Math.min(...wakeUps),
  };
}
