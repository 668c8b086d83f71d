/** The soak: rounds of a few faults each, and after each round all has to be well again within ten seconds. */
import { setTimeout as sleep } from 'node:timers/promises';
import { getJson } from '../fixtures/http.ts';
import { Cluster } from '../fixtures/local-cluster.ts';
import { Rng } from '../simulation/rng.ts';
import { explain } from './explain.ts';
import { Faults } from './faults.ts';
import { Load } from './load.ts';
import { RetryingProxy } from './retrying-proxy.ts';
import type { Failure, Fault, FaultKind, Options, Way } from './types.ts';

/** Where the cluster is: its agents are 127.0.60.1 and on. */
const NET = 60;
const SERVICE = 'web';
const HEAL_MS = 10_000;
/** Then it is told as not healed, and the soak ends. */
const GIVE_UP_MS = 60_000;
const LOOK_MS = 100;
const MOST_IN_A_ROUND = 4;
const LONGEST_PAUSE_MS = 2_000;
const STAYS_MS = 1_000;
const INSTANCES = 3;

export interface Result {
  readonly seed: number;
  readonly minutes: number;
  readonly rounds: number;
  readonly faults: Readonly<Partial<Record<FaultKind, number>>>;
  readonly loads: Readonly<Record<Way, { sent: number; succeeded: number; failed: number }>>;
  /** Failures of either way by the fault that explains them. */
  readonly explained: Readonly<Record<string, number>>;
  readonly unexplained: readonly Failure[];
  /** Milliseconds from the last fault of a round until all was well. */
  readonly healing: readonly number[];
  readonly slow: readonly { readonly ms: number; readonly faults: readonly string[]; readonly missing: string }[];
  readonly doubles: readonly string[];
}

export interface Surroundings {
  readonly signal: AbortSignal;
  say(line: string): void;
}

export async function soak(options: Options, { signal, say }: Surroundings): Promise<Result> {
  say(`the cluster starts (${options.agents} agents, seed ${options.seed})`);
  const cluster = await Cluster.start(NET, [
    ...['--agents', String(options.agents - 1), '--public-agents', '1', '--load', '0'],
  ]);
  try {
    return await new Soak(cluster, options, signal, say).run();
  } finally {
    await cluster.stop();
  }
}

class Soak {
  readonly #cluster: Cluster;
  readonly #options: Options;
  readonly #signal: AbortSignal;
  readonly #say: (line: string) => void;
  readonly #dice: Rng;
  readonly #faults: Faults;
  readonly #begunAt = performance.now();
  readonly #struck: Fault[] = [];
  readonly #failures: Failure[] = [];
  readonly #doubles: string[] = [];
  readonly #healing: number[] = [];
  readonly #slow: Result['slow'][number][] = [];
  /** When the nodes that were hit began to answer again, by address. */
  readonly #answersSince = new Map<string, number>();

  constructor(cluster: Cluster, options: Options, signal: AbortSignal, say: (line: string) => void) {
    this.#cluster = cluster;
    this.#options = options;
    this.#signal = signal;
    this.#say = say;
    this.#dice = new Rng(options.seed);
    this.#faults = new Faults({
      cluster,
      dice: this.#dice,
      service: SERVICE,
      now: () => this.#now(),
      strikes: (fault) => {
        this.#struck.push(fault);
        this.#say(`${this.#clock(fault.at)} ${nameOf(fault)}`);
      },
    });
  }

  async run(): Promise<Result> {
    const { rps, minutes, seed } = this.#options;
    await fetch(`${this.#cluster.ready.marathon}/v2/apps/${SERVICE}`, {
      method: 'PUT',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ instances: INSTANCES }),
    });
    await this.#untilWell(GIVE_UP_MS);
    const retrying = await RetryingProxy.start(this.#urls());
    const common = { rps, host: SERVICE, now: () => this.#now(), failed: (one: Failure) => this.#failed(one) };
    const loads: Record<Way, Load> = {
      direct: new Load({
        ...common,
        way: 'direct',
        entries: () => this.#faults.entries().map(({ http, ip }) => ({ url: http, ip })),
      }),
      retryableRead5XX: new Load({
        ...common,
        way: 'retryableRead5XX',
        entries: () => [{ url: retrying.url, ip: null }],
      }),
    };
    const watches = [
      setInterval(() => void this.#lookForDoubles(), LOOK_MS),
      setInterval(() => void this.#lookForRecoveries(), LOOK_MS),
    ];
    const end = this.#now() + minutes * 60_000;
    let rounds = 0;
    try {
      while (this.#now() < end && !this.#signal.aborted && (await this.#round(retrying))) rounds += 1;
    } finally {
      for (const watch of watches) clearInterval(watch);
      await Promise.all(Object.values(loads).map((load) => load.stop()));
      await retrying.stop();
    }
    return { seed, minutes, rounds, ...this.#told(loads) };
  }

  /** False when the cluster did not get well. */
  async #round(retrying: RetryingProxy): Promise<boolean> {
    const before = this.#struck.length;
    const count = 1 + this.#dice.below(MOST_IN_A_ROUND);
    while (this.#struck.length < before + count && !this.#signal.aborted) {
      await sleep(this.#dice.below(LONGEST_PAUSE_MS));
      if (await this.#faults.strike()) await retrying.setNodes(this.#urls());
    }
    await this.#faults.over();
    const faults = this.#struck.slice(before);
    const last = Math.max(this.#faults.lastReturn, ...faults.map(({ at }) => at));
    const { ms, missing } = await this.#untilWell(GIVE_UP_MS, last);
    for (const fault of faults) fault.until ??= this.#now();
    this.#faults.settled();
    await retrying.setNodes(this.#urls());
    this.#healing.push(ms);
    if (ms > HEAL_MS) this.#slow.push({ ms, faults: faults.map(nameOf), missing });
    this.#say(`${this.#clock(this.#now())} all well after ${(ms / 1000).toFixed(1)} s`);
    return ms < GIVE_UP_MS;
  }

  /**
   * Until all is well, and stays so for a second: a fault may not have been noticed yet when it is asked first. Counted from
   * `begun`.
   */
  async #untilWell(timeoutMs: number, begun = this.#now()): Promise<{ ms: number; missing: string }> {
    let wellSince: number | null = null;
    let late = '';
    for (;;) {
      const missing = await this.#missing().catch((error: unknown) => String(error));
      const now = this.#now();
      wellSince = missing === null ? (wellSince ?? now) : null;
      if (wellSince !== null && now - wellSince >= STAYS_MS) return { ms: wellSince - begun, missing: late };
      if (missing !== null && now - begun > HEAL_MS && late === '') late = missing;
      if (missing !== null && now - begun > timeoutMs) return { ms: now - begun, missing };
      await sleep(LOOK_MS);
    }
  }

  /** What is not as it should be; null: nothing. */
  async #missing(): Promise<string | null> {
    const [nodes, { subscribed }] = await Promise.all([
      this.#cluster.nodes(),
      getJson<{ subscribed: boolean }>(`${this.#cluster.scheduler}/v1/health`),
    ]);
    if (!subscribed) return 'the scheduler is not subscribed';
    const wanted = this.#faults.nodes;
    const ill = wanted.filter(({ agentId }) => nodes.find((node) => node.agentId === agentId)?.state !== 'healthy');
    if (ill.length > 0) {
      const reasons = ill.map(({ agentId, ip }) => {
        const node = nodes.find((row) => row.agentId === agentId);
        return `${ip}: ${node?.state ?? 'unknown'}, ${node?.reason ?? ''}`;
      });
      return reasons.join('; ');
    }
    if (nodes.length !== wanted.length) return `${nodes.length} nodes and not ${wanted.length}`;
    const ready = (await this.#cluster.service(SERVICE))?.endpoints.filter(({ healthy }) => healthy).length ?? 0;
    if (ready !== INSTANCES) return `${ready} of ${INSTANCES} instances of ${SERVICE} are ready`;
    for (const node of wanted) {
      const { status } = await this.#cluster.ask(node, SERVICE);
      if (status !== 200) return `${node.ip} answers ${status}`;
    }
    return null;
  }

  async #lookForDoubles(): Promise<void> {
    const proxies = await this.#cluster.proxies().catch(() => null);
    for (const [agentId, rows] of proxies ?? []) {
      const tasks = new Set(rows.map(({ taskId }) => taskId));
      if (tasks.size > 1) this.#doubles.push(`${this.#clock(this.#now())} ${agentId}: ${[...tasks].join(', ')}`);
    }
  }

  /** A process that was ended explains failures only until its node has answered again, for a second. */
  async #lookForRecoveries(): Promise<void> {
    const open = this.#struck.filter(({ until, ip }) => until === null && ip !== null);
    await Promise.all(
      this.#faults.nodes.map(async (node) => {
        const faults = open.filter(({ ip }) => ip === node.ip);
        if (faults.length === 0) return;
        const begun = this.#now();
        const status = await this.#cluster.ask(node, SERVICE).then(
          (answer) => answer.status,
          () => null,
        );
        if (status !== 200) this.#answersSince.delete(node.ip);
        else if (!this.#answersSince.has(node.ip)) this.#answersSince.set(node.ip, begun);
        const since = this.#answersSince.get(node.ip);
        if (since === undefined) return;
        for (const fault of faults) {
          const from = Math.max(since, fault.at);
          if (begun - from >= STAYS_MS) fault.until ??= from;
        }
      }),
    );
  }

  #failed(failure: Failure): void {
    this.#failures.push(failure);
    const fault = explain(failure, this.#struck);
    const why = fault === null ? 'UNEXPLAINED SO FAR' : `by: ${nameOf(fault)}`;
    this.#say(
      `${this.#clock(failure.to)} a request failed (${failure.way}, ${failure.ip ?? 'any node'}): ${failure.what}; ${why}`,
    );
  }

  #told(loads: Readonly<Record<Way, Load>>): Omit<Result, 'seed' | 'minutes' | 'rounds'> {
    const counted: Partial<Record<FaultKind, number>> = {};
    for (const { kind } of this.#struck) counted[kind] = (counted[kind] ?? 0) + 1;
    const explained: Record<string, number> = {};
    const unexplained: Failure[] = [];
    for (const failure of this.#failures) {
      const fault = explain(failure, this.#struck);
      if (fault === null) unexplained.push(failure);
      else {
        const where = fault.ip === failure.ip ? 'at the entry' : 'at another node';
        const key = `${fault.kind}, ${where} (${failure.way})`;
        explained[key] = (explained[key] ?? 0) + 1;
      }
    }
    const of = ({ sent, succeeded }: Load) => ({ sent, succeeded, failed: sent - succeeded });
    return {
      faults: counted,
      loads: { direct: of(loads.direct), retryableRead5XX: of(loads.retryableRead5XX) },
      explained,
      unexplained,
      healing: this.#healing,
      slow: this.#slow,
      doubles: this.#doubles,
    };
  }

  #urls(): string[] {
    return this.#faults.entries().map(({ http }) => http);
  }

  #now(): number {
    return performance.now() - this.#begunAt;
  }

  #clock(ms: number): string {
    return `${(ms / 1000).toFixed(1).padStart(6)} s`;
  }
}

function nameOf({ kind, ip }: Fault): string {
  return ip === null ? kind : `${kind} (${ip})`;
}
