/** All that services come from, as one: Marathon's apps, other frameworks' tasks, and what Mesos takes out of the first. */
import type { Service } from '../../agent-proxy/control/contract.ts';
import { type AgentDirectory, serviceOf } from '../distribution/mesh-table.ts';
import { EndedInstances } from './ended-instances.ts';
import type { Marathons } from './marathons.ts';
import type { MesosSource } from './mesos-source.ts';

export class Sources {
  readonly #marathon: Pick<Marathons, 'app'>;
  readonly #mesos: MesosSource | null;
  readonly #agents: AgentDirectory;
  readonly #ended: EndedInstances;

  constructor(marathon: Pick<Marathons, 'app'>, mesos: MesosSource | null, agents: AgentDirectory) {
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

  /** The services in the table that these tasks are instances of. */
  servicesOf(taskIds: readonly string[]): string[] {
    return this.#ended.servicesOf(taskIds);
  }
}
