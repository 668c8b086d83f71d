/**
 * The leader's side of the proxies' control streams, as far as the core hears of it: proxies link to the leader that they
 * know of, say what they run and how they are, and one that says nothing is probed.
 */
import type { DaemonsetEvent } from '../../../framework/daemonset/events.ts';
import type { DaemonsetState } from '../../../framework/daemonset/state.ts';
import type { TaskId } from '../../../framework/mesos-http-client/messages.ts';
import type { Context } from '../context.ts';
import { goalOfId } from './goals.ts';
import { judge } from './judge.ts';
import type { Machine } from './machine.ts';
import type { Leader, ProxyModel, ProxyReport } from './proxy.ts';

const SWEEP_MS = 5_000;
/** Not linked for so long: the proxy is probed. */
const PATIENCE_MS = 15_000;

interface Host extends Leader {
  readonly state: DaemonsetState;
  readonly isAlive: boolean;
  push(event: DaemonsetEvent): void;
}

export class ControlPlane {
  readonly #context: Context;
  readonly #machines: readonly Machine[];
  readonly #host: Host;
  readonly #links = new Map<TaskId, ProxyModel>();
  readonly #missingSince = new Map<TaskId, number>();

  constructor(context: Context, machines: readonly Machine[], host: Host) {
    this.#context = context;
    this.#machines = machines;
    this.#host = host;
    this.#sweepLater(100);
  }

  linked(proxy: ProxyModel): void {
    this.#links.set(proxy.taskId, proxy);
    this.#missingSince.delete(proxy.taskId);
  }

  unlinked(proxy: ProxyModel): void {
    this.#links.delete(proxy.taskId);
    this.#report(proxy.taskId, false, false);
  }

  hear(proxy: ProxyModel, report: ProxyReport): void {
    const { taskId } = proxy;
    if (report.type === 'well') return this.#report(taskId, report.healthy, false);
    if (report.type === 'runs') return this.#host.push({ type: 'runs', taskId, goal: report.goal });
    this.#host.push({ type: 'upgrade-failed', taskId, goal: report.goal, reason: 'the new worker did not come up' });
  }

  upgrade(taskId: TaskId, goalId: string): void {
    const proxy = this.#links.get(taskId);
    if (proxy === undefined) return this.#context.tally.count('network', 'upgrade not sent');
    const { epoch } = this.#host;
    this.#context.clock.after(this.#context.latency(), () => {
      if (proxy.leader === this.#host) proxy.receive(epoch, goalOfId(goalId));
    });
  }

  /** What a leader that was paused still has to say when it wakes up: one frame to each proxy that it knew. */
  flush(): void {
    for (const machine of this.#machines) {
      for (const { proxy } of machine.agent?.live ?? []) proxy?.receive(this.#host.epoch, null);
    }
  }

  close(): void {
    for (const proxy of [...this.#links.values()]) proxy.unlink();
  }

  #sweepLater(ms: number): void {
    this.#context.clock.after(ms, () => {
      if (!this.#host.isAlive) return;
      if (this.#host.isAwake) this.#sweep();
      this.#sweepLater(SWEEP_MS);
    });
  }

  #sweep(): void {
    judge(this.#context, this.#host);
    for (const machine of this.#machines) {
      if (machine.isControlCut) continue;
      for (const { proxy } of machine.agent?.live ?? []) if (proxy !== null) proxy.link(this.#host);
    }
    for (const node of this.#host.state.nodes.values()) {
      const { task } = node;
      if (task === null) continue;
      const linked = this.#links.get(task.taskId);
      if (linked !== undefined) {
        // They report every few seconds; what is no news the core does not hear.
        if (node.goal?.id !== linked.goal.id) this.hear(linked, { type: 'runs', goal: linked.goal.id });
        this.#report(task.taskId, linked.isWell, false);
        continue;
      }
      if (task.phase !== 'running') continue;
      const since = this.#missingSince.get(task.taskId) ?? this.#context.now;
      this.#missingSince.set(task.taskId, since);
      if (this.#context.now - since >= PATIENCE_MS) this.#report(task.taskId, false, !this.#answers(task.taskId));
    }
  }

  #answers(taskId: TaskId): boolean {
    for (const machine of this.#machines) {
      const proxy = machine.agent?.tasks.get(taskId)?.proxy;
      if (proxy !== undefined && proxy !== null) return proxy.isAlive && !proxy.isHung && !machine.isControlCut;
    }
    return false;
  }

  /** The same again is no news, as in the shell. */
  #report(taskId: TaskId, healthy: boolean, dead: boolean): void {
    const { state } = this.#host;
    const id = state.tasks.get(taskId);
    const task = id === undefined ? null : (state.nodes.get(id)?.task ?? null);
    const known = task?.taskId === taskId ? task.health : null;
    if (known?.healthy === healthy && known.dead === dead) return;
    const reason = healthy ? null : dead ? 'nothing answers' : 'the proxy is not well';
    this.#host.push({ type: 'health', taskId, health: { healthy, reason, dead } });
  }
}
