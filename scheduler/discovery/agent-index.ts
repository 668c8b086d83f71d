/** Which services have instances on which agent, so that news of one agent cost what runs there and no more. */

export class AgentIndex {
  readonly #services = new Map<string, Set<string>>();
  readonly #agents = new Map<string, ReadonlySet<string>>();

  /** All instances of a service; none of one that is gone. */
  set(service: string, instances: readonly { readonly agentId: string }[]): void {
    const after = new Set(instances.map(({ agentId }) => agentId));
    const before = this.#agents.get(service);
    for (const agentId of before ?? []) {
      if (after.has(agentId)) continue;
      const services = this.#services.get(agentId);
      services?.delete(service);
      if (services?.size === 0) this.#services.delete(agentId);
    }
    for (const agentId of after) {
      const services = this.#services.get(agentId) ?? new Set();
      this.#services.set(agentId, services.add(service));
    }
    if (after.size === 0) this.#agents.delete(service);
    else this.#agents.set(service, after);
  }

  servicesOn(agentId: string): readonly string[] {
    return [...(this.#services.get(agentId) ?? [])];
  }
}
