/**
 * Whether a proxy answers on each of its listeners: a connection is made to each port that its task has, and any answer in
 * HTTP will do. One that does not answer is asked again before it is believed.
 */
import { Agent, request } from 'undici';
import type { ConfiguredNode } from './configured-node.ts';

const TIMEOUT_MS = 3_000;
const AGAIN_MS = 300;
/** An answer that is this old is asked for again. */
const STALE_MS = 1_000;
/** So many in a row. */
const MOST_FAILURES = 3;
const AT_A_TIME = 16;
/** A name that no service has: the answer is the proxy's own, and is counted as nobody's traffic. */
const NAME = 'probe.nodemesh.invalid';

export interface ProbedNode {
  readonly agentId: string;
  readonly ip: string;
  /** Of its listeners. */
  readonly ports: readonly number[];
}

/** Of the listeners of each proxy. */
export interface ListenerPorts {
  readonly out: number;
  readonly in: number;
  readonly admin: number;
  readonly edge: number | null;
}

export function probedNode(
  { agentId, ip, hasEdge, isInner }: Pick<ConfiguredNode, 'agentId' | 'ip' | 'hasEdge' | 'isInner'>,
  { out, in: incoming, admin, edge }: ListenerPorts,
): ProbedNode {
  const inner = isInner ? [] : [out, incoming];
  return { agentId, ip, ports: [...inner, admin, ...(hasEdge && edge !== null ? [edge] : [])] };
}

export type ProbeState = 'unknown' | 'ok' | { readonly failed: string };

interface Known {
  /** When the last answer came, or failed to come. */
  at: number;
  failures: number;
  why: string;
  isUnderWay: boolean;
}

export class ListenerProbe {
  readonly #now: () => number;
  // A connection for each probe: one that is kept would tell of the past.
  readonly #agent = new Agent({ connect: { timeout: TIMEOUT_MS }, pipelining: 0 });
  readonly #known = new Map<string, Known>();
  #underWay = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  state(agentId: string): ProbeState {
    const known = this.#known.get(agentId);
    if (known === undefined || known.at === 0) return 'unknown';
    if (known.failures >= MOST_FAILURES) return { failed: known.why };
    return known.failures === 0 ? 'ok' : 'unknown';
  }

  /** Asks those of whom it does not know it, or not lately; the others are forgotten. To be called again and again. */
  want(nodes: readonly ProbedNode[]): void {
    const wanted = new Set(nodes.map(({ agentId }) => agentId));
    for (const agentId of this.#known.keys()) if (!wanted.has(agentId)) this.#known.delete(agentId);
    for (const node of nodes) {
      if (this.#underWay >= AT_A_TIME) return;
      const known = this.#known.get(node.agentId);
      const pause = known !== undefined && known.failures > 0 ? AGAIN_MS : STALE_MS;
      if (known !== undefined && (known.isUnderWay || this.#now() - known.at < pause)) continue;
      void this.#probe(node, known ?? { at: 0, failures: 0, why: '', isUnderWay: false });
    }
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  async #probe({ agentId, ip, ports }: ProbedNode, known: Known): Promise<void> {
    this.#known.set(agentId, known);
    known.isUnderWay = true;
    this.#underWay += 1;
    const failures = await Promise.all(ports.map((port) => faultAt(this.#agent, ip, port)));
    const why = failures.find((fault) => fault !== null) ?? null;
    known.failures = why === null ? 0 : known.failures + 1;
    known.why = why ?? '';
    known.at = this.#now();
    known.isUnderWay = false;
    this.#underWay -= 1;
  }
}

/** Asks each listener once: why it gives no answer, by port; null where it does. */
export async function listenersOf({ ip, ports }: ProbedNode): Promise<{ port: number; fault: string | null }[]> {
  const agent = new Agent({ connect: { timeout: TIMEOUT_MS }, pipelining: 0 });
  try {
    return await Promise.all(ports.map(async (port) => ({ port, fault: await faultAt(agent, ip, port) })));
  } finally {
    await agent.destroy();
  }
}

/** Null where there is an answer. */
async function faultAt(agent: Agent, ip: string, port: number): Promise<string | null> {
  const where = `${ip.includes(':') ? `[${ip}]` : ip}:${port}`;
  try {
    const answer = await request(`http://${where}/admin/ping`, {
      dispatcher: agent,
      headers: { host: NAME },
      headersTimeout: TIMEOUT_MS,
      bodyTimeout: TIMEOUT_MS,
    });
    await answer.body.dump();
    return null;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    return `no answer at ${where} (${code})`;
  }
}
