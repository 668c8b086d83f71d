/**
 * Several Marathons side by side, as one table: the first one's apps under their own names, those of the others under
 * `#<prefix>/<id>`. One that cannot be asked keeps its part of the table, and holds up none of the others.
 */
import type { MarathonApp } from '../../agent-proxy/routing/marathon-endpoints.ts';
import { Discovery, type DiscoveryCounters, type DiscoveryLogger, type DiscoveryTimes } from './discovery.ts';
import type { MarathonAccess } from './marathon-client.ts';
import type { SecondLook } from './second-look.ts';

/** One Marathon to follow. */
export interface MarathonSource {
  /** Of its namer: apps are found under `/#/<prefix>`. */
  readonly prefix: string;
  readonly url: string;
  readonly access: MarathonAccess;
}

/** How one of them is, as `/v1/health` shows it. */
export interface MarathonStatus {
  readonly prefix: string;
  /** The event stream is in place. */
  readonly connected: boolean;
  /** Its part of the table is whole. */
  readonly synced: boolean;
  /** Why the last question had no answer; null: it had one. */
  readonly reason: string | null;
}

export interface MarathonsOptions {
  /** The first one's apps have bare names. */
  readonly sources: readonly [MarathonSource, ...MarathonSource[]];
  readonly logger: DiscoveryLogger;
  /** Names of services that changed or went. */
  changed(names: readonly string[]): void;
  /**
   * Called once, when every Marathon has been heard: before, the table would take away the apps of those that have not,
   * which may serve well.
   */
  whole(): void;
  readonly secondLook?: SecondLook;
  readonly times?: DiscoveryTimes;
}

interface Followed {
  readonly source: MarathonSource;
  /** What stands before an app's name. */
  readonly lead: string;
  readonly discovery: Discovery;
}

export class Marathons {
  readonly #followed: readonly Followed[];

  constructor(options: MarathonsOptions) {
    const { sources, logger, secondLook, times } = options;
    let unheard = sources.length;
    this.#followed = sources.map((source, index) => {
      const lead = index === 0 ? '' : `#${source.prefix}/`;
      const discovery = new Discovery({
        marathon: source.url,
        access: source.access,
        logger: sources.length === 1 ? logger : withPrefix(logger, source.prefix),
        changed: (names) => options.changed(names.map((name) => `${lead}${name}`)),
        whole: () => {
          unheard--;
          if (unheard === 0) options.whole();
        },
        ...(secondLook === undefined ? {} : { secondLook }),
        ...(times === undefined ? {} : { times }),
      });
      return { source, lead, discovery };
    });
  }

  start(): void {
    for (const { discovery } of this.#followed) discovery.start();
  }

  async stop(): Promise<void> {
    await Promise.all(this.#followed.map(({ discovery }) => discovery.stop()));
  }

  /** All event streams are in place. */
  get connected(): boolean {
    return this.#followed.every(({ discovery }) => discovery.connected);
  }

  /** The table is whole (it may be old while not connected). */
  get synced(): boolean {
    return this.#followed.every(({ discovery }) => discovery.synced);
  }

  statuses(): MarathonStatus[] {
    return this.#followed.map(({ source: { prefix }, discovery }) => {
      const { connected, synced, reason } = discovery;
      return { prefix, connected, synced, reason };
    });
  }

  /** By the name of its service. */
  app(service: string): MarathonApp | undefined {
    const followed = service.startsWith('#')
      ? this.#followed.find(({ lead }) => lead !== '' && service.startsWith(lead))
      : this.#followed[0];
    return followed?.discovery.app(service.slice(followed.lead.length));
  }

  /** Services with an instance on this agent. */
  namesOn(agentId: string): string[] {
    return this.#followed.flatMap(({ lead, discovery }) =>
      [...discovery.namesOn(agentId)].map((name) => `${lead}${name}`),
    );
  }

  /** Why services, or some of their instances, are left out, by name. */
  skipped(): Map<string, string> {
    const all = this.#followed.flatMap(({ lead, discovery }) =>
      [...discovery.skipped()].map(([name, reason]) => [`${lead}${name}`, reason] as const),
    );
    return new Map(all);
  }

  /** Mesos says that a task has ended: its endpoint goes before Marathon says so too. */
  taskGone(taskId: string, agentId: string): void {
    for (const { discovery } of this.#followed) discovery.taskGone(taskId, agentId);
  }

  /** Of all together. */
  counters(): DiscoveryCounters {
    return this.#followed.map(({ discovery }) => discovery.counters()).reduce(sum);
  }
}

function sum(a: DiscoveryCounters, b: DiscoveryCounters): DiscoveryCounters {
  const events: Record<string, number> = { ...a.events };
  for (const [type, count] of Object.entries(b.events)) events[type] = (events[type] ?? 0) + count;
  return {
    events,
    unreadableEvents: a.unreadableEvents + b.unreadableEvents,
    lists: a.lists + b.lists,
    singleApps: a.singleApps + b.singleApps,
    failures: a.failures + b.failures,
    connections: a.connections + b.connections,
    held: a.held + b.held,
  };
}

function withPrefix(logger: DiscoveryLogger, marathon: string): DiscoveryLogger {
  return {
    debug: (fields, message) => logger.debug({ marathon, ...fields }, message),
    info: (fields, message) => logger.info({ marathon, ...fields }, message),
    warn: (fields, message) => logger.warn({ marathon, ...fields }, message),
  };
}
