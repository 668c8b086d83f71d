/** One seed's world: machines and their agents, the masters, the store, whoever leads, and what the operator wants. */

import type { TaskTemplate } from '../../framework/contract.ts';
import type { Environment, Settings } from '../../framework/daemonset/state.ts';
import { taskId } from '../../framework/mesos-http-client/messages.ts';
import { type Constraint, parseConstraint } from '../../framework/offers/constraints.ts';
import type { Goal, Strategy } from '../../framework/rollout/goal.ts';
import { Checks } from './checks/checks.ts';
import { Context, Violation } from './context.ts';
import type { Agent } from './model/agent.ts';
import { GOOD } from './model/goals.ts';
import { Machine } from './model/machine.ts';
import { Master } from './model/master.ts';
import { Scheduler, type Surroundings } from './model/scheduler.ts';
import { Store } from './model/store.ts';

export interface Options {
  readonly seed: number;
  /** The core goes on with a copy of its state every so many steps. */
  readonly copyEvery: number;
  readonly forbidsSuppress: boolean;
}

const CONSTRAINTS: readonly (readonly string[])[] = [
  [],
  [],
  ['rack:UNLIKE:a'],
  ['rack:LIKE:[ab]'],
  ['@public:IS:false'],
  ['@zone:MAX_PER:3'],
];

/** A lease is over for sure after so long; then another may lead. */
const LEASE_MS = 10_000;

export class World implements Surroundings {
  readonly context: Context;
  readonly master: Master;
  readonly store = new Store();
  readonly machines: Machine[] = [];
  readonly checks: Checks;
  readonly copyEvery: number;
  readonly mayList: boolean;
  /** Without ports of its own a second task fits beside the first: then it is the core alone that keeps it away. */
  readonly hasPorts: boolean;
  /** What the operator has configured: in force with the next start. */
  goal: Goal;
  strategy: Strategy;
  constraints: readonly Constraint[] = [];
  reserve: boolean;
  uninstall = false;
  isUninstalled = false;
  leader: Scheduler | null = null;
  /** Steps of schedulers that are over. */
  #pastSteps = 0;
  #isElecting = false;
  readonly #settings: Settings;

  constructor({ seed, copyEvery, forbidsSuppress }: Options) {
    this.context = new Context(seed);
    const { rng } = this.context;
    this.copyEvery = copyEvery;
    this.mayList = rng.chance(0.93);
    this.hasPorts = rng.chance(0.65);
    this.reserve = rng.chance(0.85);
    this.goal = GOOD[0] ?? { id: '', relaunchKey: '' };
    this.strategy = rng.pick(STRATEGIES);
    this.#settings = {
      principal: 'nodemesh',
      roles: ['nodemesh', 'slave_public/nodemesh'],
      constraints: [],
      reserve: true,
      rollout: {
        strategy: this.strategy,
        maxUnavailable: rng.between(1, 3),
        gateMs: 5_000,
        stepTimeoutMs: 120_000,
      },
    };
    this.checks = new Checks(this.context, this.store, this.#settings.rollout.maxUnavailable);
    this.checks.forbidsSuppress = forbidsSuppress;
    this.checks.liveTasks = (id) => this.agents.find((agent) => agent.id === id)?.live ?? [];
    this.master = new Master(this.context);
    this.configureConstraints();
    const machines = rng.between(5, 20);
    for (let number = 1; number <= machines; number += 1) this.addMachine();
    this.elect();
  }

  get steps(): number {
    return this.#pastSteps + (this.leader?.steps ?? 0);
  }

  get settings(): Settings {
    const rollout = { ...this.#settings.rollout, strategy: this.strategy };
    return { ...this.#settings, rollout, constraints: this.constraints, reserve: this.reserve };
  }

  get agents(): Agent[] {
    return this.machines.flatMap(({ agent }) => (agent === null || agent.isOver ? [] : [agent]));
  }

  addMachine(): void {
    const machine = new Machine(this.machines.length + 1, this.context.rng);
    this.machines.push(machine);
    this.master.newAgent(machine);
  }

  configureConstraints(): void {
    this.constraints = this.context.rng.pick(CONSTRAINTS).map(parseConstraint);
  }

  // ---- who leads -----------------------------------------------------------------------------------------------------

  elect(): void {
    if (this.#isElecting || this.leader !== null) return;
    this.#isElecting = true;
    const { clock, rng, faulty } = this.context;
    clock.after(rng.between(100, faulty ? 8_000 : 1_000), () => {
      this.#isElecting = false;
      if (this.store.isDown) return this.elect();
      const environment = this.#environment();
      this.leader = new Scheduler(this, {
        environment,
        begin: { type: 'begin', goal: this.goal, uninstall: this.uninstall },
      });
      this.context.note(`scheduler ${this.leader.epoch} leads`);
    });
  }

  ended(process: Scheduler): void {
    if (this.leader !== process) return;
    this.#pastSteps += process.steps;
    this.leader = null;
    this.elect();
  }

  /** Its ZooKeeper session is over, and it may not have noticed yet: it finds out before it acts again. */
  expire(process: Scheduler): void {
    process.holdsLease = false;
    if (this.leader !== process) return;
    this.#pastSteps += process.steps;
    this.leader = null;
    this.elect();
  }

  /** SIGSTOP, and SIGCONT after `ms`: by then another may lead. */
  pause(process: Scheduler, ms: number): void {
    process.isPaused = true;
    const { clock } = this.context;
    clock.after(LEASE_MS, () => {
      if (process.isPaused) this.expire(process);
    });
    clock.after(ms, () => process.resume());
  }

  answered(outcome: string): void {
    this.context.tally.count('order', `answered ${outcome}`);
  }

  uninstalled(): void {
    this.isUninstalled = true;
  }

  #environment(): Environment {
    const { settings, context } = this;
    return {
      settings,
      newTaskId: (agent) => taskId(`t${context.number()}-${agent.agentId}`),
      template: (_agent, _id, goal) => {
        const isBad = this.leader?.state.bad.includes(goal.id) === true;
        if (isBad) throw new Violation(`7: a task of ${goal.id} is launched, which was turned back`);
        return template(goal, this.hasPorts);
      },
      available: () => true,
    };
  }
}

const STRATEGIES: readonly Strategy[] = [
  { kind: 'serial' },
  { kind: 'parallel' },
  { kind: 'canary', nodes: 2 },
  { kind: 'percentages', steps: [20, 50] },
  { kind: 'gate', canary: 1, steps: [30, 100] },
];

export const anyStrategy = ({ rng }: Context): Strategy => rng.pick(STRATEGIES);

/** Another runtime needs other resources. */
function template(goal: Goal, hasPorts: boolean): TaskTemplate {
  return {
    name: 'proxy',
    cpus: goal.relaunchKey === 'node22' ? 0.2 : 0.1,
    mem: goal.relaunchKey === 'node24' ? 32 : 64,
    disk: 0,
    ports: hasPorts ? [4140, 4141, 9990] : [],
    command: { value: 'exec proxy' },
    labels: { labels: [{ key: 'goal', value: goal.id }] },
    killGraceSeconds: 5,
  };
}
