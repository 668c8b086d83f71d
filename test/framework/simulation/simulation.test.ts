/**
 * The daemonset against a hostile model of Mesos: updates get lost, come twice and out of order, agents come and go, the
 * master fails over, the scheduler is killed between any two of its actions. After every step no agent has two live tasks;
 * when the faults stop, every agent has its one. A failing seed is the whole reproduction.
 */
import { describe, expect, test } from 'vitest';
import type { Action, DaemonsetEvent } from '../../../framework/daemonset/events.ts';
import { type DaemonsetState, initialState, NOTHING_REMEMBERED } from '../../../framework/daemonset/state.ts';
import { step } from '../../../framework/daemonset.ts';
import { type CallBody, frameworkId, taskId } from '../../../framework/mesos-http-client/messages.ts';
import type { AgentRecord, FrameworkRecord } from '../../../framework/state/records.ts';
import { GOAL, SETTINGS, template } from '../story.ts';
import { Rng } from './rng.ts';
import { type Agent, World } from './world.ts';

const SEEDS = Number(process.env['SIMULATION_SEEDS'] ?? 1000);
const FIRST_SEED = Number(process.env['SIMULATION_FIRST_SEED'] ?? 1);
const STEPS = 250;

class Simulation {
  readonly rng: Rng;
  readonly world: World;
  readonly disk = new Map<string, AgentRecord>();
  state: DaemonsetState = initialState(NOTHING_REMEMBERED, 0);
  alive = false;
  subscribed = false;
  wakeAt = Number.POSITIVE_INFINITY;
  wantsList = false;
  /** Calls of this session on their way to the master, in order. */
  outbox: CallBody[] = [];
  tasks = 0;
  readonly history: string[] = [];

  constructor(seed: number) {
    this.rng = new Rng(seed);
    this.world = new World(this.rng);
    for (let agent = 0; agent < 3; agent += 1) this.world.addAgent();
  }

  // ---- the shell, in miniature -----------------------------------------------------------------------------------------

  feed(event: DaemonsetEvent, crashing = false): void {
    if (!this.alive) return;
    const environment = {
      settings: { ...SETTINGS, reserve: false },
      newTaskId: () => taskId(`t${++this.tasks}`),
      template: () => template,
      available: () => true,
    };
    const actions = step(this.state, event, this.world.now, environment);
    const upTo = crashing ? this.rng.below(actions.length + 1) : actions.length;
    for (const action of actions.slice(0, upTo)) this.#perform(action);
    if (crashing) this.crash();
  }

  #perform(action: Action): void {
    if (action.type === 'persist') this.disk.set(action.record.agentId, structuredClone(action.record));
    else if (action.type === 'forget') this.disk.delete(action.agentId);
    else if (action.type === 'wake') this.wakeAt = action.at;
    else if (action.type === 'list-agents') this.wantsList = true;
    else if (action.type === 'call' && this.subscribed) this.outbox.push(action.body);
    else if (action.type === 'call' && action.launches !== undefined) this.unclear.push(action.launches);
  }

  readonly unclear: ReturnType<typeof taskId>[] = [];

  start(): void {
    if (this.alive) return;
    this.alive = true;
    this.wakeAt = Number.POSITIVE_INFINITY;
    const framework: FrameworkRecord | null =
      this.disk.size > 0 ? { frameworkId: frameworkId('f'), mode: 'keep', frozen: false, completed: GOAL } : null;
    this.state = initialState({ framework, rollout: null, agents: [...this.disk.values()] }, this.world.now);
    this.feed({ type: 'begin', goal: GOAL, uninstall: false });
  }

  crash(): void {
    this.alive = false;
    this.#loseSession();
  }

  disconnect(): void {
    if (!this.subscribed) return;
    this.#loseSession();
    this.feed({ type: 'disconnected' });
  }

  /** Some of what was on its way still arrives. */
  #loseSession(): void {
    for (const call of this.outbox.splice(0, this.rng.below(this.outbox.length + 1))) this.world.call(call);
    this.outbox = [];
    this.subscribed = false;
    this.world.hangUp();
  }

  subscribe(): void {
    if (!this.alive || this.subscribed) return;
    this.world.subscribe();
    this.subscribed = true;
    this.feed({ type: 'subscribed', frameworkId: frameworkId('f') });
  }

  deliver(): void {
    const event = this.world.inbox.shift();
    if (event === undefined || !this.subscribed) return;
    // A launch is where a crash can hurt.
    this.feed(event, this.world.faulty && this.rng.chance(event.type === 'offers' ? 0.25 : 0.02));
  }

  sendCall(): void {
    const call = this.outbox.shift();
    if (call !== undefined) this.world.call(call);
  }

  pass(ms: number): void {
    const end = this.world.now + ms;
    while (this.alive && this.wakeAt <= end) {
      this.world.pass(Math.max(0, this.wakeAt - this.world.now));
      this.wakeAt = Number.POSITIVE_INFINITY;
      this.feed({ type: 'tick' });
    }
    this.world.pass(end - this.world.now);
    for (const id of this.unclear.splice(0))
      this.feed({ type: 'accept-failed', taskId: id, offerIds: [], refused: false, text: '' });
    if (this.wantsList && this.subscribed) {
      this.wantsList = false;
      this.feed(this.world.list());
    }
  }

  // ---- fate ------------------------------------------------------------------------------------------------------------

  roll(): void {
    const { rng, world } = this;
    const agents = [...world.agents.values()];
    const agent = rng.pick(agents);
    const dice = rng.next();
    if (dice < 0.3) this.#named('deliver', () => this.deliver());
    else if (dice < 0.55) this.#named('send', () => this.sendCall());
    else if (dice < 0.8) this.#named('pass', () => this.pass(rng.pick([10, 500, 3_000, 40_000, 100_000]) ?? 10));
    else if (agent === undefined) return;
    else if (dice < 0.85) this.#named(`fail ${agent.id}`, () => world.fail(agent));
    else if (dice < 0.88) this.#named(`cut ${agent.id}`, () => world.cut(agent));
    else if (dice < 0.92) this.#named(`return ${agent.id}`, () => world.return(agent));
    else if (dice < 0.925) this.#named(`remove ${agent.id}`, () => world.remove(agent, rng.chance(0.5)));
    else if (dice < 0.93 && agents.length < 8) this.#named('join', () => world.addAgent());
    else if (dice < 0.94) this.#named('crash', () => this.crash());
    else if (dice < 0.95) this.#named('disconnect', () => this.disconnect());
    else if (dice < 0.96) {
      this.#named('failover', () => {
        this.disconnect();
        world.failover();
      });
    } else this.#named('start', () => (this.alive ? this.subscribe() : this.start()));
  }

  #named(name: string, work: () => void): void {
    this.history.push(name);
    work();
  }

  /** No more faults, and time for everything to settle. */
  heal(): void {
    this.world.faulty = false;
    this.start();
    this.subscribe();
    for (const agent of this.world.agents.values()) this.world.return(agent);
    for (let round = 0; round < 1_500; round += 1) {
      this.pass(1_000);
      while (this.outbox.length > 0) this.sendCall();
      while (this.world.inbox.length > 0) this.deliver();
      this.check();
    }
  }

  check(): void {
    for (const agent of this.world.agents.values()) {
      const live = this.world.liveTasks(agent);
      if (live.length > 1) throw new Error(`two live tasks on ${agent.id}: ${live.join(', ')}`);
    }
  }

  livingAgents(): Agent[] {
    return [...this.world.agents.values()].filter((agent) => agent.machine === 'up');
  }
}

function run(seed: number): Simulation {
  const simulation = new Simulation(seed);
  simulation.start();
  simulation.subscribe();
  try {
    for (let at = 0; at < STEPS; at += 1) {
      simulation.roll();
      simulation.check();
    }
    simulation.heal();
  } catch (error) {
    throw new Error(`seed ${seed}: ${String(error)} after ${simulation.history.slice(-40).join(', ')}`, {
      cause: error,
    });
  }
  return simulation;
}

describe(`${SEEDS} seeded runs`, () => {
  test('never have two live tasks on an agent, and end with one on each and none forgotten', () => {
    for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed += 1) {
      const simulation = run(seed);
      const where = `seed ${seed}`;
      for (const agent of simulation.livingAgents()) {
        const live = simulation.world.liveTasks(agent);
        expect(live, `${where}: ${agent.id}`).toHaveLength(1);
        expect(simulation.state.nodes.get(agent.id)?.task, `${where}: ${agent.id}`).toMatchObject({
          taskId: live[0],
          phase: 'running',
        });
        expect(simulation.disk.get(agent.id)?.taskId, `${where}: ${agent.id}`).toBe(live[0]);
      }
      const living = simulation.livingAgents().map((agent) => agent.id);
      expect([...simulation.state.nodes.keys()].sort(), where).toEqual(living.sort());
      expect([...simulation.disk.keys()].sort(), where).toEqual(living.sort());
    }
  });

  test('are the same run for the same seed', () => {
    const [one, two] = [run(7), run(7)];
    expect(one.history).toEqual(two.history);
    expect(structuredClone(one.state)).toEqual(structuredClone(two.state));
  });
});
