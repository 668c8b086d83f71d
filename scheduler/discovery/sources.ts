/** All that services come from, as one: Marathon's apps, other frameworks' tasks, and what Mesos takes out of the first. */
import type { Service } from '../../agent-proxy/control/contract.ts';
import { type AgentDirectory, serviceOf } from '../distribution/mesh-table.ts';
import type { Discovery } from './discovery.ts';
import { EndedInstances } from './ended-instances.ts';
import type { MesosSource } from './mesos-source.ts';
import { NO_SECOND_LOOK, type SecondLook } from './second-look.ts';

export class Sources {
  readonly #marathon: Discovery;
  readonly #mesos: MesosSource | null;
  readonly #agents: AgentDirectory;
  readonly #ended: EndedInstances;

  constructor(marathon: Discovery, mesos: MesosSource | null, agents: AgentDirectory) {
    this.#marathon = marathon;
    this.#mesos = mesos;
    this.#agents = agents;
    this.#ended = new EndedInstances((taskId) => mesos?.hasEnded(taskId) ?? false);
  }

  /** The service as it is now, on its way into the table; undefined: it is to leave the table. */
  stage(name: string): Service | undefined {
    if (this.#mesos?.owns(name)) return this.#mesos.service(name);
    const app = this.#marathon.app(name);
    if (app !== undefined) return this.#ended.staged(serviceOf(app, this.#agents));
    this.#ended.removed(name);
    return undefined;
  }

  /** Whom to ask when Marathon suddenly lists far fewer tasks. */
  get secondLook(): SecondLook {
    return this.#mesos ?? NO_SECOND_LOOK;
  }

  /** The services in the table that these tasks are instances of. */
  servicesOf(taskIds: readonly string[]): string[] {
    return this.#ended.servicesOf(taskIds);
  }
}
