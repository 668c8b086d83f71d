/**
 * The proxy inside a task: which goal it runs, whether it is well, which leader it is linked to, and the highest epoch that
 * it has seen (kept by the real guard of the proxy). A new task has a new sandbox, so its proxy has seen nothing yet.
 */
import { EpochGuard } from '../../../agent-proxy/control/epoch-guard.ts';
import type { TaskId } from '../../../framework/mesos-http-client/messages.ts';
import { type Context, Violation } from '../context.ts';
import { isSick, type SimulatedGoal, upgradeFails } from './goals.ts';

/** A leader, as its proxies see it. */
export interface Leader {
  readonly epoch: number;
  readonly isAwake: boolean;
  linked(proxy: ProxyModel): void;
  unlinked(proxy: ProxyModel): void;
  heard(proxy: ProxyModel, report: ProxyReport): void;
}

export type ProxyReport =
  | { readonly type: 'runs'; readonly goal: string }
  | { readonly type: 'well'; readonly healthy: boolean }
  | { readonly type: 'upgrade-failed'; readonly goal: string };

export class ProxyModel {
  readonly taskId: TaskId;
  readonly agentName: string;
  readonly #context: Context;
  readonly #guard = new EpochGuard(0, () => {});
  /** The highest epoch of a frame that was applied. */
  #applied = 0;
  goal: SimulatedGoal;
  isAlive = true;
  /** Its worker answers; the supervisor alone is not enough. */
  isWell = false;
  /** It was well once. */
  wasWell = false;
  /** It answers nobody any more. */
  isHung = false;
  leader: Leader | null = null;
  /** Reports of one link arrive in order. */
  #lastArrival = 0;
  #link = 0;
  #upgrading = 0;

  constructor(context: Context, taskId: TaskId, agentName: string, goal: SimulatedGoal) {
    this.#context = context;
    this.taskId = taskId;
    this.agentName = agentName;
    this.goal = goal;
    const { clock, rng } = context;
    clock.after(rng.between(300, 5_000), () => this.#becomeWell());
  }

  link(leader: Leader): void {
    if (!this.isAlive || this.isHung || this.leader === leader || !this.#admit(leader.epoch)) return;
    this.unlink();
    this.leader = leader;
    this.#link += 1;
    leader.linked(this);
    this.#tellAll();
  }

  unlink(): void {
    const { leader } = this;
    this.leader = null;
    this.#link += 1;
    leader?.unlinked(this);
  }

  hang(): void {
    this.isHung = true;
    this.unlink();
  }

  die(): void {
    this.isAlive = false;
    this.isWell = false;
    this.unlink();
  }

  /** The worker dies and is started again, or the proxy stops answering. */
  setWell(isWell: boolean): void {
    if (!this.isAlive || this.isWell === isWell) return;
    this.isWell = isWell;
    this.wasWell ||= isWell;
    this.#tell({ type: 'well', healthy: isWell });
  }

  /** A frame of a leader: to be upgraded, or just a sign of life. */
  receive(epoch: number, goal: SimulatedGoal | null): void {
    if (!this.isAlive || this.isHung || !this.#admit(epoch)) return;
    if (goal === null || goal.id === this.goal.id) return this.#tellAll();
    const { clock, rng } = this.#context;
    this.#upgrading += 1;
    const number = this.#upgrading;
    clock.after(rng.between(500, 15_000), () => {
      if (this.isAlive && number === this.#upgrading) this.#upgraded(goal);
    });
  }

  #upgraded(goal: SimulatedGoal): void {
    const { faulty, rng } = this.#context;
    if (upgradeFails(goal) || (faulty && rng.chance(0.1))) {
      this.#context.fault('upgrade failed', `${this.taskId} to ${goal.id}`);
      this.#tell({ type: 'upgrade-failed', goal: goal.id });
      return;
    }
    this.goal = goal;
    this.isWell = !isSick(goal);
    this.wasWell ||= this.isWell;
    this.#tellAll();
  }

  #becomeWell(): void {
    if (isSick(this.goal)) this.#context.fault('sick version', `${this.taskId} ${this.goal.id}`);
    else this.setWell(true);
  }

  #tellAll(): void {
    this.#tell({ type: 'runs', goal: this.goal.id });
    this.#tell({ type: 'well', healthy: this.isWell });
  }

  #tell(report: ProxyReport): void {
    const { leader } = this;
    if (leader === null) return;
    const { clock } = this.#context;
    const link = this.#link;
    this.#lastArrival = Math.max(this.#lastArrival, this.#context.now + this.#context.latency());
    clock.at(this.#lastArrival, () => {
      if (link === this.#link) leader.heard(this, report);
    });
  }

  #admit(epoch: number): boolean {
    if (!this.#guard.admit(epoch)) {
      this.#context.tally.count('network', 'frame of an old epoch refused');
      return false;
    }
    if (epoch < this.#applied) {
      throw new Violation(
        `6: the proxy ${this.taskId} applied a frame of epoch ${epoch} after one of ${this.#applied}`,
      );
    }
    this.#applied = epoch;
    return true;
  }
}
