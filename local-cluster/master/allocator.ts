/**
 * Who is offered what: fair shares (DRF) over roles, then over the frameworks of a role, as the hierarchical allocator
 * of Mesos does it, without quota and weights. A pure function from free resources to offers.
 */
import type { AgentId, FrameworkId } from '../../framework/mesos-http-client/messages.ts';
import { quantities, type Resources, reservationsOf, reservedRole, subtract } from './resources.ts';

/** A framework that takes offers in a role. */
export interface Candidate {
  readonly frameworkId: FrameworkId;
  readonly role: string;
  /** RESERVATION_REFINEMENT: may see stacked reservations. */
  readonly refined: boolean;
  /** GPU_RESOURCES: agents with GPUs are kept from all others (`--filter_gpu_resources`). */
  readonly gpus: boolean;
  /** What it holds in this role already: tasks and offers. */
  readonly holds: Resources;
}

export interface FreeAgent {
  readonly id: AgentId;
  readonly free: Resources;
}

export interface Allocation {
  readonly frameworkId: FrameworkId;
  readonly role: string;
  readonly agentId: AgentId;
  readonly resources: Resources;
}

export interface AllocationRound {
  readonly candidates: readonly Candidate[];
  readonly agents: readonly FreeAgent[];
  /** Of all registered agents: shares are fractions of it. */
  readonly clusterTotal: Resources;
  readonly blocked: (candidate: Candidate, agentId: AgentId, offered: Resources) => boolean;
}

/** Mesos' default `--min_allocatable_resources=cpus:0.01|mem:32`, in thousandths. */
const MIN_CPUS = 10;
const MIN_MEM = 32_000;

export function allocateRound(round: AllocationRound): Allocation[] {
  const total = quantities(round.clusterTotal);
  const shares = new Shares(total);
  for (const candidate of round.candidates) shares.charge(candidate, candidate.holds);

  const allocations: Allocation[] = [];
  for (const agent of round.agents) {
    let free = agent.free;
    for (const candidate of shares.fairOrder(round.candidates)) {
      const offered = offerable(free, candidate);
      if (!isAllocatable(offered) || round.blocked(candidate, agent.id, offered)) continue;
      allocations.push({
        frameworkId: candidate.frameworkId,
        role: candidate.role,
        agentId: agent.id,
        resources: offered,
      });
      shares.charge(candidate, offered);
      free = subtract(free, offered);
    }
  }
  return allocations;
}

/** Unreserved resources are for every role, reserved ones for their role and the roles below it. */
function offerable(free: Resources, candidate: Candidate): Resources {
  if (!candidate.gpus && free.some((resource) => resource.name === 'gpus')) return [];
  return free.filter((resource) => {
    const reserved = reservedRole(resource);
    if (reserved === null) return true;
    if (!candidate.refined && reservationsOf(resource).length > 1) return false;
    return reserved === candidate.role || candidate.role.startsWith(`${reserved}/`);
  });
}

function isAllocatable(list: Resources): boolean {
  const amounts = quantities(list);
  return (amounts.get('cpus') ?? 0) >= MIN_CPUS || (amounts.get('mem') ?? 0) >= MIN_MEM;
}

/** Dominant shares of roles, and of frameworks within them. */
class Shares {
  readonly #total: ReadonlyMap<string, number>;
  readonly #held = new Map<string, Map<string, number>>();

  constructor(total: ReadonlyMap<string, number>) {
    this.#total = total;
  }

  charge(candidate: Candidate, list: Resources): void {
    for (const key of [roleKey(candidate), frameworkKey(candidate)]) {
      const held = this.#held.get(key) ?? new Map<string, number>();
      for (const [name, amount] of quantities(list)) held.set(name, (held.get(name) ?? 0) + amount);
      this.#held.set(key, held);
    }
  }

  /** The poorest role first, within a role the poorest framework; among equals the one that came first. */
  fairOrder(candidates: readonly Candidate[]): Candidate[] {
    return candidates
      .map((candidate) => ({
        candidate,
        role: this.#dominant(roleKey(candidate)),
        framework: this.#dominant(frameworkKey(candidate)),
      }))
      .sort((a, b) => a.role - b.role || a.framework - b.framework)
      .map(({ candidate }) => candidate);
  }

  #dominant(key: string): number {
    let share = 0;
    for (const [name, amount] of this.#held.get(key) ?? []) {
      const total = this.#total.get(name) ?? 0;
      if (total > 0) share = Math.max(share, amount / total);
    }
    return share;
  }
}

const roleKey = (candidate: Candidate): string => JSON.stringify([candidate.role]);
const frameworkKey = (candidate: Candidate): string => JSON.stringify([candidate.role, candidate.frameworkId]);
