/**
 * The way to an instance: through the proxy of its agent where that is ready, else straight to it. A path that fails is
 * charged here, to the agent's proxy, and never to the instances behind it.
 */
import type { Endpoint, PeerAgent } from '../control/contract.ts';

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 5_000;

/** Where a request for an instance is sent. */
export interface Hop {
  readonly address: string;
  readonly port: number;
  readonly via: 'peer' | 'direct';
}

interface PathState {
  failures: number;
  avoidUntil: number;
}

export class PeerPaths {
  private readonly agent: (agentId: string) => PeerAgent | undefined;
  /** Only agents whose proxy could not be reached of late are in here. */
  private readonly failing = new Map<string, PathState>();

  constructor(agent: (agentId: string) => PeerAgent | undefined) {
    this.agent = agent;
  }

  hopTo(endpoint: Endpoint, now: number): Hop {
    const agent = this.agent(endpoint.agentId);
    if (agent === undefined || !agent.ready) return directHop(endpoint);
    const state = this.failing.get(endpoint.agentId);
    if (state !== undefined && now < state.avoidUntil) return directHop(endpoint);
    return { address: endpoint.agentAddress, port: agent.incomingPort, via: 'peer' };
  }

  failed(agentId: string, now: number): void {
    const state = this.failing.get(agentId) ?? { failures: 0, avoidUntil: 0 };
    state.avoidUntil = now + Math.min(FIRST_PAUSE_MS * 2 ** state.failures, LONGEST_PAUSE_MS);
    state.failures += 1;
    this.failing.set(agentId, state);
  }

  succeeded(agentId: string): void {
    this.failing.delete(agentId);
  }

  /** The table says something new of an agent, or nothing any more: what was learned of it is void. */
  forget(agentId: string): void {
    this.failing.delete(agentId);
  }
}

export function directHop({ address, port }: Endpoint): Hop {
  return { address, port, via: 'direct' };
}
