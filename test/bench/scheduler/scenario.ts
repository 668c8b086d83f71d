/**
 * One run of the bench: the decision core and its records, from nothing to full coverage, then churn with all that comes
 * now and then: reconciliation, a new master, a rollout, a new scheduler. Time is virtual; what an event costs is measured.
 */
import type { Action, DaemonsetEvent } from '../../../framework/daemonset/events.ts';
import { statusOf } from '../../../framework/daemonset/node-status.ts';
import { initialState } from '../../../framework/daemonset/restore.ts';
import type { DaemonsetState, Environment } from '../../../framework/daemonset/state.ts';
import { step } from '../../../framework/daemonset.ts';
import { frameworkId, taskId } from '../../../framework/mesos-http-client/messages.ts';
import type { Goal } from '../../../framework/rollout/goal.ts';
import { RecordBook } from '../../../framework/state/record-book.ts';
import { AGENTS_PREFIX } from '../../../framework/state/records.ts';
import { Rng } from '../../simulation/rng.ts';
import { planChurn } from './churn.ts';
import { type Cost, Meter, taken } from './measure.ts';
import { MemoryStore } from './memory-store.ts';
import { ModelMesos } from './model-mesos.ts';

export interface Result {
  readonly agents: number;
  readonly seed: number;
  /** Virtual minutes until every agent had a healthy proxy. */
  readonly coveredAfterMinutes: number;
  readonly healthyAtTheEnd: number;
  readonly coverage: Cost;
  readonly churn: Cost;
  readonly all: Cost;
  readonly kinds: Readonly<Record<string, Cost>>;
  readonly heapMb: number;
  readonly rssMb: number;
  readonly largestRecord: { readonly key: string; readonly bytes: number };
  readonly bytesOfAgentNames: number;
  readonly counters: DaemonsetState['counters'];
}

const FRAMEWORK = frameworkId('2f9c5b0e-8a41-4d1c-9a70-1c6f6f0b7e11-0000');
const GOAL: Goal = { id: '1.0.0-3f2a9c', relaunchKey: 'node20-0.1-256' };
const NEXT_GOAL: Goal = { id: '1.0.1-77ab02', relaunchKey: 'node20-0.1-256' };
const COVERAGE_LIMIT_MS = 3 * 3_600_000;
const CHURN_MINUTES = 25;
/** Minutes of the churn at which something comes to it. */
const ROLLOUT_AT = 5;
const NEW_MASTER_AT = 12;
const NEW_SCHEDULER_AT = 18;

export async function runScenario(agents: number, seed: number): Promise<Result> {
  const run = new Run(seed);
  await run.begin();
  for (let index = 0; index < agents; index += 1) run.mesos.addAgent();
  await run.event({ type: 'subscribed', frameworkId: FRAMEWORK });
  const coveredAfterMinutes = await run.untilCovered();
  const coverage = run.meter;
  const churn = new Meter();
  run.meter = churn;
  await run.churn();
  return {
    agents,
    seed,
    coveredAfterMinutes,
    healthyAtTheEnd: run.healthy(),
    coverage: coverage.all(),
    churn: churn.all(),
    all: run.whole.all(),
    kinds: Object.fromEntries(run.whole.kinds()),
    ...memory(),
    largestRecord: run.store.largest,
    bytesOfAgentNames: run.store.bytesOfNamesBelow(AGENTS_PREFIX),
    counters: run.state.counters,
  };
}

class Run {
  readonly store = new MemoryStore();
  readonly mesos: ModelMesos;
  readonly whole = new Meter();
  meter = new Meter();
  state: DaemonsetState;
  #book = new RecordBook(this.store);
  #now = 1_000_000;
  #tasks = 0;
  readonly #dice: Rng;
  readonly #environment: Environment = {
    settings: {
      roles: ['nodemesh', 'slave_public/nodemesh'],
      principal: 'nodemesh',
      constraints: [],
      reserve: true,
      rollout: { strategy: { kind: 'parallel' }, maxUnavailable: 20, gateMs: 10_000, stepTimeoutMs: 300_000 },
    },
    available: () => true,
    newTaskId: (agent) => {
      this.#tasks += 1;
      return taskId(`nodemesh-${agent.hostname}__7c0f5f0e-2f58-4d3f-8d0e-${String(this.#tasks).padStart(12, '0')}`);
    },
    template: () => ({
      name: 'nodemesh-proxy',
      cpus: 0.1,
      mem: 256,
      disk: 0,
      ports: [4140, 4141, 9990],
      command: { shell: true, value: 'exec node proxy.mjs' },
      killGraceSeconds: 15,
    }),
  };

  constructor(seed: number) {
    this.#dice = new Rng(seed);
    this.mesos = new ModelMesos(FRAMEWORK, this.#dice);
    this.state = initialState({ framework: null, rollout: null, agents: [] }, this.#now);
  }

  /** A scheduler starts: from what the store holds. */
  async begin(): Promise<void> {
    this.#book = new RecordBook(this.store);
    this.state = initialState(await this.#book.load(), this.#now);
    await this.event({ type: 'begin', goal: this.state.completed ?? GOAL, uninstall: false });
  }

  async event(event: DaemonsetEvent): Promise<void> {
    let actions: Action[] = [];
    const cost = await taken(async () => {
      actions = step(this.state, event, this.#now, this.#environment);
      await this.#book.write(actions);
    });
    for (const meter of [this.whole, this.meter]) meter.add(kindOf(event), cost);
    for (const action of actions) this.mesos.take(action, this.#now);
  }

  async untilCovered(): Promise<number> {
    const begunAt = this.#now;
    while (this.healthy() < this.mesos.agents.size) {
      if (this.#now - begunAt > COVERAGE_LIMIT_MS) throw new Error('the agents are not covered after three hours');
      await this.pass(10_000);
    }
    return (this.#now - begunAt) / 60_000;
  }

  healthy(): number {
    let healthy = 0;
    for (const node of this.state.nodes.values()) if (statusOf(node, this.#now).state === 'healthy') healthy += 1;
    return healthy;
  }

  async churn(): Promise<void> {
    for (let minute = 0; minute < CHURN_MINUTES; minute += 1) {
      planChurn(this.mesos, this.#dice, this.#now, 60_000);
      if (minute === ROLLOUT_AT) await this.event({ type: 'begin', goal: NEXT_GOAL, uninstall: false });
      if (minute === NEW_MASTER_AT) await this.#newMaster();
      if (minute === NEW_SCHEDULER_AT) await this.#newScheduler();
      await this.pass(60_000);
    }
  }

  async #newMaster(): Promise<void> {
    await this.event({ type: 'disconnected' });
    this.mesos.failOver();
    this.#now += 20_000;
    await this.event({ type: 'subscribed', frameworkId: FRAMEWORK });
  }

  /** Its proxies tell the new one how they are. */
  async #newScheduler(): Promise<void> {
    await this.begin();
    this.mesos.failOver();
    await this.event({ type: 'subscribed', frameworkId: FRAMEWORK });
    for (const agent of this.mesos.agents.values()) {
      const { task } = agent;
      if (task === null || !agent.isUp) continue;
      this.mesos.agenda.plan(this.#now + this.#dice.below(5_000), () =>
        agent.task === task ? { type: 'health', taskId: task, health: WELL } : null,
      );
    }
  }

  /** Virtual time, with all that happens in it. */
  async pass(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (let next = this.mesos.agenda.next(end); next !== null; next = this.mesos.agenda.next(end)) {
      this.#now = Math.max(this.#now, next.at);
      const event = next.what(this.#now);
      if (event !== null) await this.event(event);
    }
    this.#now = end;
  }
}

const WELL = { healthy: true, reason: null, dead: false };

/** A list of few and one of many are told apart. */
function kindOf(event: DaemonsetEvent): string {
  if (event.type === 'update') return `update ${event.status.state}`;
  if (event.type === 'offers') return `offers, ${sizeOf(event.offers.length)}`;
  if (event.type === 'agents') return `agents, ${sizeOf(event.registered.length)}`;
  return event.type;
}

function sizeOf(count: number): string {
  if (count <= 10) return 'up to 10';
  return `up to ${10 ** Math.ceil(Math.log10(count))}`;
}

function memory(): { heapMb: number; rssMb: number } {
  if (globalThis.gc === undefined) throw new Error('the bench needs node --expose-gc');
  globalThis.gc();
  const { heapUsed, rss } = process.memoryUsage();
  return { heapMb: heapUsed / 2 ** 20, rssMb: rss / 2 ** 20 };
}
