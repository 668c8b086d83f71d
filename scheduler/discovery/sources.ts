/** All that services come from, as one: the apps of the Marathons, and the tasks of other frameworks. */
import type { Service } from '../../agent-proxy/control/contract.ts';
import { type AgentDirectory, serviceOf } from '../distribution/mesh-table.ts';
import type { Marathons } from './marathons.ts';
import type { MesosSource } from './mesos-source.ts';

export class Sources {
  readonly #marathons: Marathons;
  readonly #mesos: MesosSource | null;
  readonly #agents: AgentDirectory;

  constructor(marathons: Marathons, mesos: MesosSource | null, agents: AgentDirectory) {
    this.#marathons = marathons;
    this.#mesos = mesos;
    this.#agents = agents;
  }

  /** As it is now; undefined: there is none of this name. */
  service(name: string): Service | undefined {
    if (this.#mesos?.owns(name)) return this.#mesos.service(name);
    const app = this.#marathons.app(name);
    return app === undefined ? undefined : serviceOf(app, this.#agents, name);
  }
}
