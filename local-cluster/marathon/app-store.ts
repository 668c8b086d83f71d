/** The apps that exist, with their versions. In memory: a miniature Marathon forgets when it stops. */
import { type AppSpec, portWishes } from './app-spec.ts';

const SERVICE_PORT_MIN = 10_000;
const SERVICE_PORT_MAX = 20_000;
/** Marathon keeps 50 versions of an app (`zk_max_versions`). */
const MAX_VERSIONS = 50;

export interface TaskFailure {
  readonly appId: string;
  readonly host: string;
  readonly message: string;
  readonly state: string;
  readonly taskId: string;
  readonly timestamp: string;
  readonly version: string;
  readonly slaveId: string;
}

/** One app as it is now. Versions are ISO timestamps, strictly increasing over the whole store. */
export interface AppRecord {
  readonly spec: AppSpec;
  readonly version: string;
  readonly lastScalingAt: string;
  /** Instances of this version or a later one are current; older ones are replaced. */
  readonly lastConfigChangeAt: string;
}

export class AppStore {
  readonly #apps = new Map<string, AppRecord>();
  readonly #versions = new Map<string, AppRecord[]>();
  readonly #failures = new Map<string, TaskFailure>();
  #lastVersion = 0;

  /** The next version: now, or a millisecond after the last one when two changes fall together. */
  nextVersion(now: number): string {
    this.#lastVersion = Math.max(now, this.#lastVersion + 1);
    return new Date(this.#lastVersion).toISOString();
  }

  get(id: string): AppRecord | undefined {
    return this.#apps.get(id);
  }

  list(): AppRecord[] {
    return [...this.#apps.values()].sort((a, b) => (a.spec.id < b.spec.id ? -1 : 1));
  }

  /** All kept versions of an app, newest first. */
  versions(id: string): readonly AppRecord[] {
    return this.#versions.get(id) ?? [];
  }

  lastFailure(id: string): TaskFailure | undefined {
    return this.#failures.get(id);
  }

  recordFailure(failure: TaskFailure): void {
    if (this.#apps.has(failure.appId)) this.#failures.set(failure.appId, failure);
  }

  /** Create or replace. `change` says whether running instances are still good (`scale`) or must be replaced. */
  put(spec: AppSpec, version: string, change: 'scale' | 'config'): AppRecord {
    const old = this.#apps.get(spec.id);
    const record: AppRecord = {
      spec: this.#withServicePorts(spec),
      version,
      lastScalingAt: version,
      lastConfigChangeAt: change === 'scale' && old !== undefined ? old.lastConfigChangeAt : version,
    };
    this.#apps.set(spec.id, record);
    this.#versions.set(spec.id, [record, ...this.versions(spec.id)].slice(0, MAX_VERSIONS));
    return record;
  }

  delete(id: string): void {
    this.#apps.delete(id);
    this.#versions.delete(id);
    this.#failures.delete(id);
  }

  /** Service ports that are 0 get a free one, as Marathon's `local_port_min` to `local_port_max`. */
  #withServicePorts(spec: AppSpec): AppSpec {
    const taken = new Set<number>();
    for (const { spec: other } of this.#apps.values()) {
      if (other.id !== spec.id) for (const wish of portWishes(other)) taken.add(wish.servicePort);
    }
    for (const wish of portWishes(spec)) taken.add(wish.servicePort);
    let next = SERVICE_PORT_MIN;
    const assigned = (port: number): number => {
      if (port !== 0) return port;
      while (next <= SERVICE_PORT_MAX && taken.has(next)) next += 1;
      // More than ten thousand ports: leave the port unassigned, as it was.
      if (next > SERVICE_PORT_MAX) return 0;
      taken.add(next);
      return next;
    };
    if (spec.portDefinitions !== undefined) {
      const portDefinitions = spec.portDefinitions.map((definition) => ({
        ...definition,
        port: assigned(definition.port),
      }));
      return { ...spec, portDefinitions };
    }
    const mappings = spec.container?.portMappings;
    if (!spec.container || !mappings) return spec;
    const portMappings = mappings.map((mapping) => ({ ...mapping, servicePort: assigned(mapping.servicePort) }));
    return { ...spec, container: { ...spec.container, portMappings } };
  }
}
