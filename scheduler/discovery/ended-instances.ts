/**
 * Marathon's instances that Mesos says have ended are taken out of their services at once, and stay out until Marathon
 * has noticed too. It only ever takes away.
 */
import type { Service } from '../../agent-proxy/control/contract.ts';

export class EndedInstances {
  readonly #hasEnded: (taskId: string) => boolean;
  /** Service by instance, and the other way round: of what is in the table now. */
  readonly #serviceOf = new Map<string, string>();
  readonly #instancesOf = new Map<string, readonly string[]>();

  constructor(hasEnded: (taskId: string) => boolean) {
    this.#hasEnded = hasEnded;
  }

  /** The service as it goes into the table. */
  staged(service: Service): Service {
    const { name } = service;
    const endpoints = service.endpoints.filter(({ instance }) => !this.#hasEnded(instance));
    this.removed(name);
    for (const { instance } of endpoints) this.#serviceOf.set(instance, name);
    this.#instancesOf.set(
      name,
      endpoints.map(({ instance }) => instance),
    );
    return endpoints.length === service.endpoints.length ? service : { ...service, endpoints };
  }

  /** The service is in the table no more. */
  removed(name: string): void {
    for (const instance of this.#instancesOf.get(name) ?? []) {
      if (this.#serviceOf.get(instance) === name) this.#serviceOf.delete(instance);
    }
    this.#instancesOf.delete(name);
  }

  /** The services that these tasks are instances of. */
  servicesOf(taskIds: readonly string[]): string[] {
    return [...new Set(taskIds.flatMap((taskId) => this.#serviceOf.get(taskId) ?? []))];
  }
}
