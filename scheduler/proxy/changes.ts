/** Changes of a proxy's code in the task that runs: asked for by the framework, told of by the proxy's reports. */
import type { Framework, FrameworkOptions, Goal, NodeStatus } from '../../framework/index.ts';
import type { NodeSessions } from '../distribution/node-sessions.ts';
import type { SessionView } from '../distribution/session-view.ts';
import { goalOf } from './goal.ts';
import type { ProxyGoals } from './goals.ts';

/** A report that was on its way when a change was asked for tells of the one before. Reports come every 1 to 5 s. */
const STALE_FOR_MS = 6_000;

export interface ChangesInPlaceOptions {
  readonly goals: ProxyGoals;
  /** Base URL of this scheduler, as proxies reach it. */
  readonly advertise: string;
  readonly framework: Pick<Framework, 'reportGoal' | 'reportUpgradeFailed'>;
  readonly sessions: Pick<NodeSessions, 'upgrade'>;
  readonly logger: FrameworkOptions['logger'];
  /** Milliseconds. */
  now(): number;
}

export class ChangesInPlace {
  readonly #options: ChangesInPlaceOptions;
  /** When each task was last asked; only what is recent. */
  readonly #askedAt = new Map<string, number>();

  constructor(options: ChangesInPlaceOptions) {
    this.#options = options;
  }

  /** Has a proxy change its code. What cannot be sent now, the framework asks for again. */
  ask(taskId: string, goal: Goal): void {
    const { goals, advertise, sessions, logger, now } = this.#options;
    const found = goals.find(goal);
    if (found === null) return;
    const { sha256, path, version, codeSha256 } = goalOf(found.archive, found.plan);
    const outcome = sessions.upgrade(taskId, { url: `${advertise}${path}`, sha256, version, codeSha256 });
    for (const [task, at] of this.#askedAt) if (now() - at >= STALE_FOR_MS) this.#askedAt.delete(task);
    this.#askedAt.set(taskId, now());
    logger.info({ taskId, goal: goal.id, ...outcome }, 'a proxy is to change its code in place');
  }

  /** The proxy of a node has said something: which goal it has, and how its change stands. */
  told(node: NodeStatus, { running }: SessionView): void {
    const { goals, framework } = this.#options;
    const { codeSha256, upgrade } = running;
    if (node.taskId === null || node.goal === null || codeSha256 === null) return;
    const runs = goals.ofCode(codeSha256, node.goal);
    if (runs !== null) framework.reportGoal(node.taskId, runs.id);
    if (upgrade?.state !== 'failed' || this.#isStale(node.taskId)) return;
    const failed = goals.ofCode(upgrade.codeSha256, node.goal);
    const why = `its code could not be changed in place: ${upgrade.reason ?? 'it does not say why'}`;
    if (failed !== null) framework.reportUpgradeFailed(node.taskId, failed.id, why);
  }

  #isStale(taskId: string): boolean {
    const askedAt = this.#askedAt.get(taskId);
    return askedAt !== undefined && this.#options.now() - askedAt < STALE_FOR_MS;
  }
}
