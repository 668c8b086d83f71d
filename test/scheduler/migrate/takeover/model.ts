/**
 * A cluster in miniature for takeovers: Marathon keeps as many linkerds as it is told, at most one on an agent and only where
 * the ports are free; the scheduler puts a proxy where it may and the ports are free. `tick` lets one thing happen that can.
 */
import {
  GIVEN_BACK,
  isPlaced,
  type LinkerdApp,
  type LinkerdTask,
  type MeshNode,
  type Move,
} from '../../../../scheduler/migrate/takeover/view.ts';

type Chance = <T>(some: readonly T[]) => T | undefined;

interface Proxy {
  state: 'launching' | 'healthy' | 'unhealthy' | 'ending';
  since: number;
}

interface Agent {
  readonly id: string;
  readonly isPublic: boolean;
  /** Null: none. */
  proxy: Proxy | null;
  heldOut: string | null;
  /** No proxy gets well there. */
  isCursed: boolean;
}

export class Model {
  now = 0;
  instances: number;
  readonly agents: Agent[];
  tasks: LinkerdTask[] = [];
  /** Agents that had linkerd removed while its proxy was not well yet, at most, at a time. */
  mostBare = 0;
  readonly scaledDown: string[] = [];
  #count = 0;

  constructor(agents: number, instances: number) {
    this.instances = instances;
    this.agents = Array.from({ length: agents }, (_, index) => ({
      id: `a${index}`,
      isPublic: index === 0,
      ...{ proxy: null, heldOut: null, isCursed: false },
    }));
    while (this.#marathonLaunches((some) => some[0])) for (const task of this.tasks) this.#set(task, 'TASK_RUNNING');
  }

  /** Each has one of both. */
  get covered(): boolean {
    return this.agents.every(({ id, proxy }) => proxy?.state === 'healthy' || this.#runs(id));
  }

  look(): { app: LinkerdApp; nodes: MeshNode[] } {
    const nodes = this.agents.map(({ id, isPublic, proxy, heldOut }): MeshNode => {
      const pending = heldOut === null ? 'pending' : 'excluded';
      const state = proxy === null ? pending : proxy.state === 'ending' ? 'excluded' : proxy.state;
      const stateForMs = proxy === null ? 0 : this.now - proxy.since;
      return {
        agentId: id,
        hostname: `${id}.example`,
        isPublic,
        state,
        stateForMs,
        reason: null,
        hasTask: proxy !== null,
        heldOut,
      };
    });
    const going = this.tasks.some(({ state }) => state === 'TASK_KILLING');
    return { app: { appId: '/linkerd', instances: this.instances, deploying: going, tasks: [...this.tasks] }, nodes };
  }

  perform(move: Exclude<Move, { kind: 'wait' | 'check' | 'done' }>): boolean {
    const { deploying } = this.look().app;
    switch (move.kind) {
      case 'include':
        this.#agent(move.node.agentId).heldOut = null;
        return true;
      case 'exclude': {
        const agent = this.#agent(move.node.agentId);
        agent.heldOut = GIVEN_BACK;
        if (agent.proxy !== null) agent.proxy.state = 'ending';
        return true;
      }
      case 'scale':
        if (deploying && !move.force) return false;
        this.instances = move.instances;
        return true;
      case 'scale-down': {
        if (deploying) return false;
        const task = this.tasks.find(({ taskId }) => taskId === move.taskId);
        if (task === undefined) return false;
        this.#set(task, 'TASK_KILLING');
        this.instances = Math.max(0, this.instances - 1);
        this.scaledDown.push(move.node.agentId);
        this.#countBare();
        return true;
      }
    }
  }

  /** One of the things that may happen next does. */
  tick(chance: Chance, options: { crashes: boolean }): void {
    this.now += 1_000;
    const killing = this.tasks.filter(({ state }) => state === 'TASK_KILLING');
    const staging = this.tasks.filter(({ state }) => state === 'TASK_STAGING');
    const running = this.tasks.filter(({ state }) => state === 'TASK_RUNNING');
    const events: (() => void)[] = [
      ...killing.map((task) => () => this.#remove(task)),
      ...staging.map((task) => () => this.#set(task, 'TASK_RUNNING')),
      ...this.agents.flatMap((agent) => this.#eventsOf(agent)),
      () => void this.#marathonLaunches(chance),
      ...(options.crashes ? running.map((task) => () => this.#remove(task)) : []),
    ];
    chance(events)?.();
    this.#countBare();
  }

  curse(agentId: string, isCursed: boolean): void {
    this.#agent(agentId).isCursed = isCursed;
  }

  #eventsOf(agent: Agent): (() => void)[] {
    const { proxy } = agent;
    if (proxy === null) {
      const isFree = agent.heldOut === null && !this.#has(agent.id);
      return isFree ? [() => this.#become(agent, 'launching')] : [];
    }
    if (proxy.state === 'ending') return [() => (agent.proxy = null)];
    if (proxy.state === 'launching') return [() => this.#become(agent, agent.isCursed ? 'unhealthy' : 'healthy')];
    return proxy.state === 'unhealthy' && !agent.isCursed ? [() => this.#become(agent, 'healthy')] : [];
  }

  #become(agent: Agent, state: Proxy['state']): void {
    agent.proxy = { state, since: this.now };
  }

  #marathonLaunches(chance: Chance): boolean {
    if (this.tasks.filter(isPlaced).length >= this.instances) return false;
    const agent = chance(this.agents.filter(({ id, proxy }) => proxy === null && !this.#has(id)));
    if (agent === undefined) return false;
    this.#count += 1;
    const taskId = `linkerd.${this.#count}`;
    this.tasks = [...this.tasks, { taskId, agentId: agent.id, state: 'TASK_STAGING', healthy: true, isCurrent: true }];
    return true;
  }

  /** Agents without either, though nobody is to blame but the takeover. */
  #countBare(): void {
    const bare = this.agents.filter(
      ({ id, proxy }) => proxy?.state !== 'healthy' && !this.#runs(id) && this.scaledDown.includes(id),
    );
    this.mostBare = Math.max(this.mostBare, bare.length);
  }

  #has(agentId: string): boolean {
    return this.tasks.some((task) => task.agentId === agentId);
  }

  #runs(agentId: string): boolean {
    return this.tasks.some((task) => task.agentId === agentId && task.state === 'TASK_RUNNING');
  }

  #set(task: LinkerdTask, state: string): void {
    this.tasks = this.tasks.map((one) => (one.taskId === task.taskId ? { ...one, state } : one));
  }

  #remove(task: LinkerdTask): void {
    this.tasks = this.tasks.filter(({ taskId }) => taskId !== task.taskId);
  }

  #agent(agentId: string): Agent {
    const found = this.agents.find(({ id }) => id === agentId);
    if (found === undefined) throw new Error(`no agent ${agentId}`);
    return found;
  }
}
