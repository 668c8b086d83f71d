/**
 * Mesos' tasks as its operator stream tells of them: those of other frameworks as services, those of Marathon's to be
 * looked up, and what became of those that are gone. Pure: time is passed in.
 *
 * What a new snapshot lacks has ended only where its agent and its framework are there to say so. A master that has just
 * taken over knows none of the tasks until their agents have registered with it.
 */
import type { Endpoint, Service } from '../../agent-proxy/control/contract.ts';
import {
  type AgentId,
  type FrameworkId,
  type OperatorAgent,
  type OperatorEvent,
  type OperatorTask,
  taskId as toTaskId,
} from '../../framework/mesos-http-client/messages.ts';
import { routingLabels } from '../distribution/mesh-table.ts';
import { type KnownTask, MesosContents } from './mesos-contents.ts';
import { type FrameworkDescription, type KnownFrameworks, roleOf } from './mesos-frameworks.ts';
import { afterStatus, conditionOf, discoverableOf, endpointState, hasEnded, locate } from './mesos-task.ts';
import type { SecondLook } from './second-look.ts';

/** As long as a master waits for an agent after it took over, and half as long again (`--agent_reregister_timeout` 10 min). */
const STALE_MS = 15 * 60_000;
/** Tasks that ended are remembered for as long as somebody may ask. */
const MAX_ENDED = 20_000;

type Snapshot = Extract<OperatorEvent, { type: 'SUBSCRIBED' }>['subscribed'];

export interface MesosChange {
  /** Names of services that may be different now. */
  readonly services: Set<string>;
  /** Marathon's tasks that have ended. */
  readonly ended: { readonly taskId: string; readonly agentId: string }[];
}

export class MesosTable {
  readonly #known: KnownFrameworks;
  #contents = new MesosContents();
  readonly #ended = new Set<string>();

  constructor(known: KnownFrameworks) {
    this.#known = known;
  }

  names(): string[] {
    return [...this.#contents.serviceNames()];
  }

  /** Undefined where no task has the name. */
  service(name: string): Service | undefined {
    return serviceIn(this.#contents, name);
  }

  /**
   * `gone` is said of what was seen and has ended, never of what was not seen: the master shows each client only what it may
   * see. `unknown` also where Mesos has lost sight of the agent.
   */
  look(taskId: string, agentId: string): ReturnType<SecondLook['isGone']> {
    if (this.#ended.has(taskId)) return 'gone';
    const task = this.#contents.marathonTask(toTaskId(taskId));
    if (task === undefined || task.agentId !== agentId) return 'unknown';
    return task.condition.lost || task.staleSince !== null ? 'unknown' : 'alive';
  }

  /** Tasks by what they are here for. */
  counts(): { named: number; marathon: number; other: number } {
    const counts = { named: 0, marathon: 0, other: 0 };
    for (const task of this.#contents.tasks()) {
      if (this.#contents.serviceOf(task) !== null) counts.named += 1;
      else if (this.#contents.framework(task.frameworkId)?.role === 'marathon') counts.marathon += 1;
      else counts.other += 1;
    }
    return counts;
  }

  /** Takes the master's whole state over, in steps: the table is the old one until the last. */
  *load({ get_state, unreadable }: Snapshot, now: number): Generator<undefined, MesosChange> {
    const before = this.#contents;
    const fresh = new MesosContents();
    const { agents = [], recovered_agents = [] } = get_state?.get_agents ?? {};
    const { frameworks = [], completed_frameworks = [] } = get_state?.get_frameworks ?? {};
    const { pending_tasks = [], tasks = [], unreachable_tasks = [] } = get_state?.get_tasks ?? {};
    for (const { framework_info } of frameworks) {
      if (framework_info.id !== undefined) this.#setFramework(fresh, framework_info.id.value, framework_info);
    }
    for (const agent of agents) setAgent(fresh, agent);
    for (const list of [pending_tasks, tasks, unreachable_tasks]) {
      for (const task of list) {
        this.#put(fresh, task);
        keepAddress(fresh, before, task.agent_id.value);
        yield;
      }
    }
    const listed = new Set(agents.flatMap(({ agent_info }) => agent_info.id?.value ?? []));
    const recovered = new Set(recovered_agents.flatMap(({ id }) => id?.value ?? []));
    const completed = new Set(completed_frameworks.flatMap(({ framework_info }) => framework_info.id?.value ?? []));
    const change: MesosChange = { services: new Set(), ended: [] };
    for (const task of before.tasks()) {
      yield;
      if (fresh.task(task.frameworkId, task.id) !== undefined) continue;
      const frameworkIsThere = fresh.framework(task.frameworkId) !== undefined || completed.has(task.frameworkId);
      if (unreadable === 0 && frameworkIsThere && listed.has(task.agentId)) {
        this.#noteEnd(before, task, change);
        continue;
      }
      const framework = before.framework(task.frameworkId);
      if (completed.has(task.frameworkId) || framework === undefined) continue;
      fresh.setFramework(task.frameworkId, fresh.framework(task.frameworkId) ?? framework);
      keepAddress(fresh, before, task.agentId);
      const lost = task.condition.lost || !(listed.has(task.agentId) || recovered.has(task.agentId));
      fresh.put({ ...task, staleSince: task.staleSince ?? now, condition: { ...task.condition, lost } });
    }
    for (const name of new Set([...before.serviceNames(), ...fresh.serviceNames()])) {
      if (JSON.stringify(serviceIn(before, name)) !== JSON.stringify(serviceIn(fresh, name))) change.services.add(name);
      yield;
    }
    this.#contents = fresh;
    return change;
  }

  /** Any event but the first. */
  apply(event: OperatorEvent, now: number): MesosChange {
    const change: MesosChange = { services: new Set(), ended: [] };
    const contents = this.#contents;
    switch (event.type) {
      case 'TASK_ADDED':
        this.#added(event.task_added.task, change);
        break;
      case 'TASK_UPDATED':
        this.#updated(event.task_updated, change);
        break;
      case 'FRAMEWORK_ADDED':
      case 'FRAMEWORK_UPDATED': {
        const { framework } = event.type === 'FRAMEWORK_ADDED' ? event.framework_added : event.framework_updated;
        const info = framework.framework_info;
        if (info.id !== undefined) note(change, this.#setFramework(contents, info.id.value, info));
        break;
      }
      case 'FRAMEWORK_REMOVED': {
        const id = event.framework_removed.framework_info.id?.value;
        if (id === undefined) break;
        for (const task of contents.tasksOfFramework(id)) this.#end(task, change);
        contents.dropFramework(id);
        break;
      }
      case 'AGENT_ADDED': {
        const { agent } = event.agent_added;
        const id = agent.agent_info.id?.value;
        if (id === undefined) break;
        setAgent(contents, agent);
        for (const task of contents.tasksOnAgent(id)) {
          // The agent's tasks are told before the agent: what it did not bring along, it does not have any more.
          if (task.staleSince !== null || task.condition.lost) this.#end(task, change);
          else note(change, [contents.serviceOf(task)]);
        }
        break;
      }
      case 'AGENT_REMOVED': {
        const id = event.agent_removed.agent_id.value;
        for (const task of contents.tasksOnAgent(id)) this.#end(task, change);
        contents.dropAddress(id);
        break;
      }
      case 'HEARTBEAT':
        this.#expire(now, change);
        break;
      case 'SUBSCRIBED':
        break;
    }
    return change;
  }

  #setFramework(contents: MesosContents, id: FrameworkId, info: FrameworkDescription): string[] {
    return contents.setFramework(id, { name: info.name, role: roleOf(info, this.#known) });
  }

  #put(contents: MesosContents, task: OperatorTask): KnownTask | null {
    const role = contents.framework(task.framework_id.value)?.role;
    const known: KnownTask = {
      id: task.task_id.value,
      frameworkId: task.framework_id.value,
      agentId: task.agent_id.value,
      // Nobody asks where the others are.
      discoverable: role === 'marathon' || role === 'own' ? null : discoverableOf(task),
      condition: conditionOf(task),
      staleSince: null,
    };
    if (hasEnded(known.condition)) return null;
    contents.put(known);
    return known;
  }

  #added(task: OperatorTask, change: MesosChange): void {
    const before = this.#contents.task(task.framework_id.value, task.task_id.value);
    const known = this.#put(this.#contents, task);
    if (known === null) {
      if (before !== undefined) this.#end(before, change);
      return;
    }
    // It came back with its agent.
    this.#ended.delete(known.id);
    note(change, [before === undefined ? null : this.#contents.serviceOf(before), this.#contents.serviceOf(known)]);
  }

  #updated(
    { framework_id, status, state }: Extract<OperatorEvent, { type: 'TASK_UPDATED' }>['task_updated'],
    change: MesosChange,
  ): void {
    const contents = this.#contents;
    const before = contents.task(framework_id.value, status.task_id.value);
    if (before === undefined) return;
    const condition = afterStatus(before.condition, status, state ?? status.state);
    if (hasEnded(condition)) this.#end(before, change);
    else note(change, [contents.put({ ...before, condition, staleSince: null })]);
  }

  #end(task: KnownTask, change: MesosChange): void {
    this.#noteEnd(this.#contents, task, change);
    this.#contents.drop(task);
  }

  #noteEnd(contents: MesosContents, task: KnownTask, change: MesosChange): void {
    note(change, [contents.serviceOf(task)]);
    if (contents.framework(task.frameworkId)?.role !== 'marathon') return;
    change.ended.push({ taskId: task.id, agentId: task.agentId });
    this.#ended.add(task.id);
    for (const oldest of this.#ended) {
      if (this.#ended.size <= MAX_ENDED) break;
      this.#ended.delete(oldest);
    }
  }

  /** What nobody confirmed for too long is let go; that it has ended is not known. */
  #expire(now: number, change: MesosChange): void {
    const stale = [...this.#contents.tasks()].filter(
      ({ staleSince }) => staleSince !== null && now - staleSince >= STALE_MS,
    );
    for (const task of stale) note(change, [this.#contents.drop(task)]);
  }
}

function note(change: MesosChange, services: readonly (string | null)[]): void {
  for (const name of services) if (name !== null) change.services.add(name);
}

/** `slave(1)@10.0.0.5:5051`, or with an IPv6 address in brackets. */
function setAgent(contents: MesosContents, { agent_info, pid }: OperatorAgent): void {
  const address = /@\[?([^@\]]+)\]?:\d+$/.exec(pid ?? '')?.[1];
  if (agent_info.id !== undefined && address !== undefined) contents.setAddress(agent_info.id.value, address);
}

/** An agent that is unreachable, or not back yet, is in no list; where it was, it may still be. */
function keepAddress(fresh: MesosContents, before: MesosContents, agentId: AgentId): void {
  const address = before.address(agentId);
  if (fresh.address(agentId) === undefined && address !== undefined) fresh.setAddress(agentId, address);
}

function serviceIn(contents: MesosContents, name: string): Service | undefined {
  const tasks = contents.tasksOfService(name);
  if (tasks.size === 0) return undefined;
  const endpoints = [...tasks].flatMap((task) => endpointOf(contents, name, task) ?? []);
  return { name, endpoints: endpoints.sort((a, b) => (a.instance < b.instance ? -1 : 1)) };
}

function endpointOf(contents: MesosContents, service: string, task: KnownTask): Endpoint | null {
  const { discoverable, condition, agentId } = task;
  const agentAddress = contents.address(agentId);
  if (discoverable === null || agentAddress === undefined) return null;
  const state = endpointState(discoverable, condition);
  const location = locate(discoverable, condition, agentAddress);
  const first = location?.ports[0];
  if (state === null || location === null || first === undefined) return null;
  return {
    service,
    instance: task.id,
    address: location.address,
    port: first.port,
    ports: location.ports.map((port) => ({ ...port })),
    agentId,
    agentAddress,
    weight: 1,
    state,
    startedAt: condition.startedAt,
    labels: routingLabels(discoverable.labels),
  };
}
