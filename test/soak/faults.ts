/** What is done to the cluster. */
import { setTimeout as sleep } from 'node:timers/promises';

import { send, sendJson } from '../fixtures/http.ts';
import { type Cluster, childrenOf, isAlive, type NodeDocument } from '../fixtures/local-cluster.ts';
import type { Rng } from '../simulation/rng.ts';
import { FAULTS, type Fault, type FaultKind } from './types.ts';

const MINUTE_MS = 60_000;
/** Of one process: a third end within the minute comes with a backoff, by design of whoever starts it again. */
const KILLS_A_MINUTE = 2;
const SCHEDULER = 'scheduler';
const SHORTEST_CUT_MS = 1_000;
const LONGEST_CUT_MS = 6_000;

export interface FaultsOptions {
  readonly cluster: Cluster;
  readonly dice: Rng;
  /** The app that is asked. */
  readonly service: string;
  now(): number;
  /** Called right before the deed: what fails from now on may be its consequence. */
  strikes(fault: Fault): void;
}

export class Faults {
  readonly #options: FaultsOptions;
  /** When the scheduler was killed, and the proxy's task of each agent. */
  readonly #kills = new Map<string, number[]>();
  /** Agents that are cut off now, until they are back. */
  readonly #cuts = new Map<string, Promise<void>>();
  /** Agents whose first proxy is still to come: no app would be there yet. */
  readonly #joining = new Set<NodeDocument>();
  #nodes: NodeDocument[];
  #lastReturn = 0;

  constructor(options: FaultsOptions) {
    this.#options = options;
    this.#nodes = [...options.cluster.ready.nodes];
  }

  /** Those that are part of the cluster now. */
  get nodes(): readonly NodeDocument[] {
    return this.#nodes;
  }

  /** Those at which requests may enter. */
  entries(): NodeDocument[] {
    return this.#nodes.filter((node) => !this.#joining.has(node));
  }

  /** All is well: nobody is joining any more. */
  settled(): void {
    this.#joining.clear();
  }

  /** When an agent that had been cut off came back last; 0: none did. */
  get lastReturn(): number {
    return this.#lastReturn;
  }

  /** Agents that are cut off are back. */
  async over(): Promise<void> {
    await Promise.all(this.#cuts.values());
  }

  /** Does something; false where the dice named something that may not be done now. Resolves when the deed is done. */
  async strike(): Promise<boolean> {
    const { dice } = this.#options;
    if (this.#nodes.length === 0) return false;
    return await this.#strike(dice.pick(FAULTS), dice.pick(this.#nodes));
  }

  async #strike(kind: FaultKind, node: NodeDocument): Promise<boolean> {
    switch (kind) {
      case 'agent cut off':
        return await this.#cut(node);
      case 'agent gone, another joins':
        return await this.#replace(node);
      case 'master fails over':
        this.#begin(kind, null);
        await this.#post('master/failover');
        return true;
      case 'scheduler killed': {
        const scheduler = (await this.#options.cluster.processes()).find(({ role }) => role === 'scheduler');
        return this.#mayKill(SCHEDULER) && this.#kill(scheduler?.pid, kind, null);
      }
      case 'proxy killed': {
        const proxy = await this.#proxyOf(node);
        return this.#mayKill(node.agentId) && this.#kill(proxy, kind, node.ip);
      }
      case 'worker killed': {
        const supervisor = await this.#proxyOf(node);
        const workers = supervisor === undefined ? [] : await childrenOf(supervisor);
        // It may be between two of them, or have none yet.
        return workers.length > 0 && this.#kill(this.#options.dice.pick(workers), kind, node.ip);
      }
    }
  }

  async #cut(node: NodeDocument): Promise<boolean> {
    if (this.#cuts.has(node.agentId) || !(await this.#wouldSpareOne(node))) return false;
    const ms = SHORTEST_CUT_MS + this.#options.dice.below(LONGEST_CUT_MS - SHORTEST_CUT_MS);
    this.#begin('agent cut off', node.ip);
    await this.#post(`agents/${node.agentId}/stop`);
    const back = sleep(ms).then(async () => {
      this.#cuts.delete(node.agentId);
      if (!this.#nodes.includes(node)) return;
      this.#lastReturn = this.#options.now();
      await this.#post(`agents/${node.agentId}/start`);
    });
    this.#cuts.set(node.agentId, back);
    return true;
  }

  async #replace(node: NodeDocument): Promise<boolean> {
    const { mesos } = this.#options.cluster.ready;
    if (!(await this.#wouldSpareOne(node))) return false;
    this.#begin('agent gone, another joins', node.ip);
    this.#nodes = this.#nodes.filter((other) => other !== node);
    await send(`${mesos}/local/agents/${node.agentId}`, { method: 'DELETE' });
    const { body, status } = await sendJson('POST', `${mesos}/local/agents`, { public: node.public });
    if (status !== 201) throw new Error(`no agent could join: ${status} ${body}`);
    const joining = JSON.parse(body) as NodeDocument;
    this.#joining.add(joining);
    this.#nodes = [...this.#nodes, joining];
    return true;
  }

  /** An app of which every agent is away has no instance that Marathon would tell of: no proxy can help it. */
  async #wouldSpareOne(node: NodeDocument): Promise<boolean> {
    const { cluster, service } = this.#options;
    // A scheduler that was killed a moment ago does not answer: another time, then.
    const endpoints = (await cluster.service(service).catch(() => undefined))?.endpoints ?? [];
    return endpoints.some(({ agentId, healthy }) => healthy && agentId !== node.agentId && !this.#cuts.has(agentId));
  }

  /** Whether it was not killed too often; counts as a time when it is. */
  #mayKill(who: string): boolean {
    const now = this.#options.now();
    const kills = (this.#kills.get(who) ?? []).filter((at) => at > now - MINUTE_MS);
    if (kills.length >= KILLS_A_MINUTE) return false;
    this.#kills.set(who, [...kills, now]);
    return true;
  }

  #begin(kind: FaultKind, ip: string | null): void {
    this.#options.strikes({ kind, at: this.#options.now(), ip, until: null });
  }

  #kill(pid: number | undefined, kind: FaultKind, ip: string | null): boolean {
    // It may have just ended by an earlier fault.
    if (pid === undefined || !isAlive(pid)) return false;
    this.#begin(kind, ip);
    process.kill(pid, 'SIGKILL');
    return true;
  }

  async #proxyOf(node: NodeDocument): Promise<number | undefined> {
    return (await this.#options.cluster.proxies()).get(node.agentId)?.[0]?.pid;
  }

  async #post(path: string): Promise<void> {
    const { status, body } = await send(`${this.#options.cluster.ready.mesos}/local/${path}`, { method: 'POST' });
    if (status !== 202) throw new Error(`POST /local/${path} was answered ${status}: ${body}`);
  }
}
