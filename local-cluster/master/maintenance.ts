/**
 * The maintenance schedule: which machines will be unavailable when, which are down now, and what frameworks answered
 * to inverse offers. Books only; what frameworks are sent of it is in inverse-offers.ts.
 */
import type { AgentId, FrameworkId, InverseOffer, OfferId } from '../../framework/mesos-http-client/messages.ts';

/** At least one of the two is set. */
export interface MachineId {
  readonly hostname?: string | undefined;
  readonly ip?: string | undefined;
}

export type Unavailability = InverseOffer['unavailability'];

export interface MaintenanceWindow {
  readonly machine_ids: readonly MachineId[];
  readonly unavailability: Unavailability;
}

export interface InverseOfferRecord {
  readonly id: OfferId;
  readonly frameworkId: FrameworkId;
  readonly agentId: AgentId;
}

interface Answer {
  readonly frameworkId: FrameworkId;
  readonly agentId: AgentId;
  readonly status: 'ACCEPT' | 'DECLINE';
  readonly at: number;
  /** Until then no other inverse offer is made. */
  readonly quietUntil: number;
}

/** What a new leader finds in the registry. */
export interface MaintenanceState {
  readonly windows: readonly MaintenanceWindow[];
  readonly down: readonly MachineId[];
}

export class MaintenanceBook {
  #windows: readonly MaintenanceWindow[] = [];
  #down: readonly MachineId[] = [];
  readonly #inverse = new Map<OfferId, InverseOfferRecord>();
  /** The latest of each framework for each agent. */
  #answers: Answer[] = [];

  get state(): MaintenanceState {
    return { windows: this.#windows, down: this.#down };
  }

  restore(state: MaintenanceState): void {
    this.#windows = state.windows;
    this.#down = state.down;
  }

  isScheduled(machine: MachineId): boolean {
    return this.#windows.some((window) => hasMachine(window.machine_ids, machine));
  }

  isDown(machine: MachineId): boolean {
    return hasMachine(this.#down, machine);
  }

  unavailabilityOf(machine: MachineId): Unavailability | undefined {
    return this.#windows.find((window) => hasMachine(window.machine_ids, machine))?.unavailability;
  }

  /** Frameworks have to think again: what they answered to inverse offers is void. */
  replaceSchedule(windows: readonly MaintenanceWindow[]): void {
    this.#windows = windows;
    this.#answers = [];
  }

  bringDown(machines: readonly MachineId[]): void {
    this.#down = [...this.#down, ...machines];
  }

  /** Machines that are up again are in no window any more. */
  bringUp(machines: readonly MachineId[]): void {
    this.#down = this.#down.filter((machine) => !hasMachine(machines, machine));
    this.#windows = this.#windows
      .map((window) => ({
        ...window,
        machine_ids: window.machine_ids.filter((machine) => !hasMachine(machines, machine)),
      }))
      .filter((window) => window.machine_ids.length > 0);
  }

  // ---- inverse offers ----

  addInverse(offer: InverseOfferRecord): void {
    this.#inverse.set(offer.id, offer);
  }

  inverse(id: OfferId): InverseOfferRecord | undefined {
    return this.#inverse.get(id);
  }

  inverseOn(agentId: AgentId): InverseOfferRecord[] {
    return [...this.#inverse.values()].filter((offer) => offer.agentId === agentId);
  }

  removeInverse(id: OfferId): void {
    this.#inverse.delete(id);
  }

  /** Its stream ended: nobody is left to answer. */
  forgetFramework(frameworkId: FrameworkId): void {
    for (const offer of this.#inverse.values()) if (offer.frameworkId === frameworkId) this.#inverse.delete(offer.id);
    this.#answers = this.#answers.filter((answer) => answer.frameworkId !== frameworkId);
  }

  /** Whether it may be asked (again) now. */
  mayAsk(frameworkId: FrameworkId, agentId: AgentId, now: number): boolean {
    const asked = this.inverseOn(agentId).some((offer) => offer.frameworkId === frameworkId);
    const quiet = this.#answers.some(
      (answer) => answer.frameworkId === frameworkId && answer.agentId === agentId && answer.quietUntil > now,
    );
    return !asked && !quiet;
  }

  answered(answer: Answer): void {
    const isOfSame = (other: Answer): boolean =>
      other.frameworkId === answer.frameworkId && other.agentId === answer.agentId;
    this.#answers = [...this.#answers.filter((other) => !isOfSame(other)), answer];
    this.#inverse.forEach((offer, id) => {
      if (offer.frameworkId === answer.frameworkId && offer.agentId === answer.agentId) this.#inverse.delete(id);
    });
  }

  /** REVIVE: it wants to be asked at once. */
  endQuiet(frameworkId: FrameworkId): void {
    this.#answers = this.#answers.map((answer) =>
      answer.frameworkId === frameworkId ? { ...answer, quietUntil: 0 } : answer,
    );
  }

  // ---- as shown ----

  scheduleJson(): object {
    return this.#windows.length === 0 ? {} : { windows: this.#windows };
  }

  statusJson(agents: readonly (OnMachine & { readonly id: AgentId })[]): object {
    const draining = this.#windows
      .flatMap((window) => window.machine_ids)
      .filter((machine) => !this.isDown(machine))
      .map((machine) => {
        const ids = agents.filter((agent) => hasMachine([machine], machineOf(agent))).map((agent) => agent.id);
        const statuses = this.#answers
          .filter((answer) => ids.includes(answer.agentId))
          .map(({ status, frameworkId, at }) => ({
            status,
            framework_id: { value: frameworkId },
            timestamp: { nanoseconds: at * 1_000_000 },
          }));
        return { id: machine, ...(statuses.length === 0 ? {} : { statuses }) };
      });
    return {
      ...(draining.length === 0 ? {} : { draining_machines: draining }),
      ...(this.#down.length === 0 ? {} : { down_machines: this.#down }),
    };
  }
}

/** An agent, as far as it says where it runs. */
interface OnMachine {
  readonly info: { readonly hostname: string };
  readonly description: { readonly ip: string } | null;
}

/** The machine that an agent runs on, as a schedule names it: by hostname and address. */
export function machineOf(agent: OnMachine): MachineId {
  return { hostname: agent.info.hostname, ip: agent.description?.ip };
}

/** Both parts count, as in Mesos: a machine named by its hostname alone is another one. */
export function sameMachine(a: MachineId, b: MachineId): boolean {
  return (a.hostname ?? '').toLowerCase() === (b.hostname ?? '').toLowerCase() && (a.ip ?? '') === (b.ip ?? '');
}

function hasMachine(list: readonly MachineId[], wanted: MachineId): boolean {
  return list.some((machine) => sameMachine(machine, wanted));
}
