/**
 * The ways to instances through the proxies of their nodes. A way that fails is charged here, to the agent's proxy, and
 * never to the instances behind it (contract, rules 3 and 4).
 */
import type { Endpoint, PeerAgent } from '../control/contract.ts';
import type { Pool } from './pool.ts';

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 5_000;

/** The way to one agent's proxy. */
export class PeerPath {
  readonly address: string;
  readonly port: number;
  readonly pool: Pool;
  private failures = 0;
  private avoidUntil = 0;

  constructor(address: string, port: number, pool: Pool) {
    this.address = address;
    this.port = port;
    this.pool = pool;
  }

  isUsable(now: number): boolean {
    return now >= this.avoidUntil;
  }

  failed(now: number): void {
    this.avoidUntil = now + Math.min(FIRST_PAUSE_MS * 2 ** this.failures, LONGEST_PAUSE_MS);
    this.failures += 1;
  }

  succeeded(): void {
    this.failures = 0;
    this.avoidUntil = 0;
  }
}

export class PeerPaths {
  private readonly agent: (agentId: string) => PeerAgent | undefined;
  private readonly open: (address: string, port: number) => Pool;
  private readonly byAgent = new Map<string, PeerPath>();

  constructor(agent: (agentId: string) => PeerAgent | undefined, open: (address: string, port: number) => Pool) {
    this.agent = agent;
    this.open = open;
  }

  /** The way to this instance by the proxy of its node; null where that is not ready, or could not be reached of late. */
  to(endpoint: Endpoint, now: number): PeerPath | null {
    const agent = this.agent(endpoint.agentId);
    if (agent === undefined || !agent.ready) return null;
    const path = this.byAgent.get(endpoint.agentId);
    if (path !== undefined && path.port === agent.incomingPort && path.address === endpoint.agentAddress) {
      return path.isUsable(now) ? path : null;
    }
    path?.pool.close();
    const { agentAddress: address } = endpoint;
    const opened = new PeerPath(address, agent.incomingPort, this.open(address, agent.incomingPort));
    this.byAgent.set(endpoint.agentId, opened);
    return opened;
  }

  /** The table says something new of an agent, or nothing any more: what was learned of it is void. */
  forget(agentId: string): void {
    this.byAgent.get(agentId)?.pool.close();
    this.byAgent.delete(agentId);
  }

  close(): void {
    for (const { pool } of this.byAgent.values()) pool.close();
    this.byAgent.clear();
  }
}
